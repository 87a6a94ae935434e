-- Grain: one row per (subject, fault_date).
-- Runs of missing codes between two values of a series of the library, by their first day.
with incomplete as (
    select
        file,
        frequency,
        block,
        series
    from raw.french_return
    where value is null
    group by file, frequency, block, series
),

rows_of_them as (
    select
        library.file,
        library.frequency,
        library.block,
        library.series,
        library.date,
        library.value,
        count(library.value) over (
            partition by library.file, library.frequency, library.block, library.series
            order by library.date
        ) as values_before
    from raw.french_return as library
    inner join incomplete
        on
            library.file = incomplete.file
            and library.frequency = incomplete.frequency
            and library.block = incomplete.block
            and library.series = incomplete.series
),

runs as (
    select
        file,
        frequency,
        block,
        series,
        values_before,
        min(date) as fault_date,
        count(*) as missing
    from rows_of_them
    where value is null
    group by file, frequency, block, series, values_before
)

select
    runs.fault_date,
    first_after.date as known_date,
    cast(null as double) as expected,
    cast(runs.missing as double) as figure,
    'missing codes in a row inside the series' as detail,
    runs.file,
    runs.file || ': ' || runs.frequency || ' ' || runs.block || ' ' || runs.series as subject
from runs
inner join rows_of_them as first_after
    on
        runs.file = first_after.file
        and runs.frequency = first_after.frequency
        and runs.block = first_after.block
        and runs.series = first_after.series
        and runs.values_before + 1 = first_after.values_before
        and first_after.value is not null
where runs.values_before > 0
