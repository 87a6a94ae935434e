-- Grain: one row per (security_id, month_end, model) of a sample.
-- Some of the estimates from daily returns. A hash orders the rows, so that the sample is random
-- and yet the same whenever the months are built.
-- Parameters: $rows, $month_start (inclusive), $month_end (exclusive).
select
    security_id,
    month_end,
    model,
    alpha,
    beta_mkt,
    beta_smb,
    beta_hml,
    se_alpha,
    se_mkt,
    r2,
    residual_volatility,
    n
from risk.daily_beta
where
    month_end >= $month_start
    and month_end < $month_end
    and reason is null
order by md5(concat_ws(' ', security_id, month_end, model))
limit $rows
