-- Grain: one row per (security_id, date).
-- Daily prices of some securities in the windows' months and the month before, by security.
-- Parameters: $first_security, $last_security (inclusive), $month_start (inclusive), $month_end
-- (exclusive).
with asked as (
    select distinct vendor_id
    from panel.security
    where security_id between $first_security and $last_security
),

prices as (
    select price_daily.*
    from raw.price_daily
    semi join asked
        on price_daily.vendor_id = asked.vendor_id
    where
        price_daily.date >= cast($month_start as date) - interval 1 month
        and price_daily.date < $month_end
),

identified as (
    select
        securities.security_id,
        prices.date,
        prices.close,
        prices.split,
        prices.dividend,
        prices.adjusted_close
    from prices
    asof inner join panel.security as securities
        on
            prices.vendor_id = securities.vendor_id
            and prices.date >= securities.valid_from
)

select *
from identified
where security_id between $first_security and $last_security
order by security_id, date
