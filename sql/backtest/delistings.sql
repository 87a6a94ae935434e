-- Grain: one row per security that was delisted.
-- Month and reason of each delisting, for the survivorship ledger.
select distinct
    security_id,
    last_day(delisted_at) as month_end,
    delisting_reason as reason
from panel.security
where delisted_at is not null
order by security_id
