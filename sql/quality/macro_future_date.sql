-- Grain: one row per (subject, fault_date).
-- Observations dated after the day their file was fetched.
select
    observations.series as subject,
    observations.date as fault_date,
    cast(fetched.ingested_at as date) as known_date,
    observations.value as figure,
    cast(null as double) as expected,
    'dated after the day the file was fetched' as detail,
    observations.file
from raw.macro as observations
inner join raw.ingest_log as fetched on observations.file = fetched.file
where observations.date > cast(fetched.ingested_at as date)
