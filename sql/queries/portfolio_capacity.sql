-- Grain: one row per spread and weighting.
-- How much money could hold each spread without trading more than a tenth of the market?
-- Capital per side at which the rebalancing of a month is a tenth of what was traded in the stocks
-- of the leg with less volume in the month before: 0.1 x dollar_volume / turnover. Capital that
-- stays within that in all but one of twenty months: a sort formed in June trades in July alone,
-- and its other months would promise hundreds of times what July holds. A hint, not a promise: it
-- takes orders spread evenly over the stocks and no price impact.
with settings as (
    select 0.1 as share_of_volume
),

spreads as (
    select
        portfolio_return.sort,
        portfolio_return.cell,
        portfolio_return.weighting,
        portfolio_return.turnover,
        portfolio_return.dollar_volume,
        settings.share_of_volume * portfolio_return.dollar_volume
        / nullif(portfolio_return.turnover, 0) as capital
    from portfolio.portfolio_return
    cross join settings
    where
        contains(portfolio_return.cell, '-')
        and portfolio_return.dollar_volume is not null
        and portfolio_return.turnover is not null
)

select
    sort,
    weighting,
    count(*) as months,
    avg(turnover) as average_turnover,
    median(dollar_volume) as median_dollar_volume,
    quantile_disc(capital, 0.05) as capital
from spreads
group by sort, weighting
order by capital desc nulls last, sort asc, weighting asc
