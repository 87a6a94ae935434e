-- Grain: one row per strategy and beta.
-- Betas of what each strategy holds, known before the month: mean of its months, and newest month.
with betas as (
    unpivot backtest.exposure
    on columns('^beta_')
    into name loading value beta
)

select
    strategy,
    model,
    loading,
    avg(beta) as mean_beta,
    arg_max(beta, month_end) as newest_beta,
    min(month_end) as first_month,
    max(month_end) as last_month
from betas
group by strategy, model, loading
order by strategy, model, loading
