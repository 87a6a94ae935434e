"""Speed and memory of the daily betas: ``python benchmarks/daily_betas.py``.

CAPM and FF3 with all statistics over 252 market days, on a simulated market with entries, exits and
gaps, read from Parquet in buckets of stocks. Against statsmodels' RollingOLS, which estimates every
day, every day's window is estimated here too; RollingOLS is timed on a sample of the stocks and
extrapolated by stock-days. Long histories are estimated at month ends, as the warehouse does. Each
measurement has a process of its own; times are CPU seconds, so that other work disturbs little.
"""

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from time import process_time

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.daily import (
    DAILY_MODELS,
    MIN_DAYS,
    WINDOW_DAYS,
    betas_of_every_day,
    daily_betas,
)
from factor_pipeline.compute.betas.market import market_betas
from factor_pipeline.compute.betas.market_days import DailyReturns, MarketDays
from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.months import MonthRange, add_months

START = date(1990, 1, 1)
BUCKET = 512
EVERY_DAY_BUCKET = 64
GAPS = 0.01
KIBIBYTES_PER_GB = 1e9 / 1024


def main() -> None:
    """Print the measurements."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        size = _alone(_write_market, path, options.stocks, options.years)
        _say(f"{size['rows']:,.0f} returns of {options.stocks:,} stocks, {size['days']:,.0f} days")
        ours = _alone(_every_day, path)
        _report("every day's window, CAPM and FF3", ours)
        theirs = _alone(_statsmodels, path, options.sample)
        seconds = theirs["seconds"] / theirs["rows"] * ours["rows"]
        _say(
            f"statsmodels RollingOLS: {seconds:.0f} s extrapolated from {options.sample} stocks "
            f"with {theirs['rows']:,.0f} returns, {seconds / ours['seconds']:.0f} times ours"
        )
        _report("month ends, CAPM and FF3", _alone(_month_ends, path))
        _report("month ends, all of the warehouse's figures", _alone(_all_figures, path))
    for share in (4, 2, 1):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            _alone(_write_market, path, options.long_stocks // share, options.long_years)
            _report(f"1/{share} of the long market, month ends", _alone(_month_ends, path))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stocks", type=int, default=4_500)
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--sample", type=int, default=8, help="stocks RollingOLS estimates")
    parser.add_argument("--long-stocks", type=int, default=11_500)
    parser.add_argument("--long-years", type=int, default=35)
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _report(what: str, result: dict[str, float]) -> None:
    _say(
        f"{what}: {result['rows']:,.0f} returns, {result['windows']:,.0f} windows, "
        f"{result['seconds']:.1f} s ({result['reading']:.1f} s more to read), "
        f"{result['seconds'] / result['rows'] * 1e6:.2f} s per million returns, "
        f"peak {result['peak']:.2f} GB in all"
    )


def _alone(measure: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Run a measurement in a fresh process, whose peak memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def _months(years: int) -> MonthRange:
    return MonthRange(START, add_months(START, 12 * years))


def _write_market(folder: Path, stocks: int, years: int) -> dict[str, float]:
    """Write factors and, in one file per bucket, returns from entries in the first fifth on."""
    months = _months(years)
    days = trading_days(months.start, months.end)
    rng = np.random.default_rng(1)
    draws = {name: rng.normal(0.0003, 0.01, len(days)) for name in ("mkt", "smb", "hml")}
    factors = pl.DataFrame({"date": days, "rf": np.full(len(days), 1e-4), **draws})
    factors.write_parquet(folder / "factors.parquet")
    rows = 0
    day = np.arange(len(days))[:, None]
    for first in range(0, stocks, BUCKET):
        ids = np.arange(first, min(first + BUCKET, stocks))
        values = rng.normal(1, 0.4, len(ids)) * draws["mkt"][:, None]
        values += rng.normal(0, 0.02, values.shape)
        entry = rng.integers(0, len(days) // 5, len(ids))
        shown = (day >= entry) & (rng.random(values.shape) > GAPS)
        stock, position = np.nonzero(shown.T)
        frame = pl.DataFrame(
            {
                "security_id": ids[stock],
                "date": factors["date"].gather(pl.Series(position).cast(pl.UInt32)),
                "ret": values[position, stock],
            }
        )
        frame.write_parquet(folder / f"returns_{first:06d}.parquet")
        rows += frame.height
    return {"rows": rows, "days": len(days)}


def _buckets(folder: Path, size: int) -> Iterator[tuple[pl.DataFrame, float]]:
    """Give the returns of ``size`` stocks at a time, and the seconds it took to read them."""
    for path in sorted(folder.glob("returns_*.parquet")):
        start = process_time()
        frame = pl.read_parquet(path)
        ids = frame["security_id"].unique().sort().to_list()
        for first in range(0, len(ids), size):
            some = ids[first : first + size]
            part = frame.filter(pl.col("security_id").is_between(some[0], some[-1]))
            yield part, process_time() - start
            start = process_time()


def _measured(
    folder: Path, size: int, estimate: Callable[[DailyReturns, pl.DataFrame, MonthRange], int]
) -> dict[str, float]:
    factors = pl.read_parquet(folder / "factors.parquet")
    first, last = factors["date"].to_list()[0], factors["date"].to_list()[-1]
    months = MonthRange.of_months(first, last)
    total = {"rows": 0.0, "windows": 0.0, "seconds": 0.0, "reading": 0.0}
    for returns, reading in _buckets(folder, size):
        start = process_time()
        grid = DailyReturns.of(returns, MarketDays.of(factors, months))
        windows = estimate(grid, factors, months)
        total["seconds"] += process_time() - start
        total["windows"] += windows
        total["rows"] += returns.height
        total["reading"] += reading
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTES_PER_GB
    return {**total, "peak": peak}


def _every_day(folder: Path) -> dict[str, float]:
    def estimate(grid: DailyReturns, factors: pl.DataFrame, months: MonthRange) -> int:
        return betas_of_every_day(grid, factors, months).height

    return _measured(folder, EVERY_DAY_BUCKET, estimate)


def _month_ends(folder: Path) -> dict[str, float]:
    def estimate(grid: DailyReturns, factors: pl.DataFrame, months: MonthRange) -> int:
        return daily_betas(grid, factors, _rows(grid, months), months).height

    return _measured(folder, BUCKET, estimate)


def _all_figures(folder: Path) -> dict[str, float]:
    def estimate(grid: DailyReturns, factors: pl.DataFrame, months: MonthRange) -> int:
        rows = _rows(grid, months)
        regressions = daily_betas(grid, factors, rows, months)
        # Dimson, correlation, ratio of volatilities, volatility.
        return regressions.height + 4 * market_betas(grid, factors, rows, months).height

    return _measured(folder, BUCKET, estimate)


def _rows(grid: DailyReturns, months: MonthRange) -> pl.DataFrame:
    ends = pl.date_range(months.start, months.end, "1mo", closed="left", eager=True)
    stocks = pl.DataFrame({"security_id": grid.securities})
    return pl.DataFrame({"month_end": ends.dt.month_end()}).join(stocks, how="cross")


def _statsmodels(folder: Path, stocks: int) -> dict[str, float]:
    rolling = import_module("statsmodels.regression.rolling").RollingOLS
    factors = pl.read_parquet(folder / "factors.parquet")
    known = factors.to_pandas().set_index("date")
    frame, _ = next(_buckets(folder, stocks))
    returns = frame.to_pandas().pivot(index="date", columns="security_id", values="ret")
    rows, start = 0, process_time()
    for stock in returns:
        own = returns[stock]
        own = own.loc[own.first_valid_index() : own.last_valid_index()]
        rows += int(own.notna().sum())
        excess = own - known["rf"].reindex(own.index)
        for model in DAILY_MODELS:
            design = known[list(model.series)].assign(alpha=1.0).reindex(own.index)
            fit = rolling(
                excess,
                design,
                window=WINDOW_DAYS,
                min_nobs=MIN_DAYS,
                missing="drop",
                expanding=True,
            ).fit()
            _ = fit.params, fit.bse, fit.tvalues, fit.rsquared, np.sqrt(fit.mse_resid), fit.nobs
    return {"rows": rows, "seconds": process_time() - start}


if __name__ == "__main__":
    main()
