-- Grain: one row per (subject, fault_date).
-- Days of a security on which a dividend and a split go ex together.
select
    vendor_id as subject,
    date as fault_date,
    date as known_date,
    dividend as figure,
    file,
    null::double as expected,
    'dividend ' || dividend || ' and split ' || split as detail
from raw.price_daily
where
    split <> 1
    and dividend > 0
