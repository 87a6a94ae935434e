-- Grain: one row per (subject, fault_date).
-- Months without a row between two of a block of the library.
with months as (
    select distinct
        file,
        block,
        date
    from raw.french_return
    where frequency = 'monthly'
),

steps as (
    select
        file,
        block,
        date,
        lag(date) over (partition by file, block order by date) as earlier
    from months
)

select
    date as known_date,
    cast(1 as double) as expected,
    file,
    cast(date_diff('month', earlier, date) as double) as figure,
    file || ': ' || block as subject,
    last_day(earlier + interval 1 month) as fault_date,
    'months from ' || earlier || ' to the next row' as detail
from steps
where date_diff('month', earlier, date) > 1
