-- Grain: one row per strategy.
-- Which strategy did best over the months all of them were running?
-- Comparing strategies over windows of different lengths is the classic mistake: momentum can start
-- years before value, and what they earned then differs by the market, not by skill. So months in
-- which any of them has no return are left out for all (months_left_out). Net of costs; annual_mean
-- is 12 times the mean month, Sharpe is over the Treasury bill. backtest.summary has each strategy
-- over its own months. Narrow strategy_pattern to compare fewer over a longer window.
with settings as (
    select '%' as strategy_pattern
),

chosen as (
    select
        backtest_return.strategy,
        backtest_return.month_end,
        backtest_return.net
    from backtest.backtest_return
    inner join settings
        on backtest_return.strategy like settings.strategy_pattern
    where backtest_return.net is not null
),

common as (
    select month_end
    from chosen
    group by month_end
    having count(*) = (select count(distinct every.strategy) from chosen as every)
),

treasury_bills as (
    select
        month_end,
        max(cash_ret) as rf
    from backtest.backtest_return
    group by month_end
),

wealth as (
    select
        chosen.strategy,
        chosen.month_end,
        chosen.net,
        chosen.net - treasury_bills.rf as excess,
        product(1 + chosen.net) over (
            partition by chosen.strategy
            order by chosen.month_end
        ) as level_now
    from common
    inner join chosen
        on common.month_end = chosen.month_end
    inner join treasury_bills
        on common.month_end = treasury_bills.month_end
),

below_high as (
    select
        *,
        level_now / greatest(
            1, max(level_now) over (partition by strategy order by month_end)
        ) - 1 as drawdown
    from wealth
),

own_months as (
    select
        strategy,
        count(*) as months
    from chosen
    group by strategy
)

select
    below_high.strategy,
    min(below_high.month_end) as first_month,
    max(below_high.month_end) as last_month,
    count(*) as months,
    own_months.months - count(*) as months_left_out,
    product(1 + below_high.net) - 1 as total_return,
    pow(product(1 + below_high.net), 12 / count(*)) - 1 as cagr,
    avg(below_high.net) * 12 as annual_mean,
    stddev_samp(below_high.net) * sqrt(12) as volatility,
    case
        when count(below_high.excess) = count(*)
            then
                avg(below_high.excess) / nullif(stddev_samp(below_high.excess), 0) * sqrt(12)
    end as sharpe,
    least(0, min(below_high.drawdown)) as max_drawdown
from below_high
inner join own_months
    on below_high.strategy = own_months.strategy
group by below_high.strategy, own_months.months
order by sharpe desc nulls last, below_high.strategy asc
