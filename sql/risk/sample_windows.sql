-- Grain: one row per sampled (security_id, month_end, model) and month of its window with a return.
-- Estimates of some rows with the returns they were made from. A hash orders the rows, so that the
-- sample is random and yet the same whenever the months are built.
-- Parameters: $rows, $window_months, $month_start (inclusive), $month_end (exclusive).
with sampled as (
    select
        *,
        last_day(month_end - to_months(cast($window_months as integer))) as window_before
    from risk.rolling_beta
    where
        month_end >= $month_start
        and month_end < $month_end
        and reason is null
    order by md5(concat_ws(' ', security_id, month_end, model))
    limit $rows
)

select
    sampled.security_id,
    sampled.month_end as last_month,
    sampled.model,
    sampled.alpha,
    sampled.beta_mkt,
    sampled.se_alpha,
    sampled.se_mkt,
    sampled.r2,
    sampled.residual_volatility,
    sampled.n,
    stock_month.month_end,
    stock_month.ret
from panel.security_month as stock_month
inner join sampled
    on
        stock_month.security_id = sampled.security_id
        and stock_month.month_end <= sampled.month_end
        and stock_month.month_end > sampled.window_before
where stock_month.ret is not null
order by sampled.security_id, sampled.month_end, sampled.model, stock_month.month_end
