-- Grain: one row per beta and stock.
-- Which stocks move most with the market, with small stocks and with value stocks today?
-- The highest of each beta, of the model in risk.exposure. Edit stocks for longer lists. percentile
-- is the share of the ranked stocks whose beta is at most that of the stock; equal betas share a
-- place. t is the beta over its standard error: a high beta with a low t may be chance. Known at
-- the END of month_end.
with settings as (
    select
        10 as stocks,
        (
            select max(month_end)
            from risk.exposure
            where stocks > 0
        ) as month_end
),

standings as (
    select
        exposure.security_id,
        exposure.month_end,
        exposure.stock_type,
        settings.stocks as wanted,
        unnest(['beta_mkt', 'beta_smb', 'beta_hml', 'beta_umd', 'beta_rmw', 'beta_cma']) as loading,
        unnest([1, 2, 3, 4, 5, 6]) as loading_order,
        unnest([
            exposure.rank_mkt, exposure.rank_smb, exposure.rank_hml,
            exposure.rank_umd, exposure.rank_rmw, exposure.rank_cma
        ]) as place,
        unnest([
            exposure.percentile_mkt, exposure.percentile_smb, exposure.percentile_hml,
            exposure.percentile_umd, exposure.percentile_rmw, exposure.percentile_cma
        ]) as percentile,
        unnest([
            betas.beta_mkt, betas.beta_smb, betas.beta_hml,
            betas.beta_umd, betas.beta_rmw, betas.beta_cma
        ]) as beta,
        unnest([betas.t_mkt, betas.t_smb, betas.t_hml, betas.t_umd, betas.t_rmw, betas.t_cma]) as t
    from settings
    inner join risk.exposure
        on settings.month_end = exposure.month_end
    inner join risk.rolling_beta as betas
        on
            exposure.security_id = betas.security_id
            and exposure.month_end = betas.month_end
            and exposure.model = betas.model
)

select
    standings.loading,
    standings.place,
    stock_month.ticker,
    standings.stock_type,
    standings.beta,
    standings.t,
    standings.percentile,
    standings.month_end
from standings
inner join panel.security_month as stock_month
    on
        standings.security_id = stock_month.security_id
        and standings.month_end = stock_month.month_end
where standings.place <= standings.wanted
order by standings.loading_order, standings.place, standings.security_id
