-- Grain: one row per (strategy, security_id, month_end) that was held, or is in the ledger.
-- Is every holding that left the market in the ledger, with its reason and return?
with latest as (
    select
        vendor_id,
        arg_max(security_id, valid_from) as security_id
    from panel.security
    group by vendor_id
),

delisted as (
    select
        latest.security_id,
        delisting.reason,
        last_day(delisting.date) as month_end
    from raw.delisting as delisting
    inner join latest on delisting.vendor_id = latest.vendor_id
),

observed as (
    select month_end
    from panel.security_month
    group by month_end
    having count(ret) > 0
),

held as (
    select
        holding.strategy,
        holding.security_id,
        holding.month_end,
        panel.ret,
        delisted.reason,
        panel.ret is null
        or panel.ret = -1
        or coalesce(delisted.month_end = holding.month_end, false) as has_left
    from backtest.holding as holding
    inner join observed on holding.month_end = observed.month_end
    left join panel.security_month as panel
        on
            holding.security_id = panel.security_id
            and holding.month_end = panel.month_end
    left join delisted
        on
            holding.security_id = delisted.security_id
            and holding.month_end >= delisted.month_end
    where holding.weight <> 0
)

select  -- noqa: ST06
    coalesce(held.strategy, ledger.strategy) as strategy,
    coalesce(held.security_id, ledger.security_id) as security_id,
    coalesce(held.month_end, ledger.month_end) as month_end,
    coalesce(held.has_left, false) as is_expected,
    ledger.strategy is not null as is_stored,
    coalesce(
        held.reason, case when held.ret is null then 'no return' else 'worthless' end
    ) as expected_reason,
    ledger.reason,
    held.ret as expected_ret,
    ledger.ret
from held
full outer join backtest.ledger as ledger
    on
        held.strategy = ledger.strategy
        and held.security_id = ledger.security_id
        and held.month_end = ledger.month_end
order by month_end, strategy, security_id
