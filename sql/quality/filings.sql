-- Grain: one row per filing of a statement.
-- With the day it counts as public, for what is told from a filing and the one before.
-- Parameters: $lag_months (of filings without a date).
select
    vendor_id,
    statement,
    fiscal_year,
    period_end,
    shares,
    total_assets,
    total_liabilities,
    total_equity,
    revenue,
    cost_of_revenue,
    selling_general_administrative,
    interest_expense,
    net_income,
    operating_cash_flow,
    depreciation,
    dividends_paid,
    file,
    coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer))))
        as known_date,
    coalesce(shares_basis_date, period_end) as basis_date
from raw.fundamental
