-- Grain: one row per security that was delisted.
-- Month and reason of each delisting, for the survivorship ledger.
select distinct
    security_id,
    delisting_reason as reason,
    last_day(delisted_at) as month_end
from panel.security
where delisted_at is not null
order by security_id
