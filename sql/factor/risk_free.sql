-- Grain: one row per month.
-- Risk-free rate of a library vintage.
-- Parameters: $vintage.
select
    month_end,
    ret as rf
from factor.factor_return
where
    source = 'library'
    and factor = 'RF'
    and vintage = $vintage
order by month_end
