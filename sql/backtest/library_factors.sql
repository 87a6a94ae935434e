-- Grain: one row per (month_end, factor).
-- Value and momentum factors of a library vintage.
-- Parameters: $vintage.
select
    month_end,
    factor,
    ret
from factor.factor_return
where
    source = 'library'
    and factor in ('HML', 'UMD')
    and vintage = $vintage
order by month_end, factor
