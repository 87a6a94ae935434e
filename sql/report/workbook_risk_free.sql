-- Grain: one row per month.
-- Risk-free rate the strategies were measured with: of the library vintage the settings of the
-- newest build name, which for 'latest' is what factor/library_vintage.sql chooses.
with settings as (
    select json_extract_string(settings, '$.library.vintage') as vintage
    from quality.build
    order by build desc
    limit 1
),

latest as (
    select vintage
    from factor.factor_return
    where
        source = 'library'
        and factor in ('RF', 'MKT', 'SMB', 'SMB_FF5', 'HML', 'UMD', 'RMW', 'CMA')
    group by vintage
    order by count(distinct factor) desc, vintage desc
    limit 1
)

select
    rate.month_end,
    rate.ret as rf,
    rate.vintage
from factor.factor_return as rate
cross join settings
cross join latest
where
    rate.source = 'library'
    and rate.factor = 'RF'
    and rate.vintage = if(settings.vintage = 'latest', latest.vintage, settings.vintage)
    and rate.ret is not null
order by rate.month_end
