-- Grain: one row per strategy and reason.
-- Holdings that left the market: how many, with which mean return.
select
    strategy,
    reason,
    count(*) as departures,
    count(ret) as with_return,
    avg(ret) as mean_return
from backtest.ledger
group by strategy, reason
order by strategy, reason
