-- Grain: one row per security and month.
-- How did the market equity of one company evolve?
-- Edit ticker, e.g. 'AAPL'; as shipped it is that of the largest stock today. The whole history of
-- the security that has the ticker today is listed, also under earlier tickers. Price (USD) and
-- shares are on the split basis of their month: only their product compares over time.
-- firm_market_equity adds the firm's other share classes. flags tells when the count is stale.
with settings as (
    select
        (
            select max_by(ticker, market_equity)
            from panel.security_month
            where month_end = (
                select max(sized.month_end)
                from panel.security_month as sized
                where sized.market_equity is not null
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
    security_month.ticker,
    security_month.month_end,
    security_month.price,
    security_month.shares,
    security_month.market_equity,
    security_month.firm_market_equity,
    security_month.ret,
    security_month.flags
from panel.security_month
inner join wanted
    on security_month.security_id = wanted.security_id
order by security_month.month_end
