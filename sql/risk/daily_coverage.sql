-- Grain: one row per (model, reason).
-- Stock-months of the panel by what risk.daily_beta says of them: estimated (reason NULL), without
-- estimates and why, or 'no_row'.
-- Parameters: $month_start (inclusive), $month_end (exclusive).
with models (model) as (
    values
    ('CAPM'),
    ('FF3')
),

expected as (
    select
        stock_month.security_id,
        stock_month.month_end,
        models.model
    from panel.security_month as stock_month
    cross join models
    where
        stock_month.month_end >= $month_start
        and stock_month.month_end < $month_end
)

select
    expected.model,
    case when daily_beta.security_id is null then 'no_row' else daily_beta.reason end as reason,
    count(*) as stock_months
from expected
left join risk.daily_beta as daily_beta
    on
        expected.security_id = daily_beta.security_id
        and expected.month_end = daily_beta.month_end
        and expected.model = daily_beta.model
group by all
order by expected.model, reason nulls first
