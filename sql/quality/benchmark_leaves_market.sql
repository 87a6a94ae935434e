-- Grain: one row per fault_date.
-- First months of spells in which the benchmark and our market factor do not move together.
-- Parameters: $threshold (correlation over 24 months), $symbol (of the benchmark).
with levels as (
    select
        last_day(date) as month_end,
        arg_max(adjusted_close, date) as last_level
    from raw.benchmark_daily
    where
        data_set = 'benchmark'
        and symbol = $symbol
    group by last_day(date)
),

returns as (
    select
        month_end,
        last_level / lag(last_level) over (order by month_end) - 1 as ret
    from levels
),

correlations as (
    select
        returns.month_end,
        corr(returns.ret, own.ret) over two_years as rolling,
        count(*) over two_years as months
    from returns
    inner join factor.factor_return as own
        on
            returns.month_end = own.month_end
            and own.source = 'own'
            and own.factor = 'MKT'
    where returns.ret is not null
    window two_years as (
        order by returns.month_end
        rows between 23 preceding and current row
    )
),

spells as (
    select
        month_end,
        rolling,
        lag(rolling) over (order by month_end) as earlier
    from correlations
    where months = 24
)

select
    month_end as fault_date,
    month_end as known_date,
    rolling as figure,
    cast(null as double) as expected,
    'correlation with our market factor over 24 months' as detail,
    cast(null as varchar) as file,
    'benchmark/' || $symbol as subject
from spells
where
    rolling < $threshold
    and coalesce(earlier >= $threshold, true)
