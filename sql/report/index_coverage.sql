-- Grain: one row per month.
-- The survivorship gap: index members without prices.
select
    month_end,
    members,
    with_price,
    missing_share
from panel.index_coverage
order by month_end
