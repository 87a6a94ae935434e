-- Grain: one row per claim and source.
-- Does what is said about factors in regimes hold in the data?
-- difference is the mean return of the exposure in the regime less that of all other months (12
-- times, decimal per year), once in regimes known before each month began (real_time), once as
-- history knows them (final). Supported: the claimed sign and a t beyond 1.65. A claim on growth is
-- one on value turned round, so it is no second piece of evidence.
select
    real_time.regime,
    real_time.effect,
    real_time.exposure,
    real_time.source,
    real_time.factor,
    real_time.vintage,
    real_time.months as real_time_months,
    real_time.difference_t as real_time_t,
    real_time.verdict as real_time_verdict,
    final.months as final_months,
    final.difference_t as final_t,
    final.verdict as final_verdict,
    real_time.difference * 12 as real_time_difference,
    final.difference * 12 as final_difference
from factor.regime_claim as real_time
inner join factor.regime_claim as final
    on
        real_time.source = final.source
        and real_time.regime = final.regime
        and real_time.exposure = final.exposure
        and real_time.variant = 'real_time'
        and final.variant = 'final'
order by real_time.source, real_time.regime, real_time.effect, real_time.exposure
