-- Grain: one row per (subject, fault_date).
-- Runs of days on which a benchmark or fund stays at one level, by their first day.
-- Parameters: $threshold (days in a row).
with moves as (
    select
        data_set,
        symbol,
        date,
        adjusted_close,
        file,
        coalesce(
            adjusted_close <> lag(adjusted_close) over (
                partition by data_set, symbol order by date
            ),
            true
        ) as is_move
    from raw.benchmark_daily
),

runs as (
    select
        *,
        count(*) filter (where is_move) over (
            partition by data_set, symbol order by date
        ) as run
    from moves
)

select
    cast($threshold as double) as figure,
    'days in a row at one level' as detail,
    data_set || '/' || symbol as subject,
    min(date) as fault_date,
    min(adjusted_close) as expected,
    min(file) as file,
    list_sort(list(date))[cast($threshold as integer)] as known_date
from runs
group by data_set, symbol, run
having count(*) >= $threshold
