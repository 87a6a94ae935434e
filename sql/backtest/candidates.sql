-- Grain: one row per (security_id, month_end).
-- Stocks that strategies choose from: all signals known before the month, market equity, dollar
-- volume, exchange, sector and index membership at the end of the month before. The sector is that
-- of the ticker then; of a vendor who gives one per stock it is today's.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
select
    characteristic.*,  -- noqa: AM04
    month_before.market_equity as lagged_market_equity,
    month_before.dollar_volume as lagged_dollar_volume,
    month_before.exchange,
    month_before.index_member as member,
    spells.sector
from signal.characteristic
inner join panel.security_month as month_before
    on
        characteristic.security_id = month_before.security_id
        and month_before.month_end = last_day(characteristic.month_end - interval 1 month)
asof left join panel.security as spells
    on
        characteristic.security_id = spells.security_id
        and month_before.month_end >= spells.valid_from
where
    characteristic.month_end >= $month_start
    and characteristic.month_end < $month_end
order by characteristic.month_end, characteristic.security_id
