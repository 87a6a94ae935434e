-- Grain: one row per file.
-- Every file the numbers stem from, with the SHA-256 of its bytes.
select
    data_set,
    source,
    file,
    vintage,
    status,
    rows,
    sha256
from raw.ingest_log
order by data_set, file
