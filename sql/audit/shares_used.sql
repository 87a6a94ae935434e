-- Grain: one row per (security_id, month_end) of the panel with shares.
-- Which filings can the share count of a stock-month stem from, and was one of them public in time?
-- Written apart from the pipeline's own code: filings are matched by the figure itself.
-- Parameters: $lag_months (of filings without a date), $tolerance (relative).
with vendors as (
    select
        vendor_id,
        arg_max(security_id, valid_from) as security_id
    from panel.security
    group by vendor_id
),

splits as (
    select
        vendor_id,
        date,
        product(split) over (partition by vendor_id order by date) as factor
    from raw.price_daily
    where split <> 1
),

filings as (
    select
        vendors.security_id,
        filing.shares / coalesce(splits.factor, 1) as shares_before_splits,
        coalesce(
            filing.filed_at,
            last_day(filing.period_end + to_months(cast($lag_months as integer)))
        ) as public_at
    from raw.fundamental as filing
    inner join vendors on filing.vendor_id = vendors.vendor_id
    asof left join splits
        on
            filing.vendor_id = splits.vendor_id
            and coalesce(filing.shares_basis_date, filing.period_end) >= splits.date
    where
        filing.statement = 'balance'
        and filing.shares is not null
),

used as (
    select
        panel.security_id,
        panel.month_end,
        panel.last_date,
        panel.shares,
        coalesce(splits.factor, 1) as day_factor
    from panel.security_month as panel
    inner join vendors on panel.security_id = vendors.security_id
    asof left join splits
        on
            vendors.vendor_id = splits.vendor_id
            and panel.last_date >= splits.date
    where panel.shares is not null
),

matched as (
    select
        used.security_id,
        used.month_end,
        used.last_date,
        used.shares,
        filings.public_at,
        filings.shares_before_splits * used.day_factor as candidate
    from used
    left join filings on used.security_id = filings.security_id
)

select
    security_id,
    month_end,
    last_date as used_on,
    shares as used_value,
    min(public_at) filter (abs(candidate / shares - 1) < $tolerance) as public_at
from matched
group by all
order by month_end, security_id
