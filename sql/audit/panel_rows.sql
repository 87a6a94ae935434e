-- Grain: one row per (security_id, month_end) that the prices or the panel have.
-- Is every security in the panel from its first to its last price and in its month of delisting,
-- and in no other month?
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with priced as (
    select distinct
        securities.security_id,
        last_day(prices.date) as month_end
    from raw.price_daily as prices
    asof inner join panel.security as securities
        on
            prices.vendor_id = securities.vendor_id
            and prices.date >= securities.valid_from
    where
        prices.date >= $month_start
        and prices.date < $month_end
),

latest as (
    select
        vendor_id,
        arg_max(security_id, valid_from) as security_id
    from panel.security
    group by vendor_id
),

-- A delisting before a company's first price is that of an earlier one.
delisted as (
    select
        latest.security_id,
        last_day(delisting.date) as month_end
    from raw.delisting as delisting
    inner join latest on delisting.vendor_id = latest.vendor_id
    inner join panel.security as securities on latest.security_id = securities.security_id
    where
        delisting.date >= $month_start
        and delisting.date < $month_end
        and delisting.date <= (select max(prices.date) from raw.price_daily as prices)
    group by latest.security_id, delisting.date
    having min(securities.valid_from) <= delisting.date
),

expected as (
    select
        security_id,
        month_end
    from priced
    union
    select
        security_id,
        month_end
    from delisted
)

select
    coalesce(expected.security_id, panel.security_id) as security_id,
    coalesce(expected.month_end, panel.month_end) as month_end,
    expected.security_id is not null as is_expected,
    panel.security_id is not null as is_stored
from expected
full outer join panel.security_month as panel
    on
        expected.security_id = panel.security_id
        and expected.month_end = panel.month_end
order by month_end, security_id
