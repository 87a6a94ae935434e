-- Grain: one row.
-- Prices on days the library's daily factors do not have, in months they do have: the returns of
-- such days are left out of daily betas.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with market_days as (
    select distinct date
    from raw.french_return
    where
        data_set = 'F-F_Research_Data_Factors_daily'
        and frequency = 'daily'
        and date >= $month_start
        and date < $month_end
),

market_months as (
    select distinct last_day(date) as month_end
    from market_days
)

select count(*) as prices
from raw.price_daily as price_daily
semi join market_months
    on last_day(price_daily.date) = market_months.month_end
anti join market_days
    on price_daily.date = market_days.date
where
    price_daily.date >= $month_start
    and price_daily.date < $month_end
