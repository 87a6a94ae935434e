-- Grain: one row per subject.
-- Benchmarks and funds whose levels end before those of another of their data set, or, for
-- benchmarks, before the prices.
-- Parameters: $threshold (calendar days).
with ends as (
    select
        data_set,
        symbol,
        max(date) as last_date,
        any_value(file) as file,
        max(max(date)) over (partition by data_set) as last_of_set
    from raw.benchmark_daily
    group by data_set, symbol
),

expected_ends as (
    select
        *,
        case
            when data_set = 'benchmark'
                then greatest(last_of_set, (select max(prices.date) from raw.price_daily as prices))
            else last_of_set
        end as expected_date
    from ends
)

select
    last_date as fault_date,
    last_date as known_date,
    cast(null as double) as expected,
    file,
    cast(expected_date - last_date as double) as figure,
    data_set || '/' || symbol as subject,
    'days before ' || expected_date || ', to which others reach' as detail
from expected_ends
where expected_date - last_date > $threshold
