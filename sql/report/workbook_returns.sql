-- Grain: one row per strategy and month with a return.
-- What a net return is made of: net = (1 - cost)(1 + gross - holding_cost) - 1. cost follows from
-- the notional traded; holding_cost is what is paid at the month's end whatever is traded, such as
-- fees on shorts.
select
    strategy,
    month_end,
    gross,
    cost,
    net,
    turnover * 2 as traded,
    case
        when cost < 1 then gross - ((1 + net) / (1 - cost) - 1)
        else 0
    end as holding_cost
from backtest.backtest_return
where
    net is not null
    and gross is not null
    and turnover is not null
order by strategy, month_end
