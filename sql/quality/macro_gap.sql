-- Grain: one row per (subject, fault_date).
-- Spans without an observation of a macroeconomic series that are longer than its usual step, and
-- than a week with holidays.
-- Parameters: $threshold (usual steps).
with steps as (
    select
        series,
        date,
        file,
        lag(date) over (partition by series order by date) as earlier
    from raw.macro
),

usual as (
    select
        series,
        median(date - earlier) as usual_days
    from steps
    group by series
)

select
    steps.series as subject,
    steps.date as known_date,
    cast(usual.usual_days as double) as expected,
    cast(steps.date - steps.earlier as double) as figure,
    steps.file,
    case
        when usual.usual_days < 28 then steps.earlier + cast(usual.usual_days as integer)
        else cast(date_trunc(
            'month', steps.earlier + to_days(cast(usual.usual_days as integer) + 3)
        ) as date)
    end as fault_date,
    'days from ' || steps.earlier || ' to the next observation' as detail
from steps
inner join usual on steps.series = usual.series
where
    steps.date - steps.earlier > $threshold * usual.usual_days
    and steps.date - steps.earlier > 7
