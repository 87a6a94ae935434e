-- Grain: one row per (subject, fault_date).
-- Runs of one value in a macroeconomic series that hardly ever repeats one, by their first day.
-- Indicators of two values are left out, and so are series of which one in ten observations
-- repeats the one before, as rates of interest do. These also rest at their lower bound, so the
-- lowest value of a series counts at its start only, where it would be carried back.
-- Parameters: $threshold (observations in a row).
with moves as (
    select
        series,
        date,
        value,
        file,
        coalesce(value <> lag(value) over (partition by series order by date), true) as is_move
    from raw.macro
),

runs as (
    select
        *,
        count(*) filter (where is_move) over (partition by series order by date) as run
    from moves
),

counted as (
    select
        series,
        run,
        min(date) as fault_date,
        max(date) as known_date,
        min(value) as same_value,
        min(file) as file,
        count(*) as observations
    from runs
    group by series, run
),

repeats as (
    select
        *,
        count(distinct same_value) over (partition by series) as levels,
        min(same_value) over (partition by series) as lowest,
        min(fault_date) over (partition by series) as first_date,
        sum(observations - 1) filter (where observations < $threshold) over (partition by series)
        / sum(observations) over (partition by series) as repeated_share
    from counted
)

select
    series as subject,
    fault_date,
    known_date,
    cast(observations as double) as figure,
    cast(null as double) as expected,
    file,
    'observations in a row of ' || same_value as detail
from repeats
where
    observations >= $threshold
    and levels > 2
    and (same_value > lowest or fault_date = first_date)
    and coalesce(repeated_share, 0) < 0.1
