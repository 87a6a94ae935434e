-- Grain: one row, the newest build.
-- What the published tables were made of, and the months all builds cover together.
select
    run_id,
    inputs,
    code_version,
    simulated,
    finished_at,
    (select min(every.month_start) from quality.build as every) as first_day,
    (select max(every.month_end) from quality.build as every) as last_day
from quality.build
order by build desc
limit 1
