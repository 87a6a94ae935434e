-- Grain: one row per strategy.
-- The figures of backtest.summary side by side, each strategy over its own months, with the dates
-- of its deepest drawdown.
with figures as (
    select
        strategy,
        cast(max(value) filter (where metric = 'months') as integer) as months,
        cast(max(value) filter (where metric = 'alpha_lag') as integer) as alpha_lag,
        max(value) filter (where metric = 'cagr') as cagr,
        max(value) filter (where metric = 'annual_return') as annual_return,
        max(value) filter (where metric = 'volatility') as volatility,
        max(value) filter (where metric = 'sharpe') as sharpe,
        max(value) filter (where metric = 'return_to_risk') as return_to_risk,
        max(value) filter (where metric = 'max_drawdown') as max_drawdown,
        max(value) filter (where metric = 'beta') as beta,
        max(value) filter (where metric = 'alpha') as alpha,
        max(value) filter (where metric = 'alpha_t') as alpha_t,
        max(value) filter (where metric = 'average_turnover') as average_turnover
    from backtest.summary
    group by strategy
),

windows as (
    select
        strategy,
        min(month_end) as first_month,
        max(month_end) as last_month
    from backtest.backtest_return
    where net is not null
    group by strategy
),

deepest as (
    select
        drawdown.strategy,
        drawdown.peak,
        drawdown.trough,
        drawdown.recovery
    from backtest.drawdown
    inner join figures
        on
            drawdown.strategy = figures.strategy
            and drawdown.frequency = 'monthly'
            and abs(drawdown.depth - figures.max_drawdown) < 1e-12
    qualify row_number() over (partition by drawdown.strategy order by drawdown.peak) = 1
)

select
    figures.*,
    windows.first_month,
    windows.last_month,
    deepest.peak,
    deepest.trough,
    deepest.recovery
from figures
left join windows
    on figures.strategy = windows.strategy
left join deepest
    on figures.strategy = deepest.strategy
order by figures.strategy != 'benchmark', figures.strategy
