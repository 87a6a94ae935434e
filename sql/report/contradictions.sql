-- Grain: one row per security and day.
-- The largest contradictions between a vendor's adjusted close and its close, split and dividend;
-- all_days counts every one.
select
    price_check.date,
    price_check.computed_return,
    price_check.vendor_return,
    coalesce(security.ticker, cast(price_check.security_id as varchar)) as ticker,
    count(*) over () as all_days
from panel.price_check
left join panel.security
    on
        price_check.security_id = security.security_id
        and price_check.date between security.valid_from and security.valid_to
order by abs(price_check.difference) desc, price_check.date asc, price_check.security_id asc
limit 15
