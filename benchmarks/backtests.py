"""Speed of the backtest: ``python benchmarks/backtests.py``.

A long-only strategy, the best fifth of a signal in equal parts, rebalanced each quarter at 0.10 %
of the traded notional; and a sweep of 100 variants. Peers get the same returns and the weights
ready-made (``pip install -e '.[peers]'``, or ``--peer-python`` with an interpreter that has them).
Each measurement has a process of its own; times are CPU seconds, so that other work disturbs
little. Peers compile before they are timed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from time import process_time

import numpy as np
import polars as pl

from factor_pipeline.compute.backtest import run
from factor_pipeline.compute.formation import Formation, targets
from factor_pipeline.compute.strategies import Strategy
from factor_pipeline.months import MonthRange, add_months

START = date(1960, 1, 1)
ONE = (Strategy(name="one", signals={"signal": 1.0}),)
SWEEP = tuple(
    Strategy(
        name=f"every_{months}_top_{share}",
        signals={"signal": 1.0},
        rebalance_months=months,
        top_share=share / 40,
    )
    for months in (1, 2, 3, 6, 12)
    for share in range(1, 21)
)
PEERS = Path(__file__).with_name("backtest_peers.py")


def main() -> None:
    """Print the measurements."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stocks, months = options.stocks, options.months
        one = _alone(_ours, stocks, months, "one")
        _say(f"{stocks:,} stocks, {months} months, one strategy: {one['seconds']:.2f} s")
        sweep = _alone(_ours, stocks, months, "sweep")
        ratio = sweep["seconds"] / one["seconds"]
        _say(f"{len(SWEEP)} strategies: {sweep['seconds']:.2f} s, {ratio:.1f} times one")
        _compare("vectorbt", one, stocks, options, folder)
        small = _alone(_ours, options.small, months, "one")
        _say(f"{options.small:,} stocks, {months} months: {small['seconds']:.2f} s")
        _compare("bt", small, options.small, options, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stocks", type=int, default=5_000)
    parser.add_argument("--months", type=int, default=744)
    parser.add_argument("--small", type=int, default=500, help="stocks that bt is given")
    parser.add_argument(
        "--peer-python", default=sys.executable, help="interpreter that has the peers installed"
    )
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _alone(measure: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Run a measurement in a fresh process."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def _market(stocks: int, months: int) -> tuple[pl.DataFrame, MonthRange]:
    draw = np.random.default_rng(1)
    every = MonthRange(START, add_months(START, months))
    ends = pl.date_range(every.start, every.end, "1mo", closed="left", eager=True).dt.month_end()
    size = stocks * months
    frame = pl.DataFrame(
        {
            "month_end": ends.gather(np.repeat(np.arange(months), stocks)),
            "security_id": np.tile(np.arange(stocks, dtype=np.int64), months),
            "member": np.ones(size, dtype=np.bool_),
            "lagged_market_equity": draw.lognormal(size=size),
            "signal": draw.normal(size=size),
            "ret": np.clip(draw.normal(0.01, 0.1, size), -0.9, 2.0),
        }
    )
    return frame, every


def _ours(stocks: int, months: int, what: str) -> dict[str, float]:
    strategies = {"one": ONE, "sweep": SWEEP}[what]
    frame, every = _market(stocks, months)
    returns = frame.select("security_id", "month_end", "ret")
    start = process_time()
    formation = Formation.of(frame, strategies)
    result = run(strategies, every, returns, formation, keep_holdings="last")
    seconds = process_time() - start
    first = result.returns.filter(pl.col("strategy") == strategies[0].name)
    return {"seconds": seconds, "value": float((first["net"] + 1.0).product())}


def _write_inputs(folder: Path, stocks: int, months: int) -> None:
    frame, _ = _market(stocks, months)
    shape = (months, stocks)
    weights = np.full(shape, np.nan)
    wanted = targets(frame, ONE)
    ends = frame["month_end"].unique().sort()
    row = ends.search_sorted(wanted["month_end"]).to_numpy()
    weights[np.unique(row)] = 0.0
    weights[row, wanted["security_id"].to_numpy()] = wanted["weight"].to_numpy()
    np.savez(
        folder / "inputs.npz",
        returns=frame["ret"].to_numpy().reshape(shape),
        weights=weights,
        cost=ONE[0].cost_per_traded,
    )


def _compare(
    peer: str,
    ours: dict[str, float],
    stocks: int,
    options: argparse.Namespace,
    folder: Path,
) -> None:
    _write_inputs(folder, stocks, options.months)
    command = [options.peer_python, str(PEERS), peer, str(folder / "inputs.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own interpreter
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        _say(f"{peer}: no comparison, {reason}")
        return
    theirs = json.loads(done.stdout.splitlines()[-1])
    ratio = theirs["seconds"] / ours["seconds"]
    distance = theirs["value"] / ours["value"] - 1
    _say(
        f"{peer} {theirs['version']}: {theirs['seconds']:.2f} s, {ratio:.0f} times ours; "
        f"its final value is {distance:+.2%} off ours"
    )


if __name__ == "__main__":
    main()
