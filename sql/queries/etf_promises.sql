-- Grain: one row per fund, model and factor that its name promises something about.
-- Do exchange-traded funds load on what their names promise?
-- t is that of the estimate less the level it should be above, below or near (Newey-West). alpha is
-- 12 times the model's intercept (decimal per year). The promises are a setting (etf.promises);
-- vintage, first_month and last_month say on which library factors and months the answer rests.
select
    promised.ticker,
    promised.promise,
    promised.model,
    promised.factor,
    promised.relation,
    promised.level,
    promised.estimate,
    promised.t,
    promised.verdict,
    loading.alpha_t,
    loading.r2,
    promised.vintage,
    promised.months,
    promised.first_month,
    promised.last_month,
    loading.alpha * 12 as alpha
from factor.etf_check as promised
left join factor.etf_loading as loading
    on
        promised.ticker = loading.ticker
        and promised.model = loading.model
        and promised.factor = loading.factor
order by promised.ticker, promised.model, promised.factor
