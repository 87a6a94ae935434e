-- Grain: one row per data set.
-- How old each data set was when it was read, and what its source did not deliver.
select
    data_set,
    source,
    last_day,
    behind_file,
    behind_day,
    age_days,
    max_age_days,
    is_stale,
    files,
    files_missing,
    files_stale,
    first_missing,
    first_stale,
    outage,
    ingested_at,
    checked_at
from quality.freshness
order by data_set
