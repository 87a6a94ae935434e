-- Grain: one row per file or row that was refused, and rule it broke.
-- What did the vendors deliver that could not be used, and why?
-- line_number is of the uncompressed file, NULL when the whole file was refused. file_status says
-- what became of the file: parsed (the rest entered), quarantined (nothing did), stale (its last
-- good rows are still in use). rows_used counts what did enter. The refused bytes are kept under
-- raw/ by their SHA-256.
select
    quarantine.data_set,
    ingest_log.source as vendor,
    quarantine.file,
    quarantine.sha256,
    quarantine.row as line_number,
    quarantine.rule,
    quarantine.reason,
    quarantine.value as offending_text,
    ingest_log.status as file_status,
    ingest_log.rows as rows_used,
    ingest_log.ingested_at
from quality.quarantine
left join raw.ingest_log
    on quarantine.file = ingest_log.file
order by
    quarantine.data_set, quarantine.file, quarantine.sha256, quarantine.row, quarantine.rule
