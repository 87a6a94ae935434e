-- Grain: one row per table that was checked.
-- Checks of each table, by what became of them.
select
    table_name,
    count(*) as checks,
    count(*) filter (where passed) as passed,
    count(*) filter (where not passed and severity = 'error') as errors,
    count(*) filter (where not passed and severity = 'warn') as warnings
from quality.check_result
group by table_name
order by table_name
