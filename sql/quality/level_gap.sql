-- Grain: one row per (subject, fault_date).
-- Spans without a level of a benchmark or fund that are longer than any closing of the exchange.
-- Parameters: $threshold (calendar days).
with steps as (
    select
        data_set,
        symbol,
        date,
        file,
        lag(date) over (partition by data_set, symbol order by date) as earlier
    from raw.benchmark_daily
)

select
    date as known_date,
    cast(null as double) as expected,
    file,
    cast(date - earlier as double) as figure,
    data_set || '/' || symbol as subject,
    earlier + 1 as fault_date,
    'days from ' || earlier || ' to the next level' as detail
from steps
where date - earlier > $threshold
