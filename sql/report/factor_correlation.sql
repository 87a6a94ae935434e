-- Grain: one row per pair of factors of a source and vintage.
-- Correlations of monthly factor returns.
select
    source,
    vintage,
    factor_a,
    factor_b,
    months,
    correlation
from factor.correlation
where correlation is not null
order by source, vintage, factor_a, factor_b
