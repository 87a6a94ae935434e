-- Grain: one row per stock.
-- Which stocks have the strongest momentum today?
-- Today is the newest month that has the signal. momentum_12_2 compounds the returns of the months
-- t-12 to t-2 (decimal); the month t-1 is left out, as it tends to reverse, and stands beside it as
-- reversal_1. All is known at the end of the month before (known_by): to test the ranking, join
-- returns of the SAME month_end. Market equity is in USD.
with settings as (
    select
        25 as stocks,
        true as members_only,
        (
            select max(month_end)
            from signal.characteristic
            where momentum_12_2 is not null
        ) as month_end
),

names as (
    select
        security_id,
        max_by(name, valid_from) as company,
        max_by(sector, valid_from) as sector
    from panel.security
    group by security_id
)

select
    month_before.ticker,
    names.company,
    names.sector,
    characteristic.momentum_12_2,
    characteristic.reversal_1,
    month_before.price,
    characteristic.size as firm_market_equity,
    month_before.month_end as known_by,
    characteristic.month_end,
    row_number() over (
        order by characteristic.momentum_12_2 desc, characteristic.security_id asc
    ) as place
from settings
inner join signal.characteristic
    on settings.month_end = characteristic.month_end
inner join panel.security_month as month_before
    on
        characteristic.security_id = month_before.security_id
        and month_before.month_end = last_day(characteristic.month_end - interval 1 month)
inner join names
    on characteristic.security_id = names.security_id
where
    characteristic.momentum_12_2 is not null
    and (month_before.index_member or not settings.members_only)
qualify place <= settings.stocks
order by place
