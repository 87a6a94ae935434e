-- Grain: one row per month.
-- Risk-free rate of the chosen library vintage ('latest': the newest one that has it).
-- Parameters: $vintage.
select
    month_end,
    ret as rf
from factor.factor_return
where
    source = 'library'
    and factor = 'RF'
    and vintage = case
        when $vintage = 'latest'
            then (
                select max(editions.vintage)
                from factor.factor_return as editions
                where editions.source = 'library' and editions.factor = 'RF'
            )
        else $vintage
    end
order by month_end
