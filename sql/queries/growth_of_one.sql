-- Grain: one row per strategy and month.
-- What has 1 invested in each strategy grown to, after costs?
-- growth starts at 1 when the strategy does; growth_common starts at 1 for all when the youngest
-- does, and only that may be compared between strategies: it is NULL outside the months all have.
with chosen as (
    select
        strategy,
        month_end,
        net
    from backtest.backtest_return
    where net is not null
),

common as (
    select
        month_end,
        true as is_common
    from chosen
    group by month_end
    having count(*) = (select count(distinct every.strategy) from chosen as every)
)

select
    chosen.strategy,
    chosen.month_end,
    chosen.net,
    product(1 + chosen.net) over (
        partition by chosen.strategy
        order by chosen.month_end
    ) as growth,
    case
        when common.is_common
            then product(1 + chosen.net) over (
                partition by chosen.strategy, common.is_common
                order by chosen.month_end
            )
    end as growth_common
from chosen
left join common
    on chosen.month_end = common.month_end
order by chosen.strategy, chosen.month_end
