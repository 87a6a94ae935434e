-- Grain: one row per security.
-- All signals of the newest month; they were known before it began.
with names as (
    select
        security_id,
        max_by(ticker, valid_from) as ticker,
        max_by(name, valid_from) as company,
        max_by(sector, valid_from) as sector
    from panel.security
    group by security_id
)

select -- noqa: ST06
    names.ticker,
    names.company,
    names.sector,
    characteristic.* -- noqa: AM04
from signal.characteristic
left join names
    on characteristic.security_id = names.security_id
where
    characteristic.month_end = (
        select max(newest.month_end)
        from signal.characteristic as newest
    )
order by names.ticker asc, characteristic.security_id asc
