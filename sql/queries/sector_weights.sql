-- Grain: one row per month and sector.
-- Which sectors has the strategy been betting on?
-- Weights after trading at the start of the month, as shares of the strategy's capital: long_weight
-- and short_weight (below 0) apart, weight their sum. What is missing to 1 is cash. Sectors are
-- those of today, also for the past.
with settings as (
    select 'value' as strategy
),

names as (
    select
        security_id,
        max_by(sector, valid_from) as sector
    from panel.security
    group by security_id
)

select
    holding.month_end,
    coalesce(names.sector, 'unknown') as sector,
    count(*) as stocks,
    sum(holding.weight) as weight,
    coalesce(sum(holding.weight) filter (holding.weight > 0), 0) as long_weight,
    coalesce(sum(holding.weight) filter (holding.weight < 0), 0) as short_weight
from backtest.holding
inner join settings
    on holding.strategy = settings.strategy
inner join names
    on holding.security_id = names.security_id
where holding.weight <> 0
group by all
order by holding.month_end desc, weight desc, sector asc
