-- Grain: one row per factor, edition and month.
-- Own factors (edition 'own') and those of every library vintage.
select
    month_end,
    factor,
    ret,
    coalesce(vintage, source) as edition
from factor.factor_return
where ret is not null
order by source desc, vintage asc, factor asc, month_end asc
