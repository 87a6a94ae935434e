-- Grain: one row per data set and source.
-- What was read: files, rows, bytes, vintages.
select
    data_set,
    source,
    count(*) as files,
    sum(rows) as read_rows,
    sum(rejected) as rejected,
    sum(bytes) as bytes,
    string_agg(distinct vintage, ', ' order by vintage) as vintages,
    max(ingested_at) as newest
from raw.ingest_log
group by data_set, source
order by data_set, source
