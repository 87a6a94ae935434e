-- Grain: one row per signal and calendar year.
-- Do the signals predict returns from stock to stock?
-- The rank correlation, across stocks, of a signal with the return of the SAME month_end: signal
-- rows are known before their month begins, so this looks one month ahead, and shifting either side
-- would look into the future or throw a month away. Averaged over the year's months; t tests that
-- average against 0. Months with fewer than min_stocks stocks are left out. Stocks count alike,
-- however small; a month in which a signal is the same for all says nothing.
with settings as (
    select 30 as min_stocks
),

observations as (
    unpivot (
        select
            characteristic.month_end,
            security_month.ret,
            characteristic.size,
            characteristic.book_to_market,
            characteristic.momentum_12_2,
            characteristic.reversal_1
        from signal.characteristic
        inner join panel.security_month
            on
                characteristic.security_id = security_month.security_id
                and characteristic.month_end = security_month.month_end
        where security_month.ret is not null
    )
    on size, book_to_market, momentum_12_2, reversal_1
    into name signal_name value signal_value
),

ranked as (
    select
        signal_name,
        month_end,
        rank() over (
            partition by signal_name, month_end
            order by signal_value
        ) + (count(*) over (partition by signal_name, month_end, signal_value) - 1) / 2
            as signal_rank,
        rank() over (
            partition by signal_name, month_end
            order by ret
        ) + (count(*) over (partition by signal_name, month_end, ret) - 1) / 2
            as return_rank
    from observations
),

months as (
    select
        ranked.signal_name,
        ranked.month_end,
        count(*) as stocks,
        nullif(corr(ranked.signal_rank, ranked.return_rank), 'nan') as rank_correlation
    from ranked
    cross join settings
    group by ranked.signal_name, ranked.month_end, settings.min_stocks
    having count(*) >= settings.min_stocks
)

select
    signal_name,
    year(month_end) as calendar_year,
    count(rank_correlation) as months,
    avg(stocks) as average_stocks,
    avg(rank_correlation) as rank_correlation,
    avg(rank_correlation) / nullif(stddev_samp(rank_correlation), 0)
    * sqrt(count(rank_correlation)) as t
from months
group by signal_name, calendar_year
order by signal_name, calendar_year
