-- Grain: one row per sort.
-- Which factor model explains the portfolios of each sort?
-- p-values of the test that the alphas of all its cells are zero together (Gibbons, Ross and
-- Shanken 1989): below 0.05 the model is rejected. alpha_ is the mean absolute alpha in decimals
-- per year; a large sample rejects small alphas, so look at both. Edit weighting for others.
with settings as (
    select 'value' as weighting
)

select
    grs.sort,
    max(grs.portfolios) as portfolios,
    max(grs.months) as months,
    max(grs.p_value) filter (grs.model = 'CAPM') as p_capm,
    max(grs.p_value) filter (grs.model = 'FF3') as p_ff3,
    max(grs.p_value) filter (grs.model = 'Carhart') as p_carhart,
    max(grs.p_value) filter (grs.model = 'FF5') as p_ff5,
    max(grs.mean_absolute_alpha) filter (grs.model = 'CAPM') * 12 as alpha_capm,
    max(grs.mean_absolute_alpha) filter (grs.model = 'FF3') * 12 as alpha_ff3,
    max(grs.mean_absolute_alpha) filter (grs.model = 'Carhart') * 12 as alpha_carhart,
    max(grs.mean_absolute_alpha) filter (grs.model = 'FF5') * 12 as alpha_ff5
from factor.grs
inner join settings
    on grs.weighting = settings.weighting
group by grs.sort
order by grs.sort
