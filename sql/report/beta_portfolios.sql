-- Grain: one row per month.
-- Growth of 1 in the quintiles of highest and of lowest beta_HML, value weighted, and of their
-- spread, over the months that have all three. Betas are known before the month begins.
with months as (
    select
        month_end,
        max(ret) filter (where cell = 'Q5') as high,
        max(ret) filter (where cell = 'Q1') as low,
        max(ret) filter (where cell = 'Q5-Q1') as spread
    from risk.beta_portfolio_return
    where
        loading = 'beta_hml'
        and weighting = 'value'
        and cell in ('Q1', 'Q5', 'Q5-Q1')
    group by month_end
)

select
    month_end,
    product(1 + high) over (order by month_end) as high,
    product(1 + low) over (order by month_end) as low,
    product(1 + spread) over (order by month_end) as spread
from months
where
    high is not null
    and low is not null
    and spread is not null
order by month_end
