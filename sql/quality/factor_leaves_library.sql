-- Grain: one row per (subject, fault_date).
-- First months of spells in which an own factor's correlation with the library's over 24 months is
-- far below that of all months before these, in standard errors of Fisher's z. Correlations count
-- up to 0.98: above, errors are of other kinds than sampling.
-- Parameters: $threshold (standard errors), $vintage (of the library).
with pairs as (
    select
        own.factor,
        own.month_end,
        corr(own.ret, theirs.ret) over two_years as rolling,
        corr(own.ret, theirs.ret) over so_far as earlier_correlation,
        count(*) over two_years as months,
        count(*) over so_far as earlier_months
    from factor.factor_return as own
    inner join factor.factor_return as theirs
        on
            own.factor = theirs.factor
            and own.month_end = theirs.month_end
            and theirs.source = 'library'
            and theirs.vintage = $vintage
    where own.source = 'own'
    window
        two_years as (
            partition by own.factor
            order by own.month_end
            rows between 23 preceding and current row
        ),
        so_far as (
            partition by own.factor
            order by own.month_end
            rows between unbounded preceding and 24 preceding
        )
),

falls as (
    select
        factor,
        month_end,
        rolling,
        earlier_correlation,
        (atanh(least(earlier_correlation, 0.98)) - atanh(least(rolling, 0.98)))
        / sqrt(1 / 21 + 1 / (earlier_months - 3)) as standard_errors
    from pairs
    where
        months = 24
        and earlier_months >= 36
        and isfinite(rolling)
        and rolling > -1
),

spells as (
    select
        *,
        lag(standard_errors) over (partition by factor order by month_end) as earlier
    from falls
)

select
    factor as subject,
    month_end as fault_date,
    month_end as known_date,
    rolling as figure,
    earlier_correlation as expected,
    'correlation with the library over 24 months, against all months before' as detail,
    cast(null as varchar) as file
from spells
where
    standard_errors > $threshold
    and coalesce(earlier <= $threshold, true)
