-- Grain: one row per strategy and drawdown.
-- How deep and how long were the worst losses of each strategy?
-- From month-end wealth after costs; losses inside a month go deeper:
-- those of frequency 'daily' in backtest.drawdown. depth is a decimal below 0.
-- recovery is NULL while wealth is still below its high; months_below then counts to the strategy's
-- last month. Strategies start at different months: one that began after 2009 never met the crisis.
with settings as (
    select 5 as spells
),

last_months as (
    select
        strategy,
        min(month_end) as strategy_begins,
        max(month_end) as last_month
    from backtest.backtest_return
    where net is not null
    group by strategy
)

select
    drawdown.strategy,
    drawdown.depth,
    drawdown.peak,
    drawdown.trough,
    drawdown.recovery,
    last_months.strategy_begins,
    row_number() over (
        partition by drawdown.strategy
        order by drawdown.depth, drawdown.peak
    ) as place,
    date_diff('month', drawdown.peak, drawdown.trough) as months_falling,
    date_diff(
        'month', drawdown.peak, coalesce(drawdown.recovery, last_months.last_month)
    ) as months_below
from backtest.drawdown
inner join last_months
    on drawdown.strategy = last_months.strategy
cross join settings
where drawdown.frequency = 'monthly'
qualify place <= settings.spells
order by drawdown.strategy, place
