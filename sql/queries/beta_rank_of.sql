-- Grain: one row per month.
-- How did the betas of one company, and its place among all stocks, evolve?
-- Edit ticker, e.g. 'AAPL'; as shipped it is that of the stock with the highest beta_hml today. The
-- whole history of the security that has the ticker today is listed, also under earlier tickers.
-- Place 1 of so many stocks is the highest beta; equal betas share a place. stock_type goes by the
-- signs of beta_smb and beta_hml. Known at the END of month_end.
with settings as (
    select
        (
            select max_by(stock_month.ticker, exposure.percentile_hml)
            from risk.exposure
            inner join panel.security_month as stock_month
                on
                    exposure.security_id = stock_month.security_id
                    and exposure.month_end = stock_month.month_end
            where exposure.month_end = (
                select max(ranked.month_end)
                from risk.exposure as ranked
                where ranked.stocks > 0
            )
        ) as ticker
),

wanted as (
    select security.security_id
    from panel.security
    inner join settings
        on security.ticker = settings.ticker
    order by security.valid_to desc, security.security_id asc
    limit 1
)

select
    stock_month.ticker,
    exposure.month_end,
    exposure.model,
    exposure.stock_type,
    beta.beta_mkt,
    exposure.rank_mkt as place_mkt,
    beta.beta_smb,
    exposure.rank_smb as place_smb,
    beta.beta_hml,
    exposure.rank_hml as place_hml,
    exposure.stocks
from wanted
inner join risk.exposure
    on wanted.security_id = exposure.security_id
inner join risk.rolling_beta as beta
    on
        exposure.security_id = beta.security_id
        and exposure.month_end = beta.month_end
        and exposure.model = beta.model
inner join panel.security_month as stock_month
    on
        exposure.security_id = stock_month.security_id
        and exposure.month_end = stock_month.month_end
order by exposure.month_end
