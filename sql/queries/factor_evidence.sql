-- Grain: one row per factor, source and vintage.
-- Which factor premia are more than chance?
-- Own factors, and the library's in the newest vintage of each. annual_return is 12 times the mean
-- month; t is Newey-West's with nw_lag lags. verdict allows for the number of factors tested
-- together: significant keeps false discoveries below 5 %. A premium that is there in one half of
-- the months only is weak evidence, whatever its t.
with newest as (
    select
        source,
        factor,
        max(vintage) as vintage
    from factor.statistics
    group by source, factor
),

chosen as (
    select factor_statistics.*
    from factor.statistics as factor_statistics
    inner join newest
        on
            factor_statistics.source = newest.source
            and factor_statistics.factor = newest.factor
            and factor_statistics.vintage is not distinct from newest.vintage
)

select
    whole.factor,
    whole.source,
    whole.vintage,
    whole.first_month,
    whole.last_month,
    whole.months,
    whole.annual_return,
    whole.sharpe,
    whole.max_drawdown,
    whole.t_newey_west as t,
    whole.nw_lag,
    whole.p_adjusted,
    whole.verdict,
    first_half.annual_return as annual_return_first_half,
    second_half.annual_return as annual_return_second_half
from chosen as whole
left join chosen as first_half
    on
        whole.source = first_half.source
        and whole.factor = first_half.factor
        and first_half.period = 'first_half'
left join chosen as second_half
    on
        whole.source = second_half.source
        and whole.factor = second_half.factor
        and second_half.period = 'second_half'
where whole.period = 'full'
order by whole.factor asc, whole.source desc
