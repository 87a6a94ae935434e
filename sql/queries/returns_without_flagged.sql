-- Grain: one row per month.
-- What did stocks earn without those whose prices looked faulty by the end of the month?
-- Point in time: a stock is left out of the month in which a fault became known, which anybody
-- could have done then. Edit kept: names of rules that leave nothing out. extreme_return must stay
-- among them, as true crashes are extreme too. mean_return is over all stocks with a return
-- (equal weights, decimals), unflagged_return over those without a flag.
with settings as (
    select ['extreme_return', 'zero_volume', 'missing_day'] as kept
),

rules as (
    select list(rule) as listed
    from quality.rule
    where
        dated
        and table_name = 'raw.price_daily'
        and not list_contains((select settings.kept from settings), rule)
),

months as (
    select
        stock_month.month_end,
        stock_month.ret,
        coalesce(
            list_has_any(string_split(stock_month.flags, ','), rules.listed), false
        ) as flagged
    from panel.security_month as stock_month
    cross join rules
    where stock_month.ret is not null
)

select
    month_end,
    count(*)::bigint as stocks,
    count_if(flagged)::bigint as flagged_stocks,
    avg(ret) as mean_return,
    avg(ret) filter (where not flagged) as unflagged_return
from months
group by month_end
order by month_end
