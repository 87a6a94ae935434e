-- Grain: one row per (subject, fault_date).
-- Periods with a statement that was first filed so late that it holds the comparative figures of a
-- later year.
-- Parameters: $threshold (days from the end of the period).
with first_filings as (
    select
        vendor_id,
        period_end,
        statement,
        min(filed_at) as filed_at,
        min(file) as file
    from raw.fundamental
    group by vendor_id, period_end, statement
)

select
    vendor_id as subject,
    period_end as fault_date,
    cast(null as double) as expected,
    cast(min(filed_at) - period_end as double) as figure,
    'days from the end of the period to the first filing' as detail,
    min(filed_at) as known_date,
    min(file) as file
from first_filings
where filed_at - period_end >= $threshold
group by vendor_id, period_end
