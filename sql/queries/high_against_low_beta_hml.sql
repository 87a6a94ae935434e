-- Grain: one row per month.
-- How have the stocks with the highest beta_hml performed against those with the lowest?
-- Quintiles sorted every month on the beta_hml known at the end of the month before; month_end is
-- the month of the return. growth_* is what 1 has become since the first month, that of the spread
-- by compounding high minus low. Months without either return are left out. Edit loading for
-- another beta, weighting for 'equal'. Before costs: the quintiles trade every month.
with settings as (
    select
        'beta_hml' as loading,
        'value' as weighting
),

legs as (
    select
        portfolio.month_end,
        max(portfolio.ret) filter (portfolio.cell = 'Q1') as low,
        max(portfolio.ret) filter (portfolio.cell = 'Q5') as high,
        max(portfolio.ret) filter (portfolio.cell = 'Q5-Q1') as spread,
        max(portfolio.stocks) filter (portfolio.cell = 'Q1') as low_stocks,
        max(portfolio.stocks) filter (portfolio.cell = 'Q5') as high_stocks
    from settings
    inner join risk.beta_portfolio_return as portfolio
        on
            settings.loading = portfolio.loading
            and settings.weighting = portfolio.weighting
    group by portfolio.month_end
)

select
    month_end,
    low,
    high,
    spread,
    low_stocks,
    high_stocks,
    product(1 + low) over (order by month_end) as growth_low,
    product(1 + high) over (order by month_end) as growth_high,
    product(1 + spread) over (order by month_end) as growth_spread
from legs
where spread is not null
order by month_end
