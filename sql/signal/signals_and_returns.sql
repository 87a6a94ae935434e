-- Grain: one row per (security_id, month_end).
-- All signals known before the month, beside the return of the month; NULL where there is none.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    characteristic.*,  -- noqa: AM04
    security_month.ret
from signal.characteristic
left join panel.security_month
    on
        characteristic.security_id = security_month.security_id
        and characteristic.month_end = security_month.month_end
where
    characteristic.month_end >= $month_start
    and characteristic.month_end < $month_end
