-- Grain: one row per fault_date.
-- Months with far fewer stocks that have a return than the month before. A month without any has
-- only begun.
-- Parameters: $threshold (share of the stocks).
with counts as (
    select
        month_end,
        count(ret) as stocks
    from panel.security_month
    group by month_end
    having count(ret) > 0
),

steps as (
    select
        month_end,
        stocks,
        lag(stocks) over (order by month_end) as earlier
    from counts
)

select
    'market' as subject,
    month_end as fault_date,
    month_end as known_date,
    'stocks with a return, against the month before' as detail,
    cast(null as varchar) as file,
    cast(stocks as double) as figure,
    cast(earlier as double) as expected
from steps
where
    earlier >= 20
    and stocks < (1 - $threshold) * earlier
