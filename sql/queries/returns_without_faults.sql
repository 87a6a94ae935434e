-- Grain: one row per month.
-- What did stocks earn without those whose prices are known today to be faulty in the month?
-- With hindsight: a stock is left out from the month of a fault to the one in which it became
-- known, so that both returns of a wrong price go. Nobody could have done so at the time: good for
-- describing the past, not for a backtest. Edit kept: names of rules that leave nothing out.
-- extreme_return must stay among them, as true crashes are extreme too. Returns are decimals,
-- equally weighted.
with settings as (
    select ['extreme_return', 'zero_volume', 'missing_day'] as kept
),

faults as (
    select
        securities.security_id,
        last_day(flags.fault_date) as first_month,
        last_day(flags.known_date) as last_month
    from quality.flag as flags
    inner join quality.rule as rules
        on
            flags.rule = rules.rule
            and rules.dated
    asof inner join panel.security as securities
        on
            flags.subject = securities.vendor_id
            and flags.known_date >= securities.valid_from
    where
        flags.table_name = 'raw.price_daily'
        and not list_contains((select settings.kept from settings), flags.rule)
),

months as (
    select
        stock_month.security_id,
        stock_month.month_end,
        stock_month.ret,
        count(faults.security_id) > 0 as faulty
    from panel.security_month as stock_month
    left join faults
        on
            stock_month.security_id = faults.security_id
            and stock_month.month_end between faults.first_month and faults.last_month
    where stock_month.ret is not null
    group by stock_month.security_id, stock_month.month_end, stock_month.ret
)

select
    month_end,
    count(*)::bigint as stocks,
    count_if(faulty)::bigint as faulty_stocks,
    avg(ret) as mean_return,
    avg(ret) filter (where not faulty) as faultless_return
from months
group by month_end
order by month_end
