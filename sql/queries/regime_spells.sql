-- Grain: one row per spell of months in one regime.
-- When was the economy in which regime?
-- Edit variant to 'final' for the regimes as history knows them: those of 'real_time' use only what
-- had been published before each month began (in final revisions). The regime is NULL where the
-- inputs do not tell. Means over the spell (decimal per year): inflation, and the ten-year yield
-- less the two-year one; lowest distance of industrial production from its peak (decimal).
with settings as (
    select 'real_time' as variant
),

numbered as (
    select
        regime.*,
        row_number() over (order by regime.month_end)
        - row_number() over (partition by regime.regime order by regime.month_end) as spell
    from factor.regime
    inner join settings on regime.variant = settings.variant
)

select
    regime,
    min(month_end) as first_month,
    max(month_end) as last_month,
    count(*) as months,
    avg(inflation) as inflation,
    avg(yield_slope) as yield_slope,
    min(production_from_peak) as production_from_peak
from numbered
group by regime, spell
order by first_month
