-- Grain: one row per (model, reason).
-- Rows without estimates and why, beside the rows with estimates (reason NULL).
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    model,
    reason,
    count(*) as stock_months
from risk.rolling_beta
where
    month_end >= $month_start
    and month_end < $month_end
group by model, reason
order by model, reason nulls first
