-- Grain: one row per file and version.
-- Every file read, with the SHA-256 of its bytes.
select
    data_set,
    file,
    sha256,
    vintage,
    status
from raw.ingest_log
order by data_set, file, ingested_at
