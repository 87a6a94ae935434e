-- Grain: one row per vendor identifier and unbroken run of one ticker.
-- First and last trading day of each ticker, from the prices themselves.
with ticker_changes as (
    select
        vendor_id,
        ticker,
        date,
        coalesce(
            ticker <> lag(ticker) over (partition by vendor_id order by date), true
        ) as is_new
    from raw.price_daily
),

spells as (
    select
        vendor_id,
        ticker,
        date,
        sum(cast(is_new as integer)) over (
            partition by vendor_id order by date
        ) as spell
    from ticker_changes
)

select
    vendor_id,
    ticker,
    min(date) as valid_from,
    max(date) as valid_to
from spells
group by vendor_id, ticker, spell
order by vendor_id, valid_from
