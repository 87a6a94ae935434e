-- Grain: one row per (factor, vintage of the portfolios, vintage of the factor).
-- SMB, HML and UMD rebuilt from the library's six portfolios against the library's own factors.
-- Differences are in percentage points, as the files print them with two decimals.
with cells as (
    select
        vintage,
        date,
        max(value) filter (series = 'SMALL LoBM') as small_growth,
        max(value) filter (series = 'ME1 BM2') as small_neutral,
        max(value) filter (series = 'SMALL HiBM') as small_value,
        max(value) filter (series = 'BIG LoBM') as big_growth,
        max(value) filter (series = 'ME2 BM2') as big_neutral,
        max(value) filter (series = 'BIG HiBM') as big_value,
        max(value) filter (series = 'SMALL LoPRIOR') as small_losers,
        max(value) filter (series = 'SMALL HiPRIOR') as small_winners,
        max(value) filter (series = 'BIG LoPRIOR') as big_losers,
        max(value) filter (series = 'BIG HiPRIOR') as big_winners
    from raw.french_return
    where
        data_set in ('6_Portfolios_2x3', '6_Portfolios_ME_Prior_12_2')
        and block = 'Average Value Weighted Returns -- Monthly'
    group by vintage, date
),

rebuilt as (
    select
        vintage,
        date as month_end,
        'SMB' as factor,
        (small_value + small_neutral + small_growth) / 3
        - (big_value + big_neutral + big_growth) / 3 as ret
    from cells
    union all
    select
        vintage,
        date as month_end,
        'HML' as factor,
        (small_value + big_value) / 2 - (small_growth + big_growth) / 2 as ret
    from cells
    union all
    select
        vintage,
        date as month_end,
        'UMD' as factor,
        (small_winners + big_winners) / 2 - (small_losers + big_losers) / 2 as ret
    from cells
)

select
    rebuilt.factor,
    rebuilt.vintage as portfolio_vintage,
    library.vintage as factor_vintage,
    count(*) as months,
    max(abs(rebuilt.ret - library.ret)) * 100 as largest_difference,
    corr(rebuilt.ret, library.ret) as correlation  -- noqa: RF04
from rebuilt
inner join factor.factor_return as library
    on
        rebuilt.month_end = library.month_end
        and rebuilt.factor = library.factor
        and library.source = 'library'
where rebuilt.ret is not null
group by rebuilt.factor, rebuilt.vintage, library.vintage
order by rebuilt.factor, rebuilt.vintage, library.vintage
