-- Grain: one row per factor, month and pair of library vintages that both have it.
-- What two editions of the library say about the same month, side by side; equal months included.
select
    older.factor,
    older.month_end,
    older.vintage as older_vintage,
    newer.vintage as newer_vintage,
    older.ret as older_ret,
    newer.ret as newer_ret,
    newer.ret - older.ret as difference
from factor.factor_return as older
inner join factor.factor_return as newer
    on
        older.factor = newer.factor
        and older.month_end = newer.month_end
        and older.vintage < newer.vintage
where
    older.source = 'library'
    and newer.source = 'library'
    and older.ret is not null
    and newer.ret is not null
order by older.factor, older.vintage, newer.vintage, older.month_end
