-- Grain: one row per (subject, fault_date).
-- Calendar years in which a monthly factor of the library is on average too large or too small to
-- be a return as a decimal: percent read as decimals, or decimals divided by 100 again.
-- Parameters: $threshold (average absolute return per month; 1/100 of it is too small).
select
    file,
    cast($threshold as double) as expected,
    file || ': ' || series as subject,
    max(date) as fault_date,
    max(date) as known_date,
    avg(abs(value)) as figure,
    'average absolute return per month of ' || year(date) as detail
from raw.french_return
where
    frequency = 'monthly'
    and unit = 'decimal'
    and data_set like 'F-F%'
group by file, series, year(date)
having
    count(value) = 12
    and (
        avg(abs(value)) > $threshold
        or (avg(abs(value)) < $threshold / 100 and series <> 'RF')
    )
