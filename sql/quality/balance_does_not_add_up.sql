-- Grain: one row per (subject, fault_date).
-- Balance sheets whose liabilities and equity are not their assets, of several filings of a period
-- the first that shows it.
-- Parameters: $threshold (share of assets), $lag_months (of filings without a date).
select
    vendor_id as subject,
    period_end as fault_date,
    total_assets as expected,
    'liabilities and equity, against assets' as detail,
    file,
    total_liabilities + total_equity as figure,
    coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer))))
        as known_date
from raw.fundamental
where abs(total_assets - total_liabilities - total_equity) > $threshold * abs(total_assets)
qualify
    row_number() over (partition by vendor_id, period_end order by known_date, figure) = 1
