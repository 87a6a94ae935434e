-- Grain: one row per filed income or cash-flow statement of a security.
-- Statements belong to the company that has the vendor's identifier today: to its last spell.
with current_securities as (
    select
        vendor_id,
        last(security_id order by valid_from) as security_id
    from panel.security
    group by vendor_id
)

select
    current_securities.security_id,
    filing.statement,
    filing.fiscal_year,
    filing.period_end,
    filing.filed_at,
    filing.revenue,
    filing.cost_of_revenue,
    filing.selling_general_administrative,
    filing.interest_expense,
    filing.net_income,
    filing.operating_cash_flow,
    filing.depreciation,
    filing.dividends_paid
from raw.fundamental as filing
inner join current_securities
    on filing.vendor_id = current_securities.vendor_id
where filing.statement in ('income', 'cashflow')
order by current_securities.security_id, filing.period_end, filing.filed_at, filing.statement
