-- Grain: one row per ratio (figure, security_id, month_end) made of an income statement.
-- When was the net income behind earnings_to_price, and the revenue, cost and total assets behind
-- gross_profitability, first public? Market equity is that of the firm in December. A June before
-- the first price counts as traded to its last day.
-- Parameters: $lag_months, $tolerance.
with trading as (
    select
        last_day(date) as month_end,
        max(date) as last_trading_day
    from raw.price_daily
    group by last_day(date)
),

latest as (
    select
        vendor_id,
        arg_max(security_id, valid_from) as security_id
    from panel.security
    group by vendor_id
),

filings as (
    select
        latest.security_id,
        filing.statement,
        filing.period_end,
        filing.net_income,
        filing.revenue,
        filing.cost_of_revenue,
        filing.total_assets,
        coalesce(
            filing.filed_at,
            last_day(filing.period_end + to_months(cast($lag_months as integer)))
        ) as public_at,
        year(filing.period_end) + 1 as formation_year
    from raw.fundamental as filing
    inner join latest on filing.vendor_id = latest.vendor_id
),

-- Each income statement beside each balance sheet of its period: both must be public.
pairs as (
    select
        income.security_id,
        income.formation_year,
        (income.revenue - income.cost_of_revenue) / balance.total_assets as gross_profitability,
        greatest(income.public_at, balance.public_at) as public_at
    from filings as income
    inner join filings as balance
        on
            income.security_id = balance.security_id
            and income.period_end = balance.period_end
    where
        income.statement = 'income'
        and balance.statement = 'balance'
),

firms as (
    select distinct
        firm_id,
        month_end,
        firm_market_equity
    from panel.security_month
),

used as (
    select
        characteristic.security_id,
        characteristic.month_end,
        characteristic.earnings_to_price,
        characteristic.gross_profitability,
        month_before.firm_id,
        year(characteristic.month_end)
        - cast(month(characteristic.month_end) < 7 as integer) as formation_year
    from signal.characteristic
    left join panel.security_month as month_before
        on
            characteristic.security_id = month_before.security_id
            and month_before.month_end = last_day(characteristic.month_end - interval 1 month)
),

formed as (
    select
        *,
        make_date(formation_year, 6, 30) as june_end
    from used
),

candidates as (
    select
        formed.security_id,
        formed.month_end,
        formed.june_end,
        'earnings_to_price' as figure,
        formed.earnings_to_price as used_value,
        filings.net_income / december.firm_market_equity as found_value,
        filings.public_at
    from formed
    left join firms as december
        on
            formed.firm_id = december.firm_id
            and december.month_end = make_date(formed.formation_year - 1, 12, 31)
    left join filings
        on
            formed.security_id = filings.security_id
            and formed.formation_year = filings.formation_year
            and filings.statement = 'income'
    where formed.earnings_to_price is not null
    union all
    select
        formed.security_id,
        formed.month_end,
        formed.june_end,
        'gross_profitability' as figure,
        formed.gross_profitability as used_value,
        pairs.gross_profitability as found_value,
        pairs.public_at
    from formed
    left join pairs
        on
            formed.security_id = pairs.security_id
            and formed.formation_year = pairs.formation_year
    where formed.gross_profitability is not null
)

select
    candidates.figure,
    candidates.security_id,
    candidates.month_end,
    candidates.used_value,
    coalesce(trading.last_trading_day, candidates.june_end) as used_on,
    min(candidates.public_at) filter (
        abs(candidates.found_value - candidates.used_value)
        <= $tolerance * greatest(abs(candidates.used_value), $tolerance)
    ) as public_at
from candidates
left join trading
    on candidates.june_end = trading.month_end
group by all
order by candidates.month_end, candidates.security_id, candidates.figure
