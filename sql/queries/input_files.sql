-- Grain: one row per data set, vendor, vintage and status.
-- Which files are the numbers made of, and how fresh are they?
-- The latest fetch of every file. rows_used entered the raw tables, rows_rejected are in the query
-- quarantine. Times are UTC, of the first fetch of the same bytes; raw.ingest_log has the SHA-256
-- of each file.
select
    data_set,
    source as vendor,
    vintage,
    status,
    cast(sum(bytes) as bigint) as total_bytes,
    cast(sum(rows) as bigint) as rows_used,
    cast(sum(rejected) as bigint) as rows_rejected,
    count(*) as files,
    min(ingested_at) as oldest_fetch,
    max(ingested_at) as newest_fetch
from raw.ingest_log
group by data_set, source, vintage, status
order by data_set, vendor, vintage, status
