-- Grain: one row per security and trading day.
-- On which days does a price vendor contradict itself, and what became of the month's return?
-- computed_return is (close x split + dividend) / previous close - 1, vendor_return the change of
-- the vendor's adjusted close; difference is the first minus the second (decimals). Mostly it is a
-- spin-off booked as a dividend, or a split on the wrong day. month_return is NULL where the
-- setting panel.disputed_return leaves the month out.
select
    price_check.ticker,
    price_check.date,
    price_check.close,
    price_check.dividend,
    price_check.split,
    price_check.computed_return,
    price_check.vendor_return,
    price_check.difference,
    security_month.ret as month_return,
    security_month.flags
from panel.price_check
left join panel.security_month
    on
        price_check.security_id = security_month.security_id
        and last_day(price_check.date) = security_month.month_end
order by abs(price_check.difference) desc, price_check.date asc, price_check.security_id asc
