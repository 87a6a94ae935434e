-- Grain: one row per formation month.
-- Is value cheap today: how far apart are cheap and expensive stocks?
-- The 70th percentile of book-to-market over the 30th, at each yearly formation: the breakpoints of
-- HML. A spread of 3 means that a stock at the border of Value has three times the book value per
-- dollar of one at the border of Growth. to_median compares the spread with all formations so far,
-- itself included, so that nothing later enters.
with spreads as (
    select
        month_end,
        max(value) filter (probability = 0.3) as growth_border,
        max(value) filter (probability = 0.7) as value_border,
        max(stocks) as stocks
    from portfolio.breakpoint
    where sort = 'book_to_market_tercile'
    group by month_end
)

select
    month_end,
    stocks,
    growth_border,
    value_border,
    value_border / growth_border as spread,
    value_border / growth_border / median(value_border / growth_border) over (
        order by month_end
    ) as to_median
from spreads
where growth_border > 0
order by month_end
