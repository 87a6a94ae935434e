-- Grain: one row per check that did not hold.
-- What should I know about the data before I trust a number?
-- Checks of the published build that did not hold. severity warn: the data are as the vendor gave
-- them, and may mislead; error: a rule is broken, and such a build is not published.
select
    table_name,
    check_name,
    severity,
    failing_rows,
    observed
from quality.check_result
where not passed
order by severity, table_name, check_name
