-- Grain: one row per factor and calendar year.
-- How many stocks is each factor made of?
-- average_stocks counts the stocks of all its portfolios in a month, of the sort with the fewest
-- where it is made of several; fewest_in_a_portfolio is the thinnest portfolio of any month: with a
-- handful of stocks the factor is their luck. months_with_return counts the months in which no
-- portfolio was too thin. left_out are stocks that belong to a portfolio but have no return or
-- market equity, per month. Years without any stock are not listed, nor is BAB, which is made of
-- all stocks with a beta.
with portfolios_of (factor, sort_name, weighting, cells) as (
    values
    ('MKT', 'market', 'value', ['All']),
    ('SMB', 'size_value_2x3', 'value', ['SV', 'SN', 'SG', 'BV', 'BN', 'BG']),
    ('HML', 'size_value_2x3', 'value', ['SV', 'BV', 'SG', 'BG']),
    ('SMB_FF5', 'size_value_2x3', 'value', ['SV', 'SN', 'SG', 'BV', 'BN', 'BG']),
    ('SMB_FF5', 'size_profitability_2x3', 'value', ['SR', 'SN', 'SW', 'BR', 'BN', 'BW']),
    ('SMB_FF5', 'size_investment_2x3', 'value', ['SC', 'SN', 'SA', 'BC', 'BN', 'BA']),
    ('UMD', 'size_momentum_2x3', 'value', ['SH', 'BH', 'SL', 'BL']),
    ('UMD_EW', 'momentum_12_2_tercile', 'equal', ['High', 'Low']),
    ('RMW', 'size_profitability_2x3', 'value', ['SR', 'BR', 'SW', 'BW']),
    ('CMA', 'size_investment_2x3', 'value', ['SC', 'BC', 'SA', 'BA']),
    ('QMJ', 'size_quality_2x3', 'value', ['SQ', 'BQ', 'SJ', 'BJ']),
    ('LOWVOL', 'volatility_252d_tercile', 'value', ['Low', 'High'])
),

by_sort as (
    select
        portfolios_of.factor,
        portfolio_return.month_end,
        sum(portfolio_return.stocks) as stocks,
        min(portfolio_return.stocks) as fewest,
        sum(portfolio_return.missing) as missing
    from portfolio.portfolio_return
    inner join portfolios_of
        on
            portfolio_return.sort = portfolios_of.sort_name
            and portfolio_return.weighting = portfolios_of.weighting
            and list_contains(portfolios_of.cells, portfolio_return.cell)
    group by portfolios_of.factor, portfolios_of.sort_name, portfolio_return.month_end
),

months as (
    select
        factor,
        month_end,
        min(stocks) as stocks,
        min(fewest) as fewest,
        max(missing) as missing
    from by_sort
    group by factor, month_end
)

select
    months.factor,
    year(months.month_end) as calendar_year,
    count(own.ret) as months_with_return,
    avg(months.stocks) as average_stocks,
    min(months.fewest) as fewest_in_a_portfolio,
    avg(months.missing) as left_out
from months
left join factor.factor_return as own
    on
        months.factor = own.factor
        and months.month_end = own.month_end
        and own.source = 'own'
group by months.factor, calendar_year
having sum(months.stocks) > 0
order by months.factor, calendar_year
