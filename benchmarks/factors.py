"""Speed and memory of portfolios and factors: ``python benchmarks/factors.py``.

From stock-months to factor returns on a simulated market: breakpoints, cells, portfolio returns in
all weightings of every default sort, the factors, and the premia of all method variants. The
market has no daily returns, so that beta, volatility and quality are random numbers here: they
cost what real ones cost. Months are read from disk in blocks, as they are from the warehouse.

The 2x3 sort on size and book-to-market alone is then compared with the same in pandas, grouped and
vectorised, on the same rows in memory. Each measurement has a process of its own; times are CPU
seconds of all threads, so that other work disturbs little.

On two cores, 18.2 million stock-months (25,000 stocks, 744 months), 20 sorts, 10 signals: 35 s and
0.76 GiB from panel to factors, 70 s CPU (54 s on the clock) and 5.3 GiB for the statistics;
size-value sort 3.9 s, pandas 9.8 s, SMB and HML 1.6e-15 apart.
"""

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pandas as pd
import polars as pl

from factor_pipeline.compute.betting_against_beta import betting_against_beta
from factor_pipeline.compute.breakpoints import DEFAULT_BREAKPOINT_RULE, breakpoints
from factor_pipeline.compute.cell_returns import PortfolioRule
from factor_pipeline.compute.cells import SortedStocks
from factor_pipeline.compute.factors import FORMULAS, factor_returns
from factor_pipeline.compute.method_variants import method_variants
from factor_pipeline.compute.methods import Method
from factor_pipeline.compute.portfolios import cell_portfolio_returns
from factor_pipeline.compute.sorts import JULY, Sort, default_sorts, two_by_three
from factor_pipeline.compute.statistics.alphas import IS_SPREAD, alphas, excess_series, grs_tests
from factor_pipeline.compute.statistics.correlation import correlations
from factor_pipeline.compute.statistics.description import describe
from factor_pipeline.compute.statistics.fama_macbeth import (
    risk_premia,
    signal_premia,
    specifications,
)
from factor_pipeline.compute.statistics.information import (
    information_coefficients,
    information_summary,
)
from factor_pipeline.compute.statistics.rolling import rolling_means
from factor_pipeline.compute.statistics.spanning import spanning
from factor_pipeline.months import MonthRange, add_months, formation_july
from factor_pipeline.sources.simulated.monthly import START, monthly_factors, monthly_market

DRAWN = ("beta", "volatility_252d", "quality")
SIGNALS = (
    *("size", "book_to_market", "book_to_market_monthly", "momentum_12_2", "reversal_1"),
    *("operating_profitability", "investment", *DRAWN),
)
JUNE = frozenset({"book_to_market", "operating_profitability", "investment"})
SORTS = default_sorts(SIGNALS, june_signals=JUNE)
OF_RETURNS = ("ret", "lagged_market_equity", "exchange")
BLOCK_MONTHS = 24
GIBIBYTE = 2**20  # in KiB
# pandas computes the rank of a quantile in binary, which may fall short of the stock it is.
RANK_NOISE = 1e-12


def main() -> None:
    """Print the measurements."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "market.parquet"
        rows = _alone(_write_market, path, options.listed, options.months)["rows"]
        _say(f"{rows:,.0f} stock-months, {options.months} months, {len(SORTS)} sorts")
        full = _alone(_full_set, path, options.months)
        _say(
            f"panel to factors: {full['seconds']:.1f} s, peak {full['peak']:.2f} GiB, "
            f"{full['factors']:.0f} factors, {full['cells']:,.0f} portfolio returns"
        )
        found = _alone(_statistics, path)
        _say(
            f"statistics of {len(SIGNALS)} signals, all factors and all portfolios: "
            f"{found['seconds']:.1f} s CPU, {found['wall']:.1f} s on the clock, peak "
            f"{found['peak']:.2f} GiB, {found['figures']:,.0f} rows"
        )
        _say(
            f"panel to statistics: {full['seconds'] + found['seconds']:.0f} s CPU, "
            f"{full['wall'] + found['wall']:.0f} s on the clock"
        )
        sample = _alone(_method, path, options.months)
        _say(
            f"method variants of a sample of {sample['rows']:,.0f} stock-months: "
            f"{sample['seconds']:.1f} s"
        )
        ours = _alone(_size_value, path, options.months)
        _say(f"size-value sort: {ours['seconds']:.2f} s, peak {ours['peak']:.2f} GiB")
        theirs = _alone(_pandas_size_value, path)
        _say(
            f"pandas: {theirs['seconds']:.2f} s, peak {theirs['peak']:.2f} GiB; "
            f"ours takes {ours['seconds'] / theirs['seconds']:.2f} of its time"
        )
        difference = _difference(path)
        _say(f"largest difference of SMB and HML: {difference:.1e}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listed", type=int, default=25_000, help="stocks listed at a time")
    parser.add_argument("--months", type=int, default=744)
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _alone(measure: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Run a measurement in a fresh process, whose peak memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIBIBYTE


def _write_market(path: Path, listed: int, months: int) -> dict[str, float]:
    market = monthly_market(listed, months)
    rng = np.random.default_rng(1)
    drawn = {name: pl.Series(rng.normal(1, 0.3, market.height)) for name in DRAWN}
    # A row group for each few months, so that a block is read without the others.
    market.with_columns(**drawn).write_parquet(path, row_group_size=10 * listed)
    monthly_factors(months).write_parquet(path.with_name("rates.parquet"))
    return {"rows": market.height}


def _stocks(path: Path, months: MonthRange) -> pl.DataFrame:
    in_months = pl.col("month_end").is_between(months.start, months.end, closed="left")
    return pl.scan_parquet(path).filter(in_months).collect()


def _blocks(months: int) -> list[MonthRange]:
    end = add_months(START, months)
    starts = [add_months(START, first) for first in range(0, months, BLOCK_MONTHS)]
    return [MonthRange(start, min(add_months(start, BLOCK_MONTHS), end)) for start in starts]


def _portfolios(
    stocks: pl.DataFrame, months: MonthRange, sorts: tuple[Sort, ...], rule: PortfolioRule
) -> pl.DataFrame:
    cuts = breakpoints(stocks, sorts)
    known = SortedStocks.of(stocks, sorts, months, OF_RETURNS)
    return cell_portfolio_returns(
        known.current, ((sort, known.cells(sort, cuts)) for sort in sorts), rule
    )


def _full_set(path: Path, months: int) -> dict[str, float]:
    rates = pl.read_parquet(path.with_name("rates.parquet"))
    start, clock = process_time(), perf_counter()
    parts, levered = [], []
    for block in _blocks(months):
        stocks = _stocks(path, block.since(formation_july(block.start)))
        parts.append(_portfolios(stocks, block, SORTS, PortfolioRule()))
        current = stocks.filter(pl.col("month_end") >= block.start)
        levered.append(betting_against_beta(current, rates, min_stocks=3))
    portfolios = pl.concat(parts)
    factors = factor_returns(portfolios, rates)
    every = pl.concat([factors, pl.concat(levered).select(factors.columns)])
    seconds, wall = process_time() - start, perf_counter() - clock
    portfolios.write_parquet(path.with_name("portfolios.parquet"))
    every.drop_nulls("ret").write_parquet(path.with_name("factors.parquet"))
    return {
        "seconds": seconds,
        "wall": wall,
        "peak": _peak(),
        "cells": portfolios.height,
        "factors": every.drop_nulls("ret")["factor"].n_unique(),
    }


def _statistics(path: Path) -> dict[str, float]:
    """All that `assets.statistics` computes, on the signals the market has."""
    portfolios = pl.read_parquet(path.with_name("portfolios.parquet"))
    returns = pl.read_parquet(path.with_name("factors.parquet")).with_columns(
        source=pl.lit("own"), vintage=pl.lit(None, dtype=pl.String)
    )
    # The simulated market has one size factor.
    rates = pl.read_parquet(path.with_name("rates.parquet")).with_columns(smb_ff5="smb")
    key = ("source", "vintage", "factor")
    spread = ("sort", "cell", "weighting")
    start, clock = process_time(), perf_counter()
    stocks = pl.read_parquet(path, columns=["security_id", "month_end", "ret", *SIGNALS])
    coefficients = information_coefficients(stocks, SIGNALS)
    excess = excess_series(portfolios, rates)
    frames = [
        coefficients,
        information_summary(coefficients),
        signal_premia(stocks, specifications(SIGNALS)),
        describe(portfolios.filter(IS_SPREAD), spread, ("weighting",)),
        describe(returns, key, ("source", "vintage")),
        correlations(returns),
        rolling_means(returns, key),
        spanning(returns),
        alphas(excess, rates),
        grs_tests(excess, rates),
        risk_premia(excess, rates),
    ]
    return {
        "seconds": process_time() - start,
        "wall": perf_counter() - clock,
        "peak": _peak(),
        "figures": sum(frame.height for frame in frames),
    }


def _method(path: Path, months: int) -> dict[str, float]:
    """Premia of the variants, which take all months at once, of one stock in 25."""
    stocks = pl.scan_parquet(path).filter(pl.col("security_id") % 25 == 0).collect()
    delisted = pl.DataFrame(
        schema={
            "security_id": pl.Int64,
            "month_end": pl.Date,
            **dict.fromkeys(("ret", "compounded", "price", "delisting_return"), pl.Float64),
            **dict.fromkeys(("exchange", "delisting_reason"), pl.String),
        }
    )
    method = Method(DEFAULT_BREAKPOINT_RULE, PortfolioRule(), "-30%")
    start = process_time()
    method_variants(stocks, delisted, MonthRange(START, add_months(START, months)), method)
    return {"seconds": process_time() - start, "rows": stocks.height}


def _of_size_and_value(path: Path) -> pl.DataFrame:
    columns = ["security_id", "month_end", "exchange", "ret", "lagged_market_equity", "size"]
    return pl.read_parquet(path, columns=[*columns, "book_to_market"])


def _size_value(path: Path, months: int) -> dict[str, float]:
    stocks = _of_size_and_value(path)
    no_rates = pl.DataFrame(schema={"month_end": pl.Date, "rf": pl.Float64})
    start = process_time()
    sorts = (two_by_three("book_to_market", "june"),)
    every = MonthRange(START, add_months(START, months))
    portfolios = _portfolios(stocks, every, sorts, PortfolioRule(weightings=("value",)))
    formulas = [formula for formula in FORMULAS if formula.factor in {"SMB", "HML"}]
    factors = factor_returns(portfolios, no_rates, formulas)
    seconds = process_time() - start
    factors.write_parquet(path.with_name("ours.parquet"))
    return {"seconds": seconds, "peak": _peak()}


def _pandas_size_value(path: Path) -> dict[str, float]:
    stocks = _of_size_and_value(path).to_pandas()
    start = process_time()
    ends = pd.DatetimeIndex(stocks["month_end"])
    stocks["formation"] = ends.year - (ends.month < JULY)
    july = stocks[ends.month == JULY]
    cuts = (
        july[july["exchange"] == "NYSE"]
        .groupby("formation")[["size", "book_to_market"]]
        .quantile([0.3, 0.5, 0.7])
        .unstack()
    )
    cuts = cuts + RANK_NOISE * cuts.abs()
    of_row = cuts.reindex(july["formation"]).set_index(july.index)
    size, value = july["size"], july["book_to_market"]
    big = (size > of_row["size", 0.5]).astype(int)
    group = (value > of_row["book_to_market", 0.3]).astype(int)
    group += value > of_row["book_to_market", 0.7]
    known = size.notna() & value.notna() & of_row.notna().all(axis=1)
    cells = july[["security_id", "formation"]].assign(cell=3 * big + group)[known]
    held = stocks[stocks["ret"].notna() & (stocks["lagged_market_equity"] > 0)]
    held = held.merge(cells, on=["security_id", "formation"])
    held["weighted"] = held["ret"] * held["lagged_market_equity"]
    grouped = held.groupby(["month_end", "cell"])[["weighted", "lagged_market_equity"]]
    sums, counts = grouped.sum(), grouped.size()
    cell = (sums["weighted"] / sums["lagged_market_equity"]).where(counts >= 3).unstack()  # noqa: PLR2004
    small_growth, small_neutral, small_value, big_growth, big_neutral, big_value = (
        cell[name] for name in range(6)
    )
    factors = pd.DataFrame(
        {
            "SMB": (small_value + small_neutral + small_growth) / 3
            - (big_value + big_neutral + big_growth) / 3,
            "HML": (small_value + big_value) / 2 - (small_growth + big_growth) / 2,
        }
    )
    seconds = process_time() - start
    pl.from_pandas(factors.reset_index()).write_parquet(path.with_name("theirs.parquet"))
    return {"seconds": seconds, "peak": _peak()}


def _difference(path: Path) -> float:
    """Largest difference between the two, over the months that must be the same."""
    ours = pl.read_parquet(path.with_name("ours.parquet")).drop_nulls("ret")
    theirs = pl.read_parquet(path.with_name("theirs.parquet")).with_columns(
        pl.col("month_end").cast(pl.Date)
    )
    long = theirs.unpivot(index="month_end", variable_name="factor", value_name="theirs")
    both = ours.join(long.drop_nulls("theirs"), on=["month_end", "factor"], how="full")
    if sum(both.null_count().row(0)):
        raise SystemExit("a month has a factor in one implementation only")
    first: date = both["month_end"].to_list()[0]
    _say(f"{both.height} returns compared, from {first:%Y-%m} on")
    difference = both.select((pl.col("ret") - pl.col("theirs")).abs().max()).item()
    return float(difference)


if __name__ == "__main__":
    main()
