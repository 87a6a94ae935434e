-- Grain: one row per (subject, fault_date).
-- Changes of a macroeconomic series that are many times its average change so far. Indicators of
-- two values are left out.
-- Parameters: $threshold (average absolute changes).
with steps as (
    select
        series,
        date,
        value,
        file,
        abs(value - lag(value) over (partition by series order by date)) as moved
    from raw.macro
),

so_far as (
    select
        *,
        avg(moved) over earlier as usual,
        count(moved) over earlier as moves,
        min(value) over earlier as lowest,
        max(value) over earlier as highest,
        count(*) filter (where value not in (0, 1)) over earlier as not_binary
    from steps
    window earlier as (
        partition by series order by date
        rows between unbounded preceding and 1 preceding
    )
)

select
    series as subject,
    date as fault_date,
    date as known_date,
    moved as figure,
    usual as expected,
    'change, against the average one so far' as detail,
    file
from so_far
where
    moves >= 24
    and not_binary > 0
    and moved > $threshold * usual
