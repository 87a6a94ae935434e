-- Grain: one row per check that did not pass.
-- What the checks of the published build found.
select
    severity,
    table_name,
    check_name,
    failing_rows,
    observed
from quality.check_result
where not passed
order by severity, table_name, check_name
