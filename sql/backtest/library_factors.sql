-- Grain: one row per (month_end, factor).
-- The library's value and momentum factors, of the chosen vintage ('latest': the newest one).
-- Parameters: $vintage.
select
    month_end,
    factor,
    ret
from factor.factor_return
where
    source = 'library'
    and factor in ('HML', 'UMD')
    and vintage = case
        when $vintage = 'latest'
            then (
                select max(editions.vintage)
                from factor.factor_return as editions
                where editions.source = 'library' and editions.factor = 'RF'
            )
        else $vintage
    end
order by month_end, factor
