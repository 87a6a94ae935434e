-- Grain: one row per stock.
-- Which stocks tilt most towards small-cap value today?
-- Stocks with beta_smb and beta_hml above 0, the highest mean percentile of both first: the tilt
-- small_value of the settings. Edit tilt for another one (large_growth, high_beta, defensive, or
-- your own), and factor_model for the betas shown beside it. Today is the newest month with tilts;
-- all is known at its END (known_by): to test the ranking, join returns of the month AFTER. score
-- is the mean share of all stocks with betas that the stock is at least as good as. Market equity
-- is in USD.
with settings as (
    select
        'small_value' as tilt,
        'FF3' as factor_model,
        (select max(month_end) from risk.tilt) as month_end
),

names as (
    select
        security_id,
        max_by(name, valid_from) as company,
        max_by(sector, valid_from) as sector
    from panel.security
    group by security_id
)

select
    picked.rank as place,
    stock_month.ticker,
    names.company,
    names.sector,
    beta.beta_mkt,
    beta.beta_smb,
    beta.beta_hml,
    picked.score,
    stock_month.price,
    stock_month.market_equity,
    stock_month.index_member,
    picked.month_end as known_by
from settings
inner join risk.tilt as picked
    on settings.tilt = picked.tilt and settings.month_end = picked.month_end
inner join risk.rolling_beta as beta
    on
        picked.security_id = beta.security_id
        and picked.month_end = beta.month_end
        and settings.factor_model = beta.model
inner join panel.security_month as stock_month
    on
        picked.security_id = stock_month.security_id
        and picked.month_end = stock_month.month_end
inner join names
    on picked.security_id = names.security_id
order by place
