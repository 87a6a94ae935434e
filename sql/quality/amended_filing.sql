-- Grain: one row per (subject, fault_date).
-- Periods whose figures are not those of the first filing: filed again within months, before the
-- next year's filing repeats them. The vendor shows the later figures either as a row of their own
-- or under the first day of filing.
-- Parameters: $threshold (days from the first filing), $lag_months (of filings without a date).
with filings as (
    select
        vendor_id,
        period_end,
        statement,
        file,
        restated_at,
        coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer))))
            as first_day
    from raw.fundamental
),

again as (
    select
        vendor_id,
        period_end,
        file,
        first_day,
        restated_at as known_date
    from filings
    where
        restated_at > first_day
        and restated_at - first_day < $threshold
    union all
    select
        vendor_id,
        period_end,
        file,
        lag(first_day) over (
            partition by vendor_id, statement, period_end
            order by first_day
        ) as earlier_day,
        first_day as known_date
    from filings
    qualify earlier_day is not null
)

select
    vendor_id as subject,
    period_end as fault_date,
    cast(null as double) as expected,
    cast(min(known_date) - min(first_day) as double) as figure,
    'days from the first filing to the amended one' as detail,
    min(known_date) as known_date,
    min(file) as file
from again
group by vendor_id, period_end
