-- Grain: one row per (security_id, date).
-- Daily prices of the run's months and of the month before, by security.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    securities.security_id,
    prices.date,
    prices.close,
    prices.split,
    prices.dividend,
    prices.adjusted_close,
    prices.volume
from raw.price_daily as prices
asof inner join panel.security as securities
    on
        prices.vendor_id = securities.vendor_id
        and prices.date >= securities.valid_from
where
    prices.date >= cast($month_start as date) - interval 1 month
    and prices.date < $month_end
order by securities.security_id, prices.date
