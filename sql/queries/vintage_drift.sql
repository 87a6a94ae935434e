-- Grain: one row per factor, month and pair of library vintages.
-- Where do the library's vintages disagree most about the same month?
-- The library rewrites history with every edition: corrected data, another CRSP format. difference
-- is newer minus older (decimal). months_compared and months_changed count all months of the factor
-- and pair, also those not listed. Name the vintage next to every result that uses the library.
with settings as (
    select 25 as months_listed
),

compared as (
    select
        *,
        count(*) over pair as months_compared,
        count(*) filter (difference <> 0) over pair as months_changed
    from factor.vintage_drift
    window pair as (partition by factor, older_vintage, newer_vintage)
)

select
    factor,
    month_end,
    older_vintage,
    newer_vintage,
    older_ret,
    newer_ret,
    difference,
    months_compared,
    months_changed
from compared
where difference <> 0
order by abs(difference) desc, factor asc, month_end asc, older_vintage asc, newer_vintage asc
limit (select settings.months_listed from settings)
