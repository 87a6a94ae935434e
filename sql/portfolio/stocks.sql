-- Grain: one row per (security_id, month_end).
-- Stocks to sort, to weight and to trade: every signal, known before the month, market equity,
-- exchange and index membership at the end of the month before, the volume of that month, and the
-- return of the month itself.
-- A new column of signal.characteristic is here at once, to be sorted and traded on.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    characteristic.*,  -- noqa: AM04
    this_month.ret,
    month_before.market_equity as lagged_market_equity,
    month_before.dollar_volume as lagged_dollar_volume,
    month_before.exchange,
    month_before.index_member as member
from signal.characteristic
inner join panel.security_month as month_before
    on
        characteristic.security_id = month_before.security_id
        and month_before.month_end = last_day(characteristic.month_end - interval 1 month)
left join panel.security_month as this_month
    on
        characteristic.security_id = this_month.security_id
        and characteristic.month_end = this_month.month_end
where
    characteristic.month_end >= $month_start
    and characteristic.month_end < $month_end
order by characteristic.month_end, characteristic.security_id
