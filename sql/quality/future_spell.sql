-- Grain: one row per (subject, fault_date).
-- Spells in the index that begin or end after the day their file was fetched.
select
    members.ticker as subject,
    cast(max(fetched.ingested_at) as date) as known_date,
    cast(null as double) as figure,
    cast(null as double) as expected,
    'dated after the day the file was fetched' as detail,
    members.file,
    max(greatest(members.start_date, coalesce(members.end_date, members.start_date)))
        as fault_date
from raw.index_member as members
inner join raw.ingest_log as fetched on members.file = fetched.file
where
    members.start_date > cast(fetched.ingested_at as date)
    or members.end_date > cast(fetched.ingested_at as date)
group by members.ticker, members.file
