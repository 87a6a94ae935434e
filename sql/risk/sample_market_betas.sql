-- Grain: one row per (security_id, month_end) of a sample.
-- Some of the rows with all figures. A hash orders the rows, so that the sample is random and yet
-- the same whenever the months are built.
-- Parameters: $rows, $month_start (inclusive), $month_end (exclusive).
select
    security_id,
    month_end,
    beta_dimson,
    n_dimson,
    beta_frazzini_pedersen,
    correlation,
    n_correlation,
    volatility_252d,
    n_volatility
from risk.market_beta
where
    month_end >= $month_start
    and month_end < $month_end
    and beta_dimson is not null
    and beta_frazzini_pedersen is not null
    and volatility_252d is not null
order by md5(concat_ws(' ', security_id, month_end))
limit $rows
