-- Grain: one row per strategy and security.
-- What each strategy held, or sold, in the newest month of the backtest, the largest first.
with names as (
    select
        security_id,
        max_by(ticker, valid_from) as ticker,
        max_by(name, valid_from) as company,
        max_by(sector, valid_from) as sector
    from panel.security
    group by security_id
)

select
    holding.strategy,
    names.ticker,
    names.company,
    names.sector,
    holding.status,
    holding.drifted_weight,
    holding.weight,
    holding.traded,
    holding.ret,
    holding.closing_weight,
    holding.month_end,
    holding.security_id
from backtest.holding
left join names
    on holding.security_id = names.security_id
where holding.month_end = (select max(newest.month_end) from backtest.holding as newest)
order by holding.strategy asc, holding.weight desc, holding.security_id asc
