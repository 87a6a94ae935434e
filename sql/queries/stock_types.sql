-- Grain: one row per month and stock type.
-- How many stocks, and how much of the market, behave like small or large, growth or value stocks?
-- By the signs of beta_smb and beta_hml: how the returns of a stock move, not how large or cheap
-- the company is. Stocks without betas are not counted. share_of_market weights by market equity
-- (USD), which some stocks may lack. Known at the END of month_end.
with typed as (
    select
        exposure.month_end,
        exposure.stock_type,
        count(*) as stocks,
        sum(stock_month.market_equity) as market_equity
    from risk.exposure
    inner join panel.security_month as stock_month
        on
            exposure.security_id = stock_month.security_id
            and exposure.month_end = stock_month.month_end
    where exposure.stock_type is not null
    group by exposure.month_end, exposure.stock_type
)

select
    month_end,
    stock_type,
    stocks,
    market_equity,
    stocks / sum(stocks) over (partition by month_end) as share_of_stocks,
    market_equity / sum(market_equity) over (partition by month_end) as share_of_market
from typed
order by month_end desc, stock_type asc
