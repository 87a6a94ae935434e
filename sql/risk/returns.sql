-- Grain: one row per (security_id, month_end).
-- Returns the rolling betas are estimated from, NULL where missing.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    security_id,
    month_end,
    ret
from panel.security_month
where
    month_end >= $month_start
    and month_end < $month_end
order by month_end, security_id
