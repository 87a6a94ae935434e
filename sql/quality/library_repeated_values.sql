-- Grain: one row per (subject, fault_date).
-- Months or days on which all returns of a block of the library are those of the row before.
-- Parameters: $threshold (least number of series).
with steps as (
    select
        file,
        frequency,
        block,
        date,
        value = lag(value) over (
            partition by file, frequency, block, series order by date
        ) as is_repeated
    from raw.french_return
    where
        unit = 'decimal'
        and series <> 'RF'
)

select
    date as fault_date,
    date as known_date,
    cast(null as double) as expected,
    file,
    cast(count(*) as double) as figure,
    'returns that are all those of the row before' as detail,
    file || ': ' || frequency || ' ' || block as subject
from steps
group by file, frequency, block, date
having
    bool_and(coalesce(is_repeated, false))
    and count(*) >= $threshold
