-- Grain: one row per claim and source.
-- What is commonly said of factors in regimes (final), and what the data say of it.
select
    source,
    vintage,
    regime,
    effect,
    exposure,
    factor,
    months,
    difference_t,
    verdict,
    difference * 12 as annual_difference
from factor.regime_claim
where variant = 'final'
order by source desc, regime asc, effect asc, exposure asc
