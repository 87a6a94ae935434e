-- Grain: one row per (strategy, security_id, month_end).
-- What each strategy holds in a month, with the betas known at the end of the month before, NULL
-- where there are none.
-- Parameters: $model, $month_start (inclusive), $month_end (exclusive).
select
    holding.strategy,
    holding.security_id,
    holding.month_end,
    holding.weight,
    beta.beta_mkt,
    beta.beta_smb,
    beta.beta_hml,
    beta.beta_umd,
    beta.beta_rmw,
    beta.beta_cma
from backtest.holding
left join risk.rolling_beta as beta
    on
        holding.security_id = beta.security_id
        and beta.month_end = last_day(holding.month_end - interval 1 month)
        and beta.model = $model
where
    holding.month_end >= $month_start
    and holding.month_end < $month_end
    and holding.weight <> 0
order by holding.strategy, holding.month_end, holding.security_id
