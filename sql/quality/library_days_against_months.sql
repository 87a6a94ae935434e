-- Grain: one row per (subject, fault_date).
-- Months in which the daily market return of the library, compounded, is not the monthly one of
-- the same edition.
-- Parameters: $threshold (decimals).
with days as (
    select
        file,
        data_set,
        vintage,
        date,
        sum(value) as market
    from raw.french_return
    where
        frequency = 'daily'
        and series in ('Mkt-RF', 'RF')
    group by file, data_set, vintage, date
    having count(value) = 2
),

daily as (
    select
        file,
        data_set,
        vintage,
        last_day(date) as month_end,
        product(1 + market) - 1 as market
    from days
    group by file, data_set, vintage, last_day(date)
),

monthly as (
    select
        data_set,
        vintage,
        date,
        sum(value) as market
    from raw.french_return
    where
        frequency = 'monthly'
        and series in ('Mkt-RF', 'RF')
    group by data_set, vintage, date
    having count(value) = 2
)

select
    daily.month_end as fault_date,
    daily.month_end as known_date,
    daily.market as figure,
    monthly.market as expected,
    'daily market returns, compounded, against that of the month' as detail,
    daily.file,
    daily.file || ': Mkt' as subject
from daily
inner join monthly
    on
        daily.data_set = monthly.data_set || '_daily'
        and daily.vintage = monthly.vintage
        and daily.month_end = monthly.date
where abs(daily.market - monthly.market) > $threshold
