-- Grain: one row per filing, with whether it became public after the cutoff.
-- Parameters: $cutoff, $lag_months (of filings without a date).
select
    *,  -- noqa: AM04
    coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer))))
    > cast($cutoff as date) as is_later
from raw.fundamental
order by vendor_id, statement, period_end, filed_at
