-- Grain: one row.
-- How much the panel holds: securities, months and stock-months with a return.
select
    count(distinct security_id) as securities,
    count(ret) as stock_months,
    min(month_end) as first_month,
    max(month_end) as last_month
from panel.security_month
where ret is not null
