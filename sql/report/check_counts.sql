-- Grain: one row per severity and outcome.
-- How many checks there were, and how many of them failed.
select
    severity,
    passed,
    count(*) as checks
from quality.check_result
group by severity, passed
order by severity, passed
