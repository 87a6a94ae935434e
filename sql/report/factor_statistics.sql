-- Grain: one row per factor, source and vintage.
-- Statistics of each factor over all its months; verdicts allow for the number of factors tested.
select
    factor,
    source,
    vintage,
    first_month,
    last_month,
    months,
    annual_return,
    volatility,
    sharpe,
    t_newey_west,
    nw_lag,
    max_drawdown,
    p_adjusted,
    verdict
from factor.statistics
where period = 'full'
order by factor asc, source desc, vintage asc
