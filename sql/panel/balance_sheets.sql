-- Grain: one row per filed balance sheet of a security.
-- Balance sheets belong to the company that has the vendor's identifier today: to its last spell.
with current_securities as (
    select
        vendor_id,
        last(security_id order by valid_from) as security_id
    from panel.security
    group by vendor_id
)

select
    current_securities.security_id,
    balance.fiscal_year,
    balance.period_end,
    balance.filed_at,
    balance.shares,
    balance.shares_basis_date,
    balance.total_assets,
    balance.total_liabilities,
    balance.total_equity,
    balance.preferred_stock,
    balance.deferred_taxes
from raw.fundamental as balance
inner join current_securities
    on balance.vendor_id = current_securities.vendor_id
where balance.statement = 'balance'
order by current_securities.security_id, balance.period_end, balance.filed_at
