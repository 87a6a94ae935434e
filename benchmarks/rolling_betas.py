"""Speed and memory of the rolling betas: ``python benchmarks/rolling_betas.py``.

Carhart regressions with all statistics, frame to frame, on a simulated market with entries, exits
and gaps. Peers (``pip install -e '.[peers]'``) are timed on a sample of its stocks and extrapolated
by stock-months. Each measurement has a process of its own; times are CPU seconds, so that other
work disturbs little.

What bounds it (profile of the 4.4 million, 2.9 s): 1.3 s are arithmetic on blocks of 256 stocks
that stay in the cache, 1.1 s the first touch of 0.7 GB of results, the rest sorting and placing
rows. A copy of the same bytes takes 0.2 s: memory bandwidth is an order of magnitude away, and one
thread does all the work.
"""

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import polars as pl

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.rolling import MIN_MONTHS, WINDOW_MONTHS, rolling_betas
from factor_pipeline.months import MonthRange
from factor_pipeline.sources.simulated.monthly import monthly_factors, monthly_market

CARHART = next(model for model in MODELS if model.name == "Carhart")
SHARES = (4, 2, 1)
KIBIBYTES_PER_GB = 1e9 / 1024


def main() -> None:
    """Print the measurements."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        size = _alone(_write_market, path, options.listed, options.months)
        rows, stocks = size["rows"], size["stocks"]
        _say(f"{rows:,.0f} stock-months of {stocks:,.0f} stocks, {options.months} months")
        full: dict[str, float] = {}
        for share in SHARES:
            full = _alone(_full_build, path, share)
            _say(
                f"1/{share} of the stocks: {full['seconds']:.2f} s, "
                f"{full['seconds'] / full['rows'] * 1e6:.2f} s per million, "
                f"peak {full['peak']:.2f} GB above the input"
            )
        _say(
            "a copy of as many bytes as input and result have: "
            f"{_alone(_copy, full['bytes'])['seconds']:.2f} s"
        )
        nightly = _alone(_nightly, path)
        _say(f"one month of {nightly['rows']:,.0f} stocks: {nightly['seconds']:.2f} s")
        _say(f"equal to the full build bit for bit: {bool(nightly['equal'])}")
        peers: dict[str, Callable[..., dict[str, float]]] = {
            "statsmodels RollingOLS": _statsmodels,
            "tidyfinance (betas only)": _tidyfinance,
            "polars_ols (betas only, windows of rows)": _polars_ols,
        }
        for name, measure in peers.items():
            if find_spec(name.split()[0]) is None:
                _say(f"{name.split()[0]} is not installed: no comparison")
                continue
            theirs = _alone(measure, path, options.sample)
            seconds = theirs["seconds"] / theirs["rows"] * full["rows"]
            _say(
                f"{name}: {seconds:.0f} s extrapolated from {options.sample} stocks with "
                f"{theirs['rows']:,.0f} stock-months, {seconds / full['seconds']:.0f} times ours"
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listed", type=int, default=6_000, help="stocks listed at a time")
    parser.add_argument("--months", type=int, default=744)
    parser.add_argument("--sample", type=int, default=100, help="stocks the peers estimate")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _alone(measure: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Run a measurement in a fresh process, whose peak memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def _write_market(folder: Path, listed: int, months: int) -> dict[str, float]:
    market = monthly_market(listed, months).select("security_id", "month_end", "ret")
    market.write_parquet(folder / "market.parquet")
    monthly_factors(months).write_parquet(folder / "factors.parquet")
    return {"rows": market.height, "stocks": market["security_id"].n_unique()}


def _inputs(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, MonthRange]:
    market = pl.read_parquet(folder / "market.parquet")
    factors = pl.read_parquet(folder / "factors.parquet")
    first, last = factors["month_end"].to_list()[0], factors["month_end"].to_list()[-1]
    return market, factors, MonthRange.of_months(first, last)


def _full_build(folder: Path, share: int) -> dict[str, float]:
    market, factors, months = _inputs(folder)
    every = market["security_id"].rank("dense") % share == 0
    market = market.filter(every) if share > 1 else market
    before = _resident()
    start = process_time()
    result = rolling_betas(market, factors, months, models=[CARHART])
    seconds = process_time() - start
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / KIBIBYTES_PER_GB
    if share == 1:
        last = result.filter(pl.col("month_end") == months.end - timedelta(days=1))
        last.write_parquet(folder / "last_month.parquet")
    size = market.estimated_size() + result.estimated_size()
    return {"rows": result.height, "seconds": seconds, "peak": peak, "bytes": size}


def _copy(size: float) -> dict[str, float]:
    """Time to read and write ``size`` bytes in all, in memory touched before."""
    source = np.ones(int(size) // 16)
    target = np.empty_like(source)
    np.copyto(target, source)
    start = process_time()
    np.copyto(target, source)
    return {"seconds": process_time() - start}


def _resident() -> float:
    """Memory of this process now, in KiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return float(line.split()[1])
    return 0.0


def _nightly(folder: Path) -> dict[str, float]:
    market, factors, months = _inputs(folder)
    last: date = months.end - timedelta(days=1)
    month = MonthRange.of_months(last, last)
    recent = pl.col("month_end") >= month.widened(back=WINDOW_MONTHS - 1).start
    window, known = market.filter(recent), factors.filter(recent)
    start = process_time()
    result = rolling_betas(window, known, month, models=[CARHART])
    seconds = process_time() - start
    same = result.equals(pl.read_parquet(folder / "last_month.parquet"))
    return {"rows": result.height, "seconds": seconds, "equal": same}


def _sample(folder: Path, stocks: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the returns of some stocks, a column each, and the factors, by month."""
    market, factors, _ = _inputs(folder)
    ids = market["security_id"].unique().sort()
    chosen = ids.sample(min(stocks, len(ids)), seed=1)
    rows = market.filter(pl.col("security_id").is_in(chosen.implode())).to_pandas()
    known = factors.to_pandas().set_index("month_end")
    return rows.pivot(index="month_end", columns="security_id", values="ret"), known


def _statsmodels(folder: Path, stocks: int) -> dict[str, float]:
    rolling = import_module("statsmodels.regression.rolling").RollingOLS
    returns, known = _sample(folder, stocks)
    design = known[list(CARHART.series)].assign(alpha=1.0)
    rows, start = 0, process_time()
    for stock in returns:
        own = returns[stock]
        own = own.loc[own.first_valid_index() : own.last_valid_index()]
        rows += int(own.notna().sum())
        if len(own) < MIN_MONTHS:
            continue
        excess = own - known["rf"].reindex(own.index)
        fit = rolling(
            excess,
            design.reindex(own.index),
            window=min(WINDOW_MONTHS, len(own)),
            min_nobs=MIN_MONTHS,
            missing="drop",
            expanding=True,
        ).fit()
        _ = fit.params, fit.bse, fit.tvalues, fit.rsquared, np.sqrt(fit.mse_resid), fit.nobs
    return {"rows": rows, "seconds": process_time() - start}


def _long(folder: Path, stocks: int) -> pl.DataFrame:
    """Return excess returns of some stocks beside the factors, a row each."""
    market, factors, _ = _inputs(folder)
    ids = market["security_id"].unique().sort()
    chosen = ids.sample(min(stocks, len(ids)), seed=1)
    return (
        market.filter(pl.col("security_id").is_in(chosen.implode()), pl.col("ret").is_not_null())
        .join(factors, on="month_end")
        .with_columns(ret_excess=pl.col("ret") - pl.col("rf"))
        .sort("security_id", "month_end")
    )


def _tidyfinance(folder: Path, stocks: int) -> dict[str, float]:
    estimate = import_module("tidyfinance").estimate_betas
    data = _long(folder, stocks)
    names = {"id": "security_id", "date": "month_end"}
    formula = f"ret_excess ~ {' + '.join(CARHART.series)}"
    start = process_time()
    estimate(data, formula, f"{WINDOW_MONTHS}mo", min_obs=MIN_MONTHS, data_options=names)
    return {"rows": data.height, "seconds": process_time() - start}


def _polars_ols(folder: Path, stocks: int) -> dict[str, float]:
    """Windows of rows, not of months: polars-ols knows no calendar."""
    rolling = import_module("polars_ols").compute_rolling_least_squares
    choices = import_module("polars_ols").RollingKwargs(
        null_policy="drop_window", window_size=WINDOW_MONTHS, min_periods=MIN_MONTHS
    )
    data = _long(folder, stocks)
    betas = rolling(
        "ret_excess",
        *(pl.col(series) for series in CARHART.series),
        add_intercept=True,
        mode="coefficients",
        rolling_kwargs=choices,
    )
    start = process_time()
    data.select(betas.over("security_id").alias("betas"))
    return {"rows": data.height, "seconds": process_time() - start}


if __name__ == "__main__":
    main()
