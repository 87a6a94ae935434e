-- Grain: one row per strategy and month.
-- How much does each strategy trade, and what does trading cost it?
-- turnover is one-way: half of what was bought and sold, as a share of the capital; cost is what
-- both sides cost, taken from the return at the start of the month. Between rebalances both are 0:
-- what is left of a stock that leaves the market stays in cash, at no cost, until the next one.
-- The year_* columns sum this month and the eleven before it, NULL until the strategy is a year
-- old. The benchmark does not trade.
select
    strategy,
    month_end,
    rebalanced,
    n as stocks,
    turnover,
    cost,
    gross,
    net,
    case when count(turnover) over last_year = 12 then sum(turnover) over last_year end
        as year_turnover,
    case when count(cost) over last_year = 12 then sum(cost) over last_year end as year_cost
from backtest.backtest_return
where strategy <> 'benchmark'
window
    last_year as (
        partition by strategy
        order by month_end
        range between interval 11 months preceding and current row
    )
order by strategy, month_end
