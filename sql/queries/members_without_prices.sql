-- Grain: one row per ticker that was an index member without a price.
-- Which index members have no prices here?
-- Months counted are those the panel covers. Tickers are matched as written in both lists, so that
-- a company that is here under another ticker is listed too: check the name before buying data.
with months as (
    select
        month_end,
        max(last_date) as last_trading_day
    from panel.security_month
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
)

select
    members.ticker,
    count(*) as months_missing,
    min(members.month_end) as first_missing,
    max(members.month_end) as last_missing
from members
left join panel.security_month as priced
    on
        members.month_end = priced.month_end
        and members.ticker = priced.ticker
        and priced.price is not null
where priced.security_id is null
group by members.ticker
order by months_missing desc, members.ticker asc
