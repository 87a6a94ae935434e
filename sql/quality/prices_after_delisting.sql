-- Grain: one row per (subject, fault_date).
-- First price of a security after the day it was delisted.
select
    prices.vendor_id as subject,
    cast(null as double) as expected,
    min(prices.date) as fault_date,
    min(prices.date) as known_date,
    'close after the delisting of ' || delisting.date as detail,
    arg_min(prices.close, prices.date) as figure,
    arg_min(prices.file, prices.date) as file
from raw.price_daily as prices
inner join raw.delisting as delisting
    on
        prices.vendor_id = delisting.vendor_id
        and prices.date > delisting.date
group by prices.vendor_id, delisting.date
