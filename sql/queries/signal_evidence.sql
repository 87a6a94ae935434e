-- Grain: one row per signal.
-- Which signals foretell returns, by every way to ask?
-- ic is the mean rank correlation with the returns of the month after the signal is known; spread
-- what the highest decile earned over the lowest per year, value weighted, before costs, with its
-- average one-way turnover per month (both sides); slope what the highest rank earned over the
-- lowest per month (Fama and MacBeth). t are Newey-West's. The verdicts allow for all signals, or
-- spreads, that are tested together. Signs differ by design: low size and low reversal pay.
with spreads as (
    select
        annual_return,
        t_newey_west,
        verdict,
        replace(sort, '_decile', '') as signal_name
    from portfolio.spread_statistics
    where
        period = 'full'
        and weighting = 'value'
        and ends_with(sort, '_decile')
),

trades as (
    select
        replace(sort, '_decile', '') as signal_name,
        avg(turnover) as turnover
    from portfolio.portfolio_return
    where
        weighting = 'value'
        and cell = 'D10-D01'
    group by sort
),

slopes as (
    select
        term as signal_name,
        mean,
        t_newey_west
    from factor.fama_macbeth
    where
        assets = 'stocks'
        and term = specification
)

select
    information.signal as signal_name,
    information.first_month,
    information.last_month,
    information.months,
    information.average_stocks,
    information.mean as ic,
    information.t_newey_west as ic_t,
    information.verdict as ic_verdict,
    spreads.annual_return as spread,
    spreads.t_newey_west as spread_t,
    spreads.verdict as spread_verdict,
    trades.turnover as spread_turnover,
    slopes.mean as slope,
    slopes.t_newey_west as slope_t
from signal.information_summary as information
left join spreads
    on information.signal = spreads.signal_name
left join trades
    on information.signal = trades.signal_name
left join slopes
    on information.signal = slopes.signal_name
order by abs(information.t_newey_west) desc nulls last, information.signal
