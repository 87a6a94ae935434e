-- Grain: one row per (subject, fault_date).
-- First months of spells in which a firm is too large a part of total market equity; where there
-- are few firms, 40 average ones.
-- Parameters: $threshold (share).
with shares as (
    select
        security_id,
        month_end,
        firm_market_equity / sum(market_equity) over (partition by month_end) as market_share,
        greatest($threshold, 40 / count(market_equity) over (partition by month_end)) as too_large
    from panel.security_month
    where market_equity is not null
),

spells as (
    select
        security_id,
        month_end,
        market_share,
        too_large,
        coalesce(lag(market_share > too_large) over (
            partition by security_id
            order by month_end
        ), false) as was_too_large
    from shares
),

securities as (
    select distinct
        security_id,
        vendor_id
    from panel.security
)

select
    securities.vendor_id as subject,
    spells.month_end as fault_date,
    spells.month_end as known_date,
    spells.market_share as figure,
    spells.too_large as expected,
    'share of total market equity' as detail,
    cast(null as varchar) as file
from spells
inner join securities
    on spells.security_id = securities.security_id
where
    spells.market_share > spells.too_large
    and not spells.was_too_large
