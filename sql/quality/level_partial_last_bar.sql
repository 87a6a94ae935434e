-- Grain: one row per subject.
-- Last levels that were taken while the exchange was open. A close is in whole cents, and so is a
-- level adjusted for dividends after the last of them: one with a fraction of a cent behind days
-- without is a quote. Files of one data set that end that day were fetched together.
-- Parameters: $threshold (distance from a whole cent, in cents).
with last_days as (
    select
        data_set,
        symbol,
        date,
        adjusted_close,
        file,
        row_number() over (partition by data_set, symbol order by date desc) as back,
        abs(adjusted_close * 100 - round(adjusted_close * 100)) as off_cent
    from raw.benchmark_daily
    qualify back <= 4
),

last_bars as (
    select
        data_set,
        symbol,
        max(date) as last_date,
        arg_max(adjusted_close, date) as last_level,
        any_value(file) as file,
        max(off_cent) filter (where back = 1) > $threshold
        and max(off_cent) filter (where back > 1) < 0.01 as is_partial
    from last_days
    group by data_set, symbol
    having count(*) = 4
)

select
    last_date as fault_date,
    last_date as known_date,
    last_level as figure,
    cast(null as double) as expected,
    file,
    data_set || '/' || symbol as subject,
    case
        when is_partial then 'last level in fractions of a cent: a quote of the open exchange'
        else 'ends on a day of which another file has a quote of the open exchange'
    end as detail
from last_bars
where
    (data_set, last_date) in (
        select (other.data_set, other.last_date)
        from last_bars as other
        where other.is_partial
    )
