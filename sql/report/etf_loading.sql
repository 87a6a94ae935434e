-- Grain: one row per fund, model and factor.
-- What exchange-traded funds load on, for the two models with the most factors.
select
    ticker,
    model,
    factor,
    vintage,
    months,
    first_month,
    last_month,
    beta,
    t,
    r2
from factor.etf_loading
where
    model in ('Carhart', 'FF5')
    and beta is not null
order by ticker, model, factor
