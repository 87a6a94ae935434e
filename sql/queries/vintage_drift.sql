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
        older.factor,
        older.month_end,
        older.vintage as older_vintage,
        newer.vintage as newer_vintage,
        older.ret as older_ret,
        newer.ret as newer_ret,
        newer.ret - older.ret as difference,
        count(*) over pair as months_compared,
        count(*) filter (newer.ret <> older.ret) over pair as months_changed
    from factor.factor_return as older
    inner join factor.factor_return as newer
        on
            older.factor = newer.factor
            and older.month_end = newer.month_end
            and older.vintage < newer.vintage
    where
        older.source = 'library'
        and newer.source = 'library'
        and older.ret is not null
        and newer.ret is not null
    window pair as (partition by older.factor, older.vintage, newer.vintage)
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
