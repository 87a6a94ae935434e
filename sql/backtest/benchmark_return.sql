-- Grain: one row per month.
-- Total return of the benchmark over complete calendar months, from its adjusted close.
-- Parameters: $symbol, $last_complete (last day up to which months are complete).
with month_ends as (
    select
        last_day(date) as month_end,
        arg_max(adjusted_close, date) as closing_level
    from raw.benchmark_daily
    where
        data_set = 'benchmark'
        and symbol = $symbol
        and date <= cast($last_complete as date)
    group by last_day(date)
),

with_previous as (
    select
        month_end,
        closing_level,
        lag(month_end) over (order by month_end) as previous_month_end,
        lag(closing_level) over (order by month_end) as previous_level
    from month_ends
)

select
    month_end,
    closing_level / previous_level - 1 as ret
from with_previous
where previous_month_end = last_day(month_end - interval 1 month)
order by month_end
