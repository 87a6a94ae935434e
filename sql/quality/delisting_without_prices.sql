-- Grain: one row per subject.
-- Delisted securities without a price up to that day.
with priced as (
    select
        prices.vendor_id,
        min(prices.date) as first_day
    from raw.price_daily as prices
    group by prices.vendor_id
)

select
    delisting.vendor_id as subject,
    delisting.date as fault_date,
    delisting.date as known_date,
    cast(null as double) as expected,
    delisting.delisting_return as figure,
    'delisting return of a security without prices' as detail,
    delisting.file
from raw.delisting as delisting
left join priced on delisting.vendor_id = priced.vendor_id
where
    priced.first_day is null
    or priced.first_day > delisting.date
