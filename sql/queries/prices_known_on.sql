-- Grain: one row per price, day by day.
-- What did the price files say at a time in the past?
-- known_at is the end of the newest knowledge; for another time put it there, such as
-- timestamp '2026-03-01 00:00' (UTC). The same conditions answer it for every raw table: its view
-- raw_history.TABLE_versions has all rows ever known. adjusted_close is that of the newest file.
with settings as (
    select
        25 as rows_listed,
        max(known_from) as known_at
    from raw.price_daily
)

select
    versions.date,
    versions.vendor_id,
    versions.close,
    versions.volume,
    versions.dividend,
    versions.split,
    versions.known_from,
    versions.known_to,
    versions.file
from raw_history.price_daily_versions as versions
cross join settings
where
    versions.known_from <= settings.known_at
    and (versions.known_to is null or versions.known_to > settings.known_at)
order by versions.date desc, versions.vendor_id asc
limit (select given.rows_listed from settings as given)
