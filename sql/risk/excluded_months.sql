-- Grain: one row per (security_id, month_end).
-- Months that the settings leave out: none of their days has a return either.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    security_id,
    month_end
from panel.security_month
where
    month_end >= $month_start
    and month_end < $month_end
    and list_contains(string_split(flags, ','), 'excluded')
