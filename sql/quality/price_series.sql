-- Grain: one row per vendor_id.
-- Series of daily prices, with the file they stem from where it is one.
select
    vendor_id,
    count(*)::bigint as prices,
    case when min(file) = max(file) then min(file) end as file
from raw.price_daily
group by vendor_id
order by vendor_id
