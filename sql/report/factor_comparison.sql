-- Grain: one row per own factor and library vintage.
-- How close own factors are to the library's, over the months both have.
select
    factor,
    library_factor,
    vintage,
    first_month,
    last_month,
    months,
    correlation,
    slope,
    r2,
    mean_difference * 12 as annual_difference
from factor.comparison
where months > 0
order by factor, vintage
