-- Grain: one row per (security_id, month_end).
-- Betas of one model, of the stocks that are still listed at the end of the month (one that has
-- left cannot be bought any more); NULL where there are none.
-- Parameters: $model, $month_start (inclusive), $month_end (exclusive).
select
    beta.security_id,
    beta.month_end,
    beta.model,
    beta.beta_mkt,
    beta.beta_smb,
    beta.beta_hml,
    beta.beta_umd,
    beta.beta_rmw,
    beta.beta_cma
from risk.rolling_beta as beta
inner join panel.security_month as stock_month
    on beta.security_id = stock_month.security_id and beta.month_end = stock_month.month_end
where
    beta.model = $model
    and beta.month_end >= $month_start
    and beta.month_end < $month_end
    and stock_month.price is not null
    and not coalesce(list_contains(string_split(stock_month.flags, ','), 'delisted'), false)
order by beta.month_end, beta.security_id
