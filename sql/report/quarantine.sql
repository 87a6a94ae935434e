-- Grain: one row per data set and rule.
-- What did not enter the raw tables, with an example of each reason.
select
    quarantine.data_set,
    quarantine.rule,
    count(*) filter (where quarantine.row is null) as bad_files,
    count(quarantine.row) as bad_rows,
    min(quarantine.file) as example_file,
    arg_min(
        quarantine.reason, (quarantine.file, coalesce(quarantine.row, 0))
    ) as example_reason
from quality.quarantine
group by quarantine.data_set, quarantine.rule
order by quarantine.data_set, quarantine.rule
