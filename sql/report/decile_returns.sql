-- Grain: one row per signal and cell: ten deciles and the highest less the lowest.
-- What value-weighted deciles of each signal returned, over the months in which both ends have
-- enough stocks. annual_mean is 12 times the mean month; t_newey_west is told of the spread alone.
with deciles as (
    select
        cell,
        month_end,
        ret,
        replace(sort, '_decile', '') as signal_name
    from portfolio.portfolio_return
    where
        sort like '%\_decile' escape '\'
        and weighting = 'value'
        and ret is not null
),

both_ends as (
    select
        signal_name,
        month_end
    from deciles
    where cell = 'D10-D01'
)

select
    deciles.signal_name,
    deciles.cell,
    count(*) as months,
    min(deciles.month_end) as first_month,
    max(deciles.month_end) as last_month,
    any_value(earned.t_newey_west) as t_newey_west,
    avg(deciles.ret) * 12 as annual_mean
from deciles
inner join both_ends
    on
        deciles.signal_name = both_ends.signal_name
        and deciles.month_end = both_ends.month_end
left join portfolio.spread_statistics as earned
    on
        deciles.signal_name || '_decile' = earned.sort
        and deciles.cell = earned.cell
        and earned.weighting = 'value'
        and earned.period = 'full'
group by deciles.signal_name, deciles.cell
order by deciles.signal_name, deciles.cell
