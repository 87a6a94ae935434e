-- Grain: one row per (strategy, security_id, month_end) that was held, or is in the ledger.
-- Is every holding that left the market in the ledger, with its reason and return? One leaves when
-- it is delisted or worthless, or after 12 months without a price; a halt is no exit.
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

-- Return since the last price: over a gap of 1 to 11 months that of the whole gap, unless the
-- vendor contradicts itself in the month that ends it, or the settings exclude it.
priced as (
    select
        security_id,
        month_end,
        lag(month_end) over by_month as month_before,
        case
            when
                list_has_any(string_split(flags, ','), ['disputed_return', 'excluded'])
                then null
            else
                (price + dividend) * split / lag(price) over by_month
                * (1 + coalesce(delisting_return, 0)) - 1
        end as gap_ret
    from panel.security_month
    where price is not null
    window by_month as (
        partition by security_id
        order by month_end
    )
),

months as (
    select
        panel.security_id,
        panel.month_end,
        case
            when
                datediff('month', priced.month_before, priced.month_end) between 2 and 12
                then priced.gap_ret
            else panel.ret
        end as ret
    from panel.security_month as panel
    left join priced
        on
            panel.security_id = priced.security_id
            and panel.month_end = priced.month_end
),

observed as (
    select month_end
    from months
    group by month_end
    having count(ret) > 0
),

held as (
    select
        holding.strategy,
        holding.security_id,
        holding.month_end,
        months.ret,
        delisted.reason,
        coalesce(months.ret = -1, false)
        or coalesce(delisted.month_end = holding.month_end, false)
        or months.ret is null
        and (
            delisted.reason is not null
            or datediff('month', priced.month_end, holding.month_end) >= 12
        ) as has_left
    from backtest.holding as holding
    inner join observed on holding.month_end = observed.month_end
    left join months
        on
            holding.security_id = months.security_id
            and holding.month_end = months.month_end
    asof left join priced
        on
            holding.security_id = priced.security_id
            and holding.month_end >= priced.month_end
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
