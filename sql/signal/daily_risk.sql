-- Grain: one row per (security_id, month_end).
-- Beta and volatilities from daily returns, known at the END of month_end: signals of the month
-- after use them. A month with one of the estimates only has a row, with NULL for the other.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with market_beta as (
    select
        security_id,
        month_end,
        beta_frazzini_pedersen,
        volatility_252d
    from risk.market_beta
    where
        month_end >= $month_start
        and month_end < $month_end
),

three_factors as (
    select
        security_id,
        month_end,
        residual_volatility
    from risk.daily_beta
    where
        month_end >= $month_start
        and month_end < $month_end
        and model = 'FF3'
)

select
    market_beta.beta_frazzini_pedersen as beta,
    market_beta.volatility_252d,
    three_factors.residual_volatility as idiosyncratic_volatility,
    coalesce(market_beta.security_id, three_factors.security_id) as security_id,
    coalesce(market_beta.month_end, three_factors.month_end) as month_end
from market_beta
full outer join three_factors
    on
        market_beta.security_id = three_factors.security_id
        and market_beta.month_end = three_factors.month_end
order by security_id, month_end
