-- Grain: one row per (security_id, date) with a split.
-- All splits, whatever the months of the run: share counts are restated through them.
select
    securities.security_id,
    prices.date,
    prices.split
from raw.price_daily as prices
asof inner join panel.security as securities
    on
        prices.vendor_id = securities.vendor_id
        and prices.date >= securities.valid_from
where prices.split <> 1
order by securities.security_id, prices.date
