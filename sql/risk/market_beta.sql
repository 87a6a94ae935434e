-- Grain: one row per month.
-- Value-weighted mean of the CAPM betas, weights at the end of the same month.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    beta.month_end,
    count(*) as stocks,
    sum(beta.beta_mkt * stock_month.market_equity) / sum(stock_month.market_equity) as market_beta
from risk.rolling_beta as beta
inner join panel.security_month as stock_month
    on beta.security_id = stock_month.security_id and beta.month_end = stock_month.month_end
where
    beta.month_end >= $month_start
    and beta.month_end < $month_end
    and beta.model = 'CAPM'
    and beta.beta_mkt is not null
    and stock_month.market_equity > 0
group by beta.month_end
order by beta.month_end
