-- Grain: one row per (subject, fault_date).
-- Spells in which a ticker belongs to two securities at once.
with spells as (
    select
        vendor_id,
        ticker,
        file,
        coalesce(valid_from, date '1900-01-01') as first_day,
        coalesce(valid_to, date '9999-12-31') as last_day
    from raw.listing
)

select
    later.vendor_id as subject,
    later.first_day as fault_date,
    later.first_day as known_date,
    cast(null as double) as figure,
    cast(null as double) as expected,
    later.file,
    'ticker ' || later.ticker || ' is that of ' || min(earlier.vendor_id) || ' too' as detail
from spells as later
inner join spells as earlier
    on
        later.ticker = earlier.ticker
        and later.vendor_id <> earlier.vendor_id
        and later.first_day between earlier.first_day and earlier.last_day
where
    later.first_day > earlier.first_day
    or later.vendor_id > earlier.vendor_id
group by later.vendor_id, later.ticker, later.first_day, later.file
