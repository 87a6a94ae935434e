-- Grain: one row per factor.
-- How are the factors correlated?
-- Monthly returns over the months in which every factor of the source has one, the same for all
-- pairs. Edit factor_source to 'library' for the published factors, in the newest of the vintages
-- that have most factors. A factor the source does not have is NULL.
with settings as (
    select 'own' as factor_source
),

vintages as (
    select vintage
    from factor.factor_return
    where source = 'library'
    group by vintage
    order by count(distinct factor) desc, vintage desc
    limit 1
),

chosen as (
    select
        factor_return.factor,
        factor_return.month_end,
        factor_return.ret
    from factor.factor_return
    inner join settings
        on factor_return.source = settings.factor_source
    where
        factor_return.ret is not null
        and factor_return.factor in ('CMA', 'HML', 'MKT', 'RMW', 'SMB', 'UMD')
        and (
            factor_return.vintage is null
            or factor_return.vintage = (select vintages.vintage from vintages)
        )
),

complete as (
    select month_end
    from chosen
    group by month_end
    having count(*) = (select count(distinct every.factor) from chosen as every)
),

pairs as (
    select
        this_factor.factor,
        other_factor.factor as other,
        count(*) as months,
        min(complete.month_end) as first_month,
        max(complete.month_end) as last_month,
        nullif(corr(this_factor.ret, other_factor.ret), 'nan') as r
    from complete
    inner join chosen as this_factor
        on complete.month_end = this_factor.month_end
    inner join chosen as other_factor
        on complete.month_end = other_factor.month_end
    group by this_factor.factor, other_factor.factor
)

select
    factor,
    months,
    first_month,
    last_month,
    max(r) filter (other = 'CMA') as cma,
    max(r) filter (other = 'HML') as hml,
    max(r) filter (other = 'MKT') as mkt,
    max(r) filter (other = 'RMW') as rmw,
    max(r) filter (other = 'SMB') as smb,
    max(r) filter (other = 'UMD') as umd
from pairs
group by factor, months, first_month, last_month
order by factor
