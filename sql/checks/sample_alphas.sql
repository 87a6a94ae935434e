-- Grain: one row per sampled (sort, weighting, cell, model) and month.
-- Some stored alphas beside the returns they were made from. A hash orders the rows, so that the
-- sample is random and yet the same in every run.
-- Parameters: $rows.
with sampled as (
    select *
    from factor.alpha
    where t_alpha is not null
    order by md5(concat_ws(' ', sort, weighting, cell, model))
    limit $rows
)

select
    sampled.sort,
    sampled.weighting,
    sampled.cell,
    sampled.model,
    sampled.alpha,
    sampled.t_alpha,
    sampled.beta_mkt,
    sampled.r2,
    sampled.nw_lag,
    sampled.months,
    portfolio_return.month_end,
    portfolio_return.ret
from sampled
inner join portfolio.portfolio_return
    on
        sampled.sort = portfolio_return.sort
        and sampled.weighting = portfolio_return.weighting
        and sampled.cell = portfolio_return.cell
order by
    sampled.sort, sampled.weighting, sampled.cell, sampled.model, portfolio_return.month_end
