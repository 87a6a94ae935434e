-- Grain: one row per (vintage, factor, month_end).
-- Monthly factors of every library vintage, under the names the field uses. MKT, HML and RF are
-- taken from the three-factor file; the five-factor file adds RMW, CMA and its own size factor.
with named as (
    select
        date as month_end,
        vintage,
        value as ret,
        case
            when data_set = 'F-F_Research_Data_Factors' and series = 'Mkt-RF' then 'MKT'
            when data_set = 'F-F_Research_Data_Factors' and series in ('SMB', 'HML', 'RF')
                then series
            when data_set = 'F-F_Research_Data_5_Factors_2x3' and series in ('RMW', 'CMA')
                then series
            when data_set = 'F-F_Research_Data_5_Factors_2x3' and series = 'SMB' then 'SMB_FF5'
            when data_set = 'F-F_Momentum_Factor' and series = 'Mom' then 'UMD'
        end as factor
    from raw.french_return
    where frequency = 'monthly'
)

select
    month_end,
    factor,
    'library' as source,  -- noqa: RF04
    vintage,
    ret
from named
where
    factor is not null
    and ret is not null
order by vintage, factor, month_end
