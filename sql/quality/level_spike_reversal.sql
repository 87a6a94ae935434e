-- Grain: one row per (subject, fault_date).
-- Days on which a benchmark or fund jumps and comes back the day after.
-- Parameters: $threshold (size of the jump as a logarithm; coming back within a fifth of it).
with neighbours as (
    select
        data_set,
        symbol,
        date,
        file,
        lead(date) over by_day as next_date,
        ln(adjusted_close / lag(adjusted_close) over by_day) as jump,
        ln(lead(adjusted_close) over by_day / lag(adjusted_close) over by_day) as both_days
    from raw.benchmark_daily
    window by_day as (partition by data_set, symbol order by date)
)

select
    date as fault_date,
    next_date as known_date,
    'return of the day, against that of this day and the next' as detail,
    file,
    data_set || '/' || symbol as subject,
    exp(jump) - 1 as figure,
    exp(both_days) - 1 as expected
from neighbours
where
    abs(jump) > $threshold
    and abs(both_days) < abs(jump) / 5
