-- Grain: one row per subject.
-- Filers that are in the listing or were in the index, and have no prices.
with filers as (
    select
        vendor_id,
        max(period_end) as last_period,
        count(distinct period_end) as fiscal_years,
        min(file) as file
    from raw.fundamental
    group by vendor_id
),

awaited as (
    select filers.*
    from filers
    where
        filers.vendor_id in (select listing.vendor_id from raw.listing as listing)
        or filers.vendor_id in (select members.ticker from raw.index_member as members)
)

select
    awaited.vendor_id as subject,
    awaited.last_period as fault_date,
    awaited.last_period as known_date,
    cast(null as double) as expected,
    awaited.file,
    cast(awaited.fiscal_years as double) as figure,
    'fiscal years of a firm without prices' as detail
from awaited
anti join raw.price_daily as prices
    on awaited.vendor_id = prices.vendor_id
