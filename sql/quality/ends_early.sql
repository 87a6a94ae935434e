-- Grain: one row per (subject, fault_date).
-- Series whose last price is before the last day of the data, with no delisting known.
with series as (
    select
        vendor_id,
        max(date) as last_day,
        arg_max(close, date) as last_close,
        arg_max(file, date) as file
    from raw.price_daily
    group by vendor_id
),

ends as (
    select max(last_day) as data_end
    from series
)

select
    series.vendor_id as subject,
    series.last_day as fault_date,
    ends.data_end as known_date,
    series.last_close as figure,
    null::double as expected,
    series.file,
    'last close; the data go on to ' || ends.data_end as detail
from series
cross join ends
where
    series.last_day < ends.data_end
    and not exists (
        select 1
        from raw.delisting as delisting
        where delisting.vendor_id = series.vendor_id
    )
