-- Grain: one row per (subject, fault_date).
-- Ticker spells of a security that begin before the one before has ended, or end before they begin.
with spells as (
    select
        vendor_id,
        ticker,
        file,
        coalesce(valid_from, date '1900-01-01') as first_day,
        coalesce(valid_to, date '9999-12-31') as last_day,
        lag(ticker) over by_day as earlier_ticker,
        lag(coalesce(valid_to, date '9999-12-31')) over by_day as earlier_last_day
    from raw.listing
    window by_day as (partition by vendor_id order by valid_from nulls first, ticker)
)

select
    vendor_id as subject,
    first_day as fault_date,
    first_day as known_date,
    cast(null as double) as figure,
    cast(null as double) as expected,
    min(file) as file,
    'ticker ' || min(ticker) || ' from then on, while ' || min(coalesce(earlier_ticker, ticker))
    || ' is still valid or the spell ends before' as detail
from spells
where
    earlier_last_day >= first_day
    or last_day < first_day
group by vendor_id, first_day
