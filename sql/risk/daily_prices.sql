-- Grain: one row per (security_id, date).
-- Daily prices of some securities in the windows' months and the month before, by security. A price
-- belongs to the last spell of its vendor's identifier that begins on or before the day.
-- Parameters: $first_security, $last_security (inclusive), $month_start (inclusive), $month_end
-- (exclusive).
with spells as (
    select
        security_id,
        vendor_id,
        valid_from,
        lead(valid_from) over (partition by vendor_id order by valid_from) as next_from
    from panel.security
),

-- A join on the few spells is faster than an ASOF join on all of them.
asked as (
    select *
    from spells
    where security_id between $first_security and $last_security
)

select
    asked.security_id,
    prices.date,
    prices.close,
    prices.split,
    prices.dividend,
    prices.adjusted_close
from raw.price_daily as prices
inner join asked
    on
        prices.vendor_id = asked.vendor_id
        and prices.date >= asked.valid_from
        and (asked.next_from is null or prices.date < asked.next_from)
where
    prices.date >= cast($month_start as date) - interval 1 month
    and prices.date < $month_end
order by asked.security_id, prices.date
