-- Grain: one row per strategy and month with a return.
-- Wealth, drawdown and the last three years of each strategy, net of costs. growth starts at 1 for
-- all when the youngest strategy does, NULL before; drawdown is from the strategy's own high.
-- rolling_sharpe (over the Treasury bill) and rolling_beta (excess return on that of the strategy
-- called benchmark, whatever a strategy names as its own) take
-- this month and the 35 before it, and are NULL when one of them lacks. year_return compounds the
-- months of the calendar year there are.
with known as (
    select
        strategy,
        month_end,
        net,
        product(1 + net) over (partition by strategy order by month_end) as wealth
    from backtest.backtest_return
    where net is not null
),

treasury_bills as (
    select
        month_end,
        max(cash_ret) as rf
    from backtest.backtest_return
    group by month_end
),

benchmark as (
    select
        month_end,
        net
    from known
    where strategy = 'benchmark'
),

young as (
    select max(begun.first_month) as first_month
    from (
        select min(month_end) as first_month
        from known
        group by strategy
    ) as begun
),

over_cash as (
    select
        known.*,
        known.net - treasury_bills.rf as over_bills,
        benchmark.net - treasury_bills.rf as benchmark_over_bills
    from known
    inner join treasury_bills
        on known.month_end = treasury_bills.month_end
    left join benchmark
        on known.month_end = benchmark.month_end
)

select
    over_cash.strategy,
    over_cash.month_end,
    over_cash.net,
    case
        when over_cash.month_end >= young.first_month
            then product(1 + over_cash.net) over (
                partition by over_cash.strategy, over_cash.month_end >= young.first_month
                order by over_cash.month_end
            )
    end as growth,
    over_cash.wealth / greatest(
        1, max(over_cash.wealth) over (partition by over_cash.strategy order by over_cash.month_end)
    ) - 1 as drawdown,
    case
        when count(over_cash.over_bills) over three_years = 36
            then
                avg(over_cash.over_bills) over three_years
                / nullif(stddev_samp(over_cash.over_bills) over three_years, 0) * sqrt(12)
    end as rolling_sharpe,
    case
        when
            over_cash.strategy != 'benchmark'
            and count(over_cash.over_bills + over_cash.benchmark_over_bills) over three_years = 36
            then
                covar_samp(over_cash.over_bills, over_cash.benchmark_over_bills) over three_years
                / nullif(var_samp(over_cash.benchmark_over_bills) over three_years, 0)
    end as rolling_beta,
    product(1 + over_cash.net) over (
        partition by over_cash.strategy, year(over_cash.month_end)
    ) - 1 as year_return
from over_cash
cross join young
window
    three_years as (
        partition by over_cash.strategy
        order by over_cash.month_end
        range between interval 35 months preceding and current row
    )
order by over_cash.strategy, over_cash.month_end
