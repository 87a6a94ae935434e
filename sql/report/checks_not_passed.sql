-- Grain: one row per check that did not pass.
-- What the checks of the published build found. Rules that flag rows have a table of their own.
select
    severity,
    table_name,
    check_name,
    failing_rows,
    observed
from quality.check_result
where
    not passed
    and check_name not in (select flag.rule from quality.flag)
order by severity, table_name, check_name
