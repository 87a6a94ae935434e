-- Grain: one row per (subject, fault_date).
-- Days on which the level of a benchmark or fund moves by a power of ten.
-- Parameters: $threshold (distance from the power, as a logarithm to base 10).
with steps as (
    select
        data_set,
        symbol,
        date,
        file,
        adjusted_close
        / lag(adjusted_close) over (partition by data_set, symbol order by date) as ratio
    from raw.benchmark_daily
)

select
    date as fault_date,
    date as known_date,
    ratio as figure,
    cast(1 as double) as expected,
    'level over that of the day before: a power of ten' as detail,
    file,
    data_set || '/' || symbol as subject
from steps
where
    round(log10(ratio)) <> 0
    and abs(log10(ratio) - round(log10(ratio))) <= $threshold
