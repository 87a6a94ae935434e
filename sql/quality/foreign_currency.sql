-- Grain: one row per (subject, fault_date).
-- Statements whose figures are not in the currency of the prices.
-- Parameters: $lag_months (of filings without a date).
select
    vendor_id as subject,
    period_end as fault_date,
    cast(null as double) as figure,
    cast(null as double) as expected,
    'figures in ' || min(currency) as detail,
    min(coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer)))))
        as known_date,
    min(file) as file
from raw.fundamental
where currency <> 'USD'
group by vendor_id, period_end
