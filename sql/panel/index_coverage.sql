-- Grain: one row per month.
-- How many members of the index on the month's last trading day have a price and market equity.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with months as (
    select
        month_end,
        max(last_date) as last_trading_day
    from panel.security_month
    where
        month_end >= $month_start
        and month_end < $month_end
    group by month_end
),

members as (
    select distinct
        months.month_end,
        index_member.ticker
    from months
    inner join raw.index_member
        on
            months.last_trading_day >= index_member.start_date
            and (
                index_member.end_date is null
                or months.last_trading_day < index_member.end_date
            )
),

priced as (
    select
        month_end,
        ticker,
        bool_or(market_equity is not null) as has_market_equity
    from panel.security_month
    where price is not null
    group by month_end, ticker
)

select
    members.month_end,
    count(*) as members,
    count(priced.ticker) as with_price,
    count(*) filter (priced.has_market_equity) as with_market_equity,
    1 - count(priced.ticker) / count(*) as missing_share
from members
left join priced
    on
        members.month_end = priced.month_end
        and members.ticker = priced.ticker
group by members.month_end
order by members.month_end
