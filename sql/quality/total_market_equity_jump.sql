-- Grain: one row per fault_date.
-- Months in which total market equity changes by more than the value-weighted return.
-- Parameters: $threshold (ratio).
with stock_months as (
    select
        month_end,
        ret,
        market_equity,
        case
            when lag(month_end) over by_month = last_day(month_end - interval 1 month)
                then lag(market_equity) over by_month
        end as earlier
    from panel.security_month
    window by_month as (partition by security_id order by month_end)
),

totals as (
    select
        month_end,
        count(market_equity) as firms,
        sum(market_equity) as total,
        sum(earlier * (1 + ret)) / sum(earlier) filter (where ret is not null) as growth
    from stock_months
    group by month_end
),

changes as (
    select
        month_end,
        firms,
        growth,
        total / lag(total) over (order by month_end) as total_growth
    from totals
)

select
    'market' as subject,
    month_end as fault_date,
    month_end as known_date,
    total_growth as figure,
    growth as expected,
    'total market equity over that of the month before, against the return' as detail,
    cast(null as varchar) as file
from changes
where
    firms >= 30
    and growth > 0
    and abs(ln(total_growth / growth)) >= ln($threshold)
