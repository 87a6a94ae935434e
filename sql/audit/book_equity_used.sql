-- Grain: one row per (figure, security_id, month_end) with a book-to-market ratio.
-- Which filings can the book equity of a ratio stem from, and was one of them public in time?
-- Written apart from the pipeline's own code: filings are matched by the figure itself.
-- Parameters: $lag_months (of filings without a date), $tolerance (relative), $deferred_taxes.
with trading as (
    select
        last_day(date) as month_end,
        max(date) as last_trading_day
    from raw.price_daily
    group by last_day(date)
),

latest as (
    select
        vendor_id,
        arg_max(security_id, valid_from) as security_id
    from panel.security
    group by vendor_id
),

filings as (
    select
        latest.security_id,
        coalesce(
            filing.filed_at,
            last_day(filing.period_end + to_months(cast($lag_months as integer)))
        ) as public_at,
        coalesce(filing.total_equity, filing.total_assets - filing.total_liabilities)
        + case
            when
                $deferred_taxes = 'always'
                or ($deferred_taxes = 'until_1993' and year(filing.period_end) < 1993)
                then coalesce(filing.deferred_taxes, 0)
            else 0
        end
        - coalesce(filing.preferred_stock, 0) as book_equity
    from raw.fundamental as filing
    inner join latest on filing.vendor_id = latest.vendor_id
    where filing.statement = 'balance'
),

firms as (
    select distinct
        firm_id,
        month_end,
        firm_market_equity
    from panel.security_month
),

formed as (
    select
        *,
        year(month_end) - cast(month(month_end) < 7 as integer) as formation_year
    from signal.characteristic
),

ratios as (
    select
        formed.security_id,
        formed.month_end,
        'book_to_market' as figure,
        formed.book_to_market as used_value,
        december.firm_market_equity as market_equity,
        make_date(formed.formation_year, 6, 30) as known_month_end
    from formed
    left join panel.security_month as month_before
        on
            formed.security_id = month_before.security_id
            and month_before.month_end = last_day(formed.month_end - interval 1 month)
    left join firms as december
        on
            month_before.firm_id = december.firm_id
            and december.month_end = make_date(formed.formation_year - 1, 12, 31)
    where formed.book_to_market is not null
    union all
    select
        security_id,
        month_end,
        'book_to_market_monthly' as figure,
        book_to_market_monthly as used_value,
        size as market_equity,
        last_day(month_end - interval 1 month) as known_month_end
    from formed
    where book_to_market_monthly is not null
)

select
    ratios.figure,
    ratios.security_id,
    ratios.month_end,
    trading.last_trading_day as used_on,
    ratios.used_value,
    min(filings.public_at) filter (
        abs(filings.book_equity / ratios.market_equity / ratios.used_value - 1) < $tolerance
    ) as public_at
from ratios
left join trading on ratios.known_month_end = trading.month_end
left join filings on ratios.security_id = filings.security_id
group by all
order by ratios.month_end, ratios.security_id, ratios.figure
