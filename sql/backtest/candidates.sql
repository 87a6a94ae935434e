-- Grain: one row per (security_id, month_end).
-- Stocks that strategies choose from: all signals known before the month, market equity, dollar
-- volume, exchange and index membership at the end of the month before. The sector is the latest
-- known: vendors do not say what it was.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with sectors as (
    select
        security_id,
        arg_max(sector, valid_from) as sector
    from panel.security
    group by security_id
)

select
    characteristic.*,  -- noqa: AM04
    month_before.market_equity as lagged_market_equity,
    month_before.dollar_volume as lagged_dollar_volume,
    month_before.exchange,
    month_before.index_member as member,
    sectors.sector
from signal.characteristic
inner join panel.security_month as month_before
    on
        characteristic.security_id = month_before.security_id
        and month_before.month_end = last_day(characteristic.month_end - interval 1 month)
left join sectors
    on characteristic.security_id = sectors.security_id
where
    characteristic.month_end >= $month_start
    and characteristic.month_end < $month_end
order by characteristic.month_end, characteristic.security_id
