-- Grain: one row per (security_id, date).
-- Daily prices of the stocks that a strategy held through a month, and the last price before it.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with held as (
    select distinct
        security_id,
        month_end
    from backtest.holding
    where
        month_end >= $month_start
        and month_end < $month_end
        and weight <> 0
        and ret is not null
)

select
    held.security_id,
    held.month_end,
    prices.date,
    prices.close,
    prices.split,
    prices.dividend,
    month_before.price as opening_price
from held
inner join panel.security as spells
    on held.security_id = spells.security_id
inner join raw.price_daily as prices
    on
        spells.vendor_id = prices.vendor_id
        and last_day(prices.date) = held.month_end
        and spells.valid_from <= prices.date
        and spells.valid_to >= prices.date
left join panel.security_month as month_before
    on
        held.security_id = month_before.security_id
        and month_before.month_end = last_day(held.month_end - interval 1 month)
where
    prices.date >= $month_start
    and prices.date < $month_end
order by held.month_end, held.security_id, prices.date
