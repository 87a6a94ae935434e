-- Grain: one row per month and stock type.
-- How many stocks, and how much of the market, behave like small or large, growth or value stocks?
-- By the signs of beta_smb and beta_hml: how the returns of a stock move, not how large or cheap
-- the company is. Stocks without betas are not counted. share_of_market weights by market equity
-- (USD) and is NULL in months in which fewer than half of the stocks have one. Known at the END of
-- month_end.
with typed as (
    select
        exposure.month_end,
        exposure.stock_type,
        count(*) as stocks,
        count(stock_month.market_equity) as with_market_equity,
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
    with_market_equity,
    market_equity,
    stocks / sum(stocks) over (partition by month_end) as share_of_stocks,
    if(
        sum(with_market_equity) over (partition by month_end)
        >= 0.5 * sum(stocks) over (partition by month_end),
        market_equity / sum(market_equity) over (partition by month_end),
        null
    ) as share_of_market
from typed
order by month_end desc, stock_type asc
