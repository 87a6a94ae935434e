-- Grain: one row per (subject, fault_date).
-- Balance sheets with stockholders' equity below zero.
-- Parameters: $lag_months (of filings without a date).
select
    vendor_id as subject,
    period_end as fault_date,
    cast(null as double) as expected,
    'equity below zero' as detail,
    min(coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer)))))
        as known_date,
    min(total_equity) as figure,
    min(file) as file
from raw.fundamental
where total_equity < 0
group by vendor_id, period_end
