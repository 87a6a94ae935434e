-- Grain: one row per (sort, cell, weighting, month_end).
-- Returns of all portfolios, without the counts kept beside them.
select
    sort,
    cell,
    weighting,
    month_end,
    ret
from portfolio.portfolio_return
