-- Grain: one row per (security_id, date).
-- Daily prices of the stocks that a strategy held through a month, and the last price before it: of
-- the month before, or of the 12 months before where trading was halted.
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
),

priced as (
    select
        security_id,
        month_end,
        price
    from panel.security_month
    where price is not null
)

select
    held.security_id,
    held.month_end,
    prices.date,
    prices.close,
    prices.split,
    prices.dividend,
    case
        when datediff('month', priced.month_end, held.month_end) <= 12 then priced.price
    end as opening_price
from held
inner join panel.security as spells
    on held.security_id = spells.security_id
inner join raw.price_daily as prices
    on
        spells.vendor_id = prices.vendor_id
        and last_day(prices.date) = held.month_end
        and spells.valid_from <= prices.date
        and spells.valid_to >= prices.date
asof left join priced
    on
        held.security_id = priced.security_id
        and held.month_end > priced.month_end
where
    prices.date >= $month_start
    and prices.date < $month_end
order by held.month_end, held.security_id, prices.date
