-- Grain: one row per (subject, fault_date).
-- Balance sheets with stockholders' equity below zero, by the end of their period.
select
    vendor_id as subject,
    period_end as fault_date,
    null::double as expected,
    'equity below zero' as detail,
    coalesce(min(filed_at), period_end) as known_date,
    min(total_equity) as figure,
    min(file) as file
from raw.fundamental
where total_equity < 0
group by vendor_id, period_end
