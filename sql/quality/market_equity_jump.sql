-- Grain: one row per (subject, fault_date).
-- Months in which market equity changes by much more than the return. A delisting return is not in
-- the last price, and so not in market equity.
-- Parameters: $threshold (ratio).
with changes as (
    select
        security_id,
        month_end,
        ret,
        delisting_return,
        market_equity / lag(market_equity) over by_month as growth,
        lag(month_end) over by_month as earlier
    from panel.security_month
    window by_month as (partition by security_id order by month_end)
),

securities as (
    select distinct
        security_id,
        vendor_id
    from panel.security
)

select
    securities.vendor_id as subject,
    changes.month_end as fault_date,
    changes.month_end as known_date,
    changes.growth as figure,
    'market equity over that of the month before, against the return' as detail,
    cast(null as varchar) as file,
    1 + changes.ret as expected
from changes
inner join securities
    on changes.security_id = securities.security_id
where
    changes.ret > -1
    and changes.delisting_return is null
    and changes.growth > 0
    and changes.earlier = last_day(changes.month_end - interval 1 month)
    and abs(ln(changes.growth / (1 + changes.ret))) >= ln($threshold)
