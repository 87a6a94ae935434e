-- Grain: one row per factor.
-- What has each factor returned per year in each regime of the business cycle?
-- Annual means (decimal); NULL with fewer than 12 months. t_ columns are those of the difference
-- from all other months (Newey-West): beyond 2 either way a difference is hard to explain by
-- chance, but look at 4 regimes and 10 factors and two of them will be. Edit variant to 'final' for
-- the regimes as history knows them, which nobody could trade on, and source to 'own'; library
-- factors are of their newest vintage.
with settings as (
    select
        'library' as source,  -- noqa: RF04
        'real_time' as variant
),

newest as (
    select
        performance.*,
        max(performance.vintage) over (partition by performance.factor) as newest_vintage
    from factor.regime_performance as performance
    inner join settings
        on
            performance.source = settings.source
            and performance.variant = settings.variant
)

select
    factor,
    vintage,
    min(first_month) as first_month,
    max(last_month) as last_month,
    max(annual_mean) filter (regime = 'expansion') as expansion,
    max(annual_mean) filter (regime = 'late cycle') as late_cycle,
    max(annual_mean) filter (regime = 'recession') as recession,
    max(annual_mean) filter (regime = 'recovery') as recovery,
    max(difference_t) filter (regime = 'expansion') as t_expansion,
    max(difference_t) filter (regime = 'late cycle') as t_late_cycle,
    max(difference_t) filter (regime = 'recession') as t_recession,
    max(difference_t) filter (regime = 'recovery') as t_recovery
from newest
where coalesce(vintage, '') = coalesce(newest_vintage, '')
group by factor, vintage
order by factor
