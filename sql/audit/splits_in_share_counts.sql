-- Grain: one row per (vendor_id, split after the cutoff that share counts filed by then contain).
-- Vendors that restate share counts to the split basis of a later day put later splits into old
-- figures. The split factor is all that is kept of the day, moved to the first days after the
-- cutoff in the same order: later dates, prices and tickers are unknown.
-- Parameters: $cutoff, $lag_months (of filings without a date).
with restated as (
    select
        vendor_id,
        max(coalesce(shares_basis_date, period_end)) as last_basis
    from raw.fundamental
    where
        coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer))))
        <= cast($cutoff as date)
    group by vendor_id
),

known as (
    select
        vendor_id,
        arg_max(ticker, date) as ticker
    from raw.price_daily
    where date <= cast($cutoff as date)
    group by vendor_id
)

select  -- noqa: ST06
    prices.vendor_id,
    known.ticker,
    cast($cutoff as date)
    + cast(row_number() over (partition by prices.vendor_id order by prices.date) as integer)
        as date,  -- noqa: RF04
    cast(null as double) as open,  -- noqa: RF04
    cast(null as double) as high,
    cast(null as double) as low,
    cast(1 as double) as close,  -- noqa: RF04
    cast(null as double) as adjusted_close,
    cast(null as double) as volume,
    cast(0 as double) as dividend,
    prices.split,
    '' as file,  -- noqa: RF04
    prices.known_from
from raw.price_daily as prices
inner join restated on prices.vendor_id = restated.vendor_id
inner join known on prices.vendor_id = known.vendor_id
where
    prices.date > cast($cutoff as date)
    and prices.date <= restated.last_basis
    and prices.split <> 1
order by prices.vendor_id, date
