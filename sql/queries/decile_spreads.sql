-- Grain: one row per signal and decade, and one per signal over all decades.
-- What did each signal's highest decile earn over its lowest, decade by decade?
-- Deciles are formed on what was known before the month, so that no return is foreseen. annual_mean
-- is 12 times the mean month, volatility is per year (decimals); t is plain, without correction for
-- autocorrelation. D10 is the HIGHEST value of the signal: a size premium is a spread below 0, and
-- so is a reversal. Months in which a decile has too few stocks are left out.
with settings as (
    select 'value' as weighting
),

spreads as (
    select
        portfolio_return.month_end,
        portfolio_return.ret,
        portfolio_return.stocks,
        replace(portfolio_return.sort, '_decile', '') as signal_name,
        year(portfolio_return.month_end) // 10 * 10 || 's' as decade
    from portfolio.portfolio_return
    inner join settings
        on portfolio_return.weighting = settings.weighting
    where
        portfolio_return.cell = 'D10-D01'
        and portfolio_return.ret is not null
)

select
    signal_name,
    coalesce(decade, 'all') as decade,
    count(*) as months,
    min(month_end) as first_month,
    max(month_end) as last_month,
    avg(ret) * 12 as annual_mean,
    stddev_samp(ret) * sqrt(12) as volatility,
    avg(ret) / nullif(stddev_samp(ret), 0) * sqrt(count(*)) as t,
    avg(stocks) as average_stocks
from spreads
group by grouping sets ((signal_name, decade), (signal_name))
order by signal_name, decade
