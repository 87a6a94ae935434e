-- Grain: one row per (subject, fault_date).
-- First months of spells in which book-to-market is beyond what a price can mean.
-- Parameters: $threshold (ratio).
with ratios as (
    select
        security_id,
        month_end,
        book_to_market,
        lag(book_to_market) over (partition by security_id order by month_end) as earlier
    from signal.characteristic
),

securities as (
    select distinct
        security_id,
        vendor_id
    from panel.security
)

select
    securities.vendor_id as subject,
    ratios.month_end as fault_date,
    ratios.month_end as known_date,
    ratios.book_to_market as figure,
    cast(null as double) as expected,
    'book equity over market equity' as detail,
    cast(null as varchar) as file
from ratios
inner join securities
    on ratios.security_id = securities.security_id
where
    ratios.book_to_market > $threshold
    and coalesce(ratios.earlier <= $threshold, true)
