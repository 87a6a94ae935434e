-- Grain: one row per stock.
-- Which stocks are the cheapest today, by book-to-market?
-- Today is the newest month that has the signal; what is in it was public at the end of the month
-- before (known_by), where price and market equity (USD) are taken too. To test the ranking, join
-- returns of the SAME month_end. book_to_market is fixed in June for a year (Fama and French 1992),
-- book_to_market_monthly follows the price. Beware of values far above 3: more often a share count
-- that misses a class than a bargain (see the query market_equity).
with settings as (
    select
        25 as stocks,
        true as members_only,
        (
            select max(month_end)
            from signal.characteristic
            where book_to_market is not null
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
    characteristic.book_to_market,
    characteristic.book_to_market_monthly,
    characteristic.value_class,
    month_before.price,
    characteristic.size as firm_market_equity,
    month_before.month_end as known_by,
    characteristic.month_end,
    row_number() over (
        order by characteristic.book_to_market desc, characteristic.security_id asc
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
    characteristic.book_to_market is not null
    and (month_before.index_member or not settings.members_only)
qualify place <= settings.stocks
order by place
