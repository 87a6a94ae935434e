-- Grain: one row per build.
-- Which builds made the numbers, from which inputs and under which settings?
-- A month's numbers come from the newest build that covers it. Builds with equal inputs, settings
-- and code_version gave the same numbers. settings holds all settings in force, as JSON; the
-- columns after it are read from there. Times are UTC.
select
    build,
    finished_at,
    month_start,
    month_end,
    inputs,
    code_version,
    simulated,
    run_id,
    settings,
    settings ->> '$.prices.source' as prices,
    settings ->> '$.fundamentals.source' as fundamentals,
    settings ->> '$.library.vintage' as library_vintage,
    settings ->> '$.portfolios.breakpoints' as breakpoints,
    settings ->> '$.backtest.universe' as backtest_universe,
    settings ->> '$.panel.delisting_return' as delisting_return
from quality.build
order by build desc
