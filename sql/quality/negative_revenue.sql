-- Grain: one row per (subject, fault_date).
-- Income statements with revenue below zero.
-- Parameters: $lag_months (of filings without a date).
select
    vendor_id as subject,
    period_end as fault_date,
    cast(null as double) as expected,
    'revenue below zero' as detail,
    min(coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer)))))
        as known_date,
    min(revenue) as figure,
    min(file) as file
from raw.fundamental
where revenue < 0
group by vendor_id, period_end
