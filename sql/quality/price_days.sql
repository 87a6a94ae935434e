-- Grain: one row per (vendor_id, date, file), in no order.
-- Daily prices of the series whose names lie in a range.
-- Parameters: $first_series, $last_series (inclusive).
select
    vendor_id,
    date,
    close,
    high,
    low,
    adjusted_close,
    volume,
    dividend,
    split
from raw.price_daily
where vendor_id between $first_series and $last_series
