-- Grain: one row per factor and month.
-- Which factors have paid over the last three years?
-- 12 times the mean return of this month and the 35 before it (decimal per year), with its plain t,
-- without correction for autocorrelation. Only windows without a missing month. Two windows next to
-- each other share 35 months: a smooth line is no evidence. Edit factor_source to 'library' for the
-- published factors, each in its newest vintage.
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
),

windows as (
    select
        factor_return.factor,
        factor_return.month_end,
        count(*) over three_years as months,
        avg(factor_return.ret) over three_years as mean_month,
        stddev_samp(factor_return.ret) over three_years as deviation
    from factor.factor_return
    inner join settings
        on factor_return.source = settings.factor_source
    inner join newest
        on
            factor_return.factor = newest.factor
            and factor_return.source = newest.source
            and coalesce(factor_return.vintage, '') = coalesce(newest.vintage, '')
    where factor_return.ret is not null
    window
        three_years as (
            partition by factor_return.factor
            order by factor_return.month_end
            range between interval 35 months preceding and current row
        )
)

select
    factor,
    month_end,
    mean_month * 12 as annual_mean,
    mean_month / nullif(deviation, 0) * sqrt(months) as t
from windows
where months = 36
order by factor, month_end
