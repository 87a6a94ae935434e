-- Grain: one row per month.
-- Risk-free rate the strategies were measured with: of the library vintage the settings of the
-- newest build name, which for 'latest' is the newest vintage that has it.
with settings as (
    select json_extract_string(settings, '$.library.vintage') as vintage
    from quality.build
    order by build desc
    limit 1
),

editions as (
    select
        month_end,
        ret,
        vintage,
        max(vintage) over () as newest
    from factor.factor_return
    where
        source = 'library'
        and factor = 'RF'
)

select
    editions.month_end,
    editions.ret as rf,
    editions.vintage
from editions
inner join settings
    on editions.vintage = if(settings.vintage = 'latest', editions.newest, settings.vintage)
where editions.ret is not null
order by editions.month_end
