-- Grain: one row per signal that has a spread.
-- Which signals paid as the papers they come from say?
-- The highest decile minus the lowest, times the sign the paper expects of high values: a premium
-- above 0 agrees with the paper. annual_premium is 12 times the mean month (decimal), t is plain,
-- without correction for autocorrelation. Signals of which a paper expects neither are left out.
-- With as many signals as here, one in forty passes a t of 2 by luck alone.
with settings as (
    select 'value' as weighting
),

premia as (
    select
        definition.signal,
        portfolio_return.month_end,
        portfolio_return.ret * definition.expected_sign as premium
    from portfolio.portfolio_return
    inner join settings
        on portfolio_return.weighting = settings.weighting
    inner join signal.definition
        on portfolio_return.sort = definition.signal || '_decile'
    where
        portfolio_return.cell = 'D10-D01'
        and portfolio_return.ret is not null
        and definition.expected_sign <> 0
)

select
    premia.signal as signal_name,
    definition.family,
    definition.paper,
    definition.expected_sign,
    count(*) as months,
    min(premia.month_end) as first_month,
    max(premia.month_end) as last_month,
    avg(premia.premium) * 12 as annual_premium,
    avg(premia.premium) / nullif(stddev_samp(premia.premium), 0) * sqrt(count(*)) as t
from premia
inner join signal.definition
    on premia.signal = definition.signal
group by premia.signal, definition.family, definition.paper, definition.expected_sign
order by t desc nulls last, signal_name asc
