-- Grain: one row per market day.
-- Daily factors of the chosen library vintage side by side, decimals, NULL where missing. Editions
-- are not all published by day: where the chosen one ('latest': the newest) has no daily file, they
-- come from the newest that has one.
-- Parameters: $vintage, $month_start (inclusive), $month_end (exclusive).
with daily as (
    select
        date,
        vintage,
        series,
        value
    from raw.french_return
    where
        data_set = 'F-F_Research_Data_Factors_daily'
        and frequency = 'daily'
),

chosen as (
    select coalesce(max(vintage) filter (vintage = $vintage), max(vintage)) as vintage
    from daily
)

select
    daily.date,
    daily.vintage,
    max(daily.value) filter (daily.series = 'RF') as rf,
    max(daily.value) filter (daily.series = 'Mkt-RF') as mkt,
    max(daily.value) filter (daily.series = 'SMB') as smb,
    max(daily.value) filter (daily.series = 'HML') as hml
from daily
inner join chosen
    on daily.vintage = chosen.vintage
where
    daily.date >= $month_start
    and daily.date < $month_end
group by daily.date, daily.vintage
order by daily.date
