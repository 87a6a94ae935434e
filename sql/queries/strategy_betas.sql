-- Grain: one row per strategy and coefficient.
-- Which bets on market, size and value does each strategy make?
-- estimate is from its net returns (regression over all months on factor_model, with
-- Newey-West t; alpha is decimal per month), held_mean and held_now are from its holdings: the
-- weighted betas of what it held, over all months and in the newest. Where the two differ, the
-- holdings' past is not their present, or many have no betas (covered_now). The benchmark has no
-- holdings.
with settings as (
    select 'FF3' as factor_model
),

held as (
    select
        exposure.strategy,
        exposure.month_end,
        exposure.covered,
        unnest(['beta_mkt', 'beta_smb', 'beta_hml', 'beta_umd', 'beta_rmw', 'beta_cma'])
            as coefficient,
        unnest([
            exposure.beta_mkt, exposure.beta_smb, exposure.beta_hml,
            exposure.beta_umd, exposure.beta_rmw, exposure.beta_cma
        ]) as beta
    from backtest.exposure
    inner join settings
        on exposure.model = settings.factor_model
),

newest as (
    select
        strategy,
        max(month_end) as month_end
    from held
    group by strategy
),

held_betas as (
    select
        held.strategy,
        held.coefficient,
        avg(held.beta) as held_mean,
        max(held.beta) filter (held.month_end = newest.month_end) as held_now,
        max(held.covered) filter (held.month_end = newest.month_end) as covered_now
    from held
    inner join newest
        on held.strategy = newest.strategy
    group by held.strategy, held.coefficient
)

select
    loading.strategy,
    loading.model,
    loading.coefficient,
    loading.estimate,
    loading.t,
    loading.r2,
    loading.months,
    held_betas.held_mean,
    held_betas.held_now,
    held_betas.covered_now
from backtest.loading
inner join settings
    on loading.model = settings.factor_model
left join held_betas
    on loading.strategy = held_betas.strategy and loading.coefficient = held_betas.coefficient
order by
    loading.strategy,
    list_position(
        ['alpha', 'beta_mkt', 'beta_smb', 'beta_hml', 'beta_umd', 'beta_rmw', 'beta_cma'],
        loading.coefficient
    )
