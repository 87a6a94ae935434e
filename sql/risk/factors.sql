-- Grain: one row per month.
-- Factors of the beta models side by side, NULL where missing, with the library's risk-free rate.
-- $source 'own' takes all factors but that rate from our own portfolios.
-- Parameters: $source, $vintage, $month_start (inclusive), $month_end (exclusive).
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
from factor.factor_return
where
    source = case when factor = 'RF' then 'library' else $source end
    and month_end >= $month_start
    and month_end < $month_end
    and (vintage is null or vintage = $vintage)
group by month_end
order by month_end
