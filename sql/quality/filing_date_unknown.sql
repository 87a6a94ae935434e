-- Grain: one row per (subject, fault_date).
-- Periods of which a statement has no day of filing, dated by the day it is assumed to be public.
-- Parameters: $lag_months (of filings without a date).
select
    vendor_id as subject,
    period_end as fault_date,
    cast(null as double) as figure,
    cast(null as double) as expected,
    'no day of filing after the end of the period' as detail,
    min(coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer)))))
        as known_date,
    min(file) as file
from raw.fundamental
where filed_at is null
group by vendor_id, period_end
