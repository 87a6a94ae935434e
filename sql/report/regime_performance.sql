-- Grain: one row per factor, source, vintage and regime.
-- What each factor returned in each regime of the business cycle, as known afterwards (final).
-- The risk-free rate is no factor.
select
    factor,
    source,
    vintage,
    regime,
    months,
    first_month,
    last_month,
    annual_mean,
    t,
    difference_t
from factor.regime_performance
where
    variant = 'final'
    and factor <> 'RF'
    and annual_mean is not null
order by factor asc, source desc, vintage asc, regime asc
