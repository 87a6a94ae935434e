-- Grain: one row per (subject, fault_date).
-- Periods of which one of the three statements is not there long after the first one was filed.
-- Parameters: $threshold (days), $lag_months (of filings without a date).
with filings as (
    select
        vendor_id,
        period_end,
        statement,
        file,
        coalesce(filed_at, last_day(period_end + to_months(cast($lag_months as integer))))
            as known_date
    from raw.fundamental
),

awaited as (
    select
        vendor_id,
        period_end,
        min(known_date) as first_day,
        min(file) as file
    from filings
    group by vendor_id, period_end
),

found as (
    select
        awaited.vendor_id,
        awaited.period_end,
        awaited.file,
        awaited.first_day + cast($threshold as integer) as known_date,
        count(distinct filings.statement) as statements
    from awaited
    inner join filings
        on
            awaited.vendor_id = filings.vendor_id
            and awaited.period_end = filings.period_end
            and awaited.first_day + cast($threshold as integer) >= filings.known_date
    group by awaited.vendor_id, awaited.period_end, awaited.first_day, awaited.file
)

select
    vendor_id as subject,
    period_end as fault_date,
    known_date,
    cast(statements as double) as figure,
    cast(3 as double) as expected,
    'statements of the period' as detail,
    file
from found
where
    statements < 3
    -- A later one may still come; a week allows for the days on which no exchange opens.
    and known_date <= (select max(prices.date) + 7 from raw.price_daily as prices)
