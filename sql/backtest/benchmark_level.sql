-- Grain: one row per day.
-- Daily level of a benchmark, dividends included, of the run's months and of the month before.
-- Parameters: $symbol, $month_start (inclusive), $month_end (exclusive).
select
    date,
    adjusted_close as level  -- noqa: RF04
from raw.benchmark_daily
where
    data_set = 'benchmark'
    and symbol = $symbol
    and date >= cast($month_start as date) - interval 1 month
    and date < $month_end
order by date
