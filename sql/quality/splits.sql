-- Grain: one row per (vendor_id, date) with a split.
select
    vendor_id,
    date,
    split
from raw.price_daily
where split <> 1
