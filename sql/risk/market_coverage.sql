-- Grain: one row per (figure, reason).
-- Rows of risk.market_beta with each figure (reason NULL) and without, and why.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with figures as (
    unpivot (
        select
            coalesce(reason_dimson, '') as beta_dimson,
            coalesce(reason_frazzini_pedersen, '') as beta_frazzini_pedersen,
            coalesce(reason_volatility, '') as volatility_252d
        from risk.market_beta
        where
            month_end >= $month_start
            and month_end < $month_end
    )
    on beta_dimson, beta_frazzini_pedersen, volatility_252d
    into name figure value reason
)

select
    figure,
    nullif(reason, '') as reason,
    count(*) as stock_months
from figures
group by figure, reason
order by figure, reason
