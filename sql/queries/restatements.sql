-- Grain: one row per data set and time at which new versions of its files came.
-- What did vendors change of what they had said before?
-- rows_new are days after those the files had, which change nothing; the others are restatements.
-- rows_before and share_changed are of the months with changes. Months, columns and sizes are in
-- quality.vintage_diff, the rows as they were in raw_history. Times are UTC.
select
    data_set,
    known_before,
    known_from,
    cast(sum(rows_before) as bigint) as rows_before,
    cast(sum(rows_new) as bigint) as rows_new,
    cast(sum(rows_added) as bigint) as rows_added,
    cast(sum(rows_removed) as bigint) as rows_removed,
    cast(sum(rows_changed) as bigint) as rows_changed,
    sum(rows_added + rows_removed + rows_changed) / nullif(sum(rows_before), 0) as share_changed,
    min(month_end) filter (rows_added + rows_removed + rows_changed > 0) as first_month_changed
from quality.vintage_diff
where column_name = '*'
group by data_set, known_before, known_from
order by known_from desc, data_set asc
