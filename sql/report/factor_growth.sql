-- Grain: one row per own factor, library vintage and month both have.
-- Growth of 1 in our factor and in the library's. A factor is a difference of returns: its growth
-- is that of one who compounds them.
select
    own.factor,
    library.factor as library_factor,
    library.vintage,
    own.month_end,
    product(1 + own.ret) over so_far as own_growth,
    product(1 + library.ret) over so_far as library_growth
from factor.comparison as pair
inner join factor.factor_return as own
    on
        pair.factor = own.factor
        and own.source = 'own'
inner join factor.factor_return as library
    on
        pair.library_factor = library.factor
        and pair.vintage = library.vintage
        and own.month_end = library.month_end
        and library.source = 'library'
where
    own.ret is not null
    and library.ret is not null
window
    so_far as (
        partition by own.factor, library.vintage
        order by own.month_end
    )
order by own.factor, library.vintage, own.month_end
