-- Grain: one row per stock.
-- What does the strategy hold now, since when, and how did it do this month?
-- The close of the newest month of the backtest: weight is a share of the strategy's capital after
-- the month's returns, negative for a short position. held_since is the first month of the present
-- stay. Ticker, company and sector are the latest known. The signals are those the month began
-- with. Trades of the month to come are not in it yet.
with settings as (
    select 'value' as strategy
),

newest as (
    select
        holding.strategy,
        max(holding.month_end) as month_end
    from backtest.holding
    inner join settings
        on holding.strategy = settings.strategy
    group by holding.strategy
),

stays as (
    select
        holding.security_id,
        max(holding.month_end) as held_since
    from backtest.holding
    inner join newest
        on holding.strategy = newest.strategy
    where holding.status = 'entered'
    group by holding.security_id
),

names as (
    select
        security_id,
        max_by(ticker, valid_from) as ticker,
        max_by(name, valid_from) as company,
        max_by(sector, valid_from) as sector
    from panel.security
    group by security_id
)

select
    names.ticker,
    names.company,
    names.sector,
    holding.closing_weight as weight,
    stays.held_since,
    holding.ret,
    security_month.market_equity,
    characteristic.book_to_market,
    characteristic.momentum_12_2,
    holding.month_end
from newest
inner join backtest.holding
    on
        newest.strategy = holding.strategy
        and newest.month_end = holding.month_end
inner join stays
    on holding.security_id = stays.security_id
inner join names
    on holding.security_id = names.security_id
left join panel.security_month
    on
        holding.security_id = security_month.security_id
        and holding.month_end = security_month.month_end
left join signal.characteristic
    on
        holding.security_id = characteristic.security_id
        and holding.month_end = characteristic.month_end
where holding.closing_weight <> 0
order by holding.closing_weight desc, holding.security_id asc
