-- Grain: one row per stock and month in which the strategy parted with it.
-- Which stocks left the strategy, why, and what had they returned?
-- why is 'rebalance' when the stock was sold at the start of the month, as it no longer ranked high
-- enough or left the index; else it left the market, for the reason in the survivorship ledger
-- (merger, performance, no return ...); a halt is no departure. weight is its share of the capital
-- before it left, below 0 for a short position. stock_return compounds the stock's own returns from
-- held_since on, without months that have none; final_return is that of the month of leaving the
-- market.
with settings as (
    select 'value' as strategy
),

stays as (
    select
        holding.*,
        -- A stock that enters and leaves the market in one month has the status 'exited'.
        count(*) filter (holding.weight <> 0 and holding.drifted_weight = 0) over (
            partition by holding.security_id
            order by holding.month_end
        ) as stay
    from backtest.holding
    inner join settings
        on holding.strategy = settings.strategy
),

returns as (
    select
        security_id,
        stay,
        min(month_end) as held_since,
        count(*) filter (status <> 'sold') as months_held,
        product(1 + ret) - 1 as stock_return
    from stays
    group by security_id, stay
),

names as (
    select
        security_id,
        max_by(ticker, valid_from) as ticker,
        max_by(name, valid_from) as company
    from panel.security
    group by security_id
)

select
    names.ticker,
    names.company,
    stays.month_end,
    returns.held_since,
    returns.months_held,
    returns.stock_return,
    ledger.ret as final_return,
    coalesce(ledger.reason, 'rebalance') as why,
    case when ledger.reason is null then stays.drifted_weight else stays.weight end as weight
from stays
inner join returns
    on
        stays.security_id = returns.security_id
        and stays.stay = returns.stay
inner join names
    on stays.security_id = names.security_id
left join backtest.ledger
    on
        stays.strategy = ledger.strategy
        and stays.security_id = ledger.security_id
        and stays.month_end = ledger.month_end
where stays.status in ('sold', 'exited')
order by stays.month_end desc, names.ticker asc, stays.security_id asc
