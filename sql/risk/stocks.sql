-- Grain: one row per (security_id, month_end).
-- Stocks to sort on betas: betas, market equity, exchange and index membership as known at the end
-- of the month BEFORE month_end, when the stock was still listed, and the return of month_end.
-- Parameters: $model, $month_start (inclusive), $month_end (exclusive).
select
    beta.security_id,
    beta.beta_mkt,
    beta.beta_smb,
    beta.beta_hml,
    beta.beta_umd,
    beta.beta_rmw,
    beta.beta_cma,
    this_month.ret,
    month_before.market_equity as lagged_market_equity,
    month_before.exchange,
    month_before.index_member as member,
    last_day(beta.month_end + interval 1 month) as month_end
from risk.rolling_beta as beta
inner join panel.security_month as month_before
    on beta.security_id = month_before.security_id and beta.month_end = month_before.month_end
left join panel.security_month as this_month
    on
        beta.security_id = this_month.security_id
        and this_month.month_end = last_day(beta.month_end + interval 1 month)
where
    beta.model = $model
    and beta.month_end >= cast($month_start as date) - interval 1 month
    and beta.month_end < cast($month_end as date) - interval 1 month
    and month_before.price is not null
    and not coalesce(list_contains(string_split(month_before.flags, ','), 'delisted'), false)
order by month_end, beta.security_id
