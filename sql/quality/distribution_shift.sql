-- Grain: one row per (subject, fault_date).
-- Years of columns that are not spread as in the build before, with the same settings.
-- Parameters: $threshold (share of rows).
select
    current_build.last_month as fault_date,
    current_build.last_month as known_date,
    current_build.distance as figure,
    cast(0 as double) as expected,
    cast(null as varchar) as file,
    current_build.table_name || '.' || current_build.column_name as subject,
    'share that came, went or moved since build ' || earlier.build || ': rows '
    || earlier.rows || ' to ' || current_build.rows || ', median '
    || coalesce(format('{:.4g}', earlier.median), 'none') || ' to '
    || coalesce(format('{:.4g}', current_build.median), 'none') as detail
from quality.distribution as current_build
inner join quality.distribution as earlier
    on
        current_build.compared_with = earlier.build
        and current_build.table_name = earlier.table_name
        and current_build.column_name = earlier.column_name
        and current_build.year = earlier.year
where
    current_build.build = (select max(builds.build) from quality.distribution as builds)
    and current_build.note is null
    and current_build.distance > $threshold
