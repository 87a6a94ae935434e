-- Grain: one row per fund and loading its name promises something about.
-- Whether funds load on what their names promise.
select
    ticker,
    promise,
    model,
    factor,
    relation,
    level,
    estimate,
    t,
    months,
    verdict
from factor.etf_check
order by ticker, factor
