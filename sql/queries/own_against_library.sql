-- Grain: one row per own factor and library vintage.
-- How close are the factors computed here to the published ones?
-- Over the months both have (first_month to last_month). Means are per year, 12 times the mean
-- month; tracking_error is the standard deviation of own minus library per year; all decimals. Own
-- factors are made of the stocks in this warehouse, the library of all of CRSP: expect closeness,
-- not equality, and read survivorship before blaming the code.
with differences as (
    select
        comparison.factor,
        comparison.library_factor,
        comparison.vintage,
        own.month_end,
        own.ret as own_ret,
        library_return.ret as library_ret,
        own.ret - library_return.ret as difference
    from factor.comparison
    inner join factor.factor_return as own
        on
            comparison.factor = own.factor
            and own.source = 'own'
    inner join factor.factor_return as library_return
        on
            comparison.library_factor = library_return.factor
            and comparison.vintage = library_return.vintage
            and own.month_end = library_return.month_end
            and library_return.source = 'library'
    where
        own.ret is not null
        and library_return.ret is not null
)

select
    comparison.factor,
    comparison.library_factor,
    comparison.vintage,
    comparison.months,
    comparison.first_month,
    comparison.last_month,
    comparison.correlation,
    comparison.slope,
    avg(differences.own_ret) * 12 as own_mean,
    avg(differences.library_ret) * 12 as library_mean,
    stddev_samp(differences.difference) * sqrt(12) as tracking_error,
    max_by(differences.difference, abs(differences.difference)) as largest_difference,
    max_by(differences.month_end, abs(differences.difference)) as month_of_largest
from factor.comparison
left join differences
    on
        comparison.factor = differences.factor
        and comparison.vintage = differences.vintage
group by all
order by comparison.factor, comparison.vintage
