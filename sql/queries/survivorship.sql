-- Grain: one row per calendar year.
-- How many members of the index have no prices here, and so are missing from every result?
-- Averages over the months of the year. A price vendor that knows only today's companies lacks the
-- ones that failed or were bought: the larger missing_share, the more the year's returns flatter.
-- Without market equity a stock has no book-to-market and no place in value-weighted portfolios.
select
    year(month_end) as calendar_year,
    count(*) as months,
    avg(members) as members,
    avg(members - with_price) as without_price,
    avg(members - with_market_equity) as without_market_equity,
    sum(members - with_price) / sum(members) as missing_share,
    max(missing_share) as largest_missing_share
from panel.index_coverage
group by calendar_year
order by calendar_year
