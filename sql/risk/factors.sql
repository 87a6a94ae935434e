-- Grain: one row per month.
-- Factors of the beta models side by side, NULL where missing, with the library's risk-free rate.
-- $source 'own' takes the factors made of our own portfolios.
-- $vintage 'latest' takes each library series from the newest vintage that has it: momentum comes
-- in a file of its own, whose vintages can be others.
-- Parameters: $source, $vintage, $month_start (inclusive), $month_end (exclusive).
with chosen as (
    select
        month_end,
        factor,
        ret,
        vintage,
        max(vintage) over (partition by factor) as newest
    from factor.factor_return
    where source = case when factor = 'RF' then 'library' else $source end
)

select
    month_end,
    max(ret) filter (factor = 'RF') as rf,
    max(ret) filter (factor = 'MKT') as mkt,
    max(ret) filter (factor = 'SMB') as smb,
    max(ret) filter (factor = 'SMB_FF5') as smb_ff5,
    max(ret) filter (factor = 'HML') as hml,
    max(ret) filter (factor = 'UMD') as umd,
    max(ret) filter (factor = 'RMW') as rmw,
    max(ret) filter (factor = 'CMA') as cma
from chosen
where
    month_end >= $month_start
    and month_end < $month_end
    and (vintage is null or vintage = case when $vintage = 'latest' then newest else $vintage end)
group by month_end
order by month_end
