-- Grain: one row per factor and calendar year.
-- What did each factor return in each calendar year?
-- Months compounded (decimal); a year with fewer than 12 months is not a year's return, so look at
-- months. RF is the Treasury bill. Edit factor_source to 'library' for the published factors, each
-- in its newest vintage.
with settings as (
    select 'own' as factor_source
),

newest as (
    select
        factor,
        source,
        max(vintage) as vintage
    from factor.factor_return
    group by factor, source
)

select
    factor_return.factor,
    newest.vintage,
    year(factor_return.month_end) as calendar_year,
    count(factor_return.ret) as months,
    product(1 + factor_return.ret) - 1 as ret,
    max(factor_return.ret) as best_month,
    min(factor_return.ret) as worst_month
from factor.factor_return
inner join settings
    on factor_return.source = settings.factor_source
inner join newest
    on
        factor_return.factor = newest.factor
        and factor_return.source = newest.source
        and coalesce(factor_return.vintage, '') = coalesce(newest.vintage, '')
where factor_return.ret is not null
group by factor_return.factor, newest.vintage, calendar_year
order by factor_return.factor asc, calendar_year desc
