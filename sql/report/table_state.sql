-- Grain: one row per published table, and per asset with checks that fills a part of one.
-- Rows of each table (stored_rows is NULL for a part), its checks by outcome, rows flagged.
with stored as (
    select
        estimated_size as stored_rows,
        schema_name || '.' || table_name as table_name
    from duckdb_tables()
),

checked as (
    select
        table_name,
        count(*) as checks,
        count(*) filter (where passed) as passed,
        count(*) filter (where not passed and severity = 'error') as errors,
        count(*) filter (where not passed and severity = 'warn') as warnings
    from quality.check_result
    group by table_name
),

marked as (
    select
        table_name,
        count(*) as flagged
    from quality.flag
    group by table_name
)

select
    stored.stored_rows,
    coalesce(stored.table_name, checked.table_name) as table_name,
    coalesce(checked.checks, 0) as checks,
    coalesce(checked.passed, 0) as passed,
    coalesce(checked.errors, 0) as errors,
    coalesce(checked.warnings, 0) as warnings,
    coalesce(marked.flagged, 0) as flagged
from stored
full join checked on stored.table_name = checked.table_name
left join marked on stored.table_name = marked.table_name
order by coalesce(stored.table_name, checked.table_name)
