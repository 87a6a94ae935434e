-- Grain: one row per date.
-- How many series have a price on each day that any has one.
select
    date,
    count(*)::bigint as prices
from raw.price_daily
group by date
order by date
