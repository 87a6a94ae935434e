"""Peers of the backtest, timed: ``python benchmarks/backtest_peers.py vectorbt inputs.npz``.

Needs the peer, NumPy and pandas only, so that any interpreter that has them can run it. Trades of a
month happen at the close of the month before. Prints a line of JSON.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

WARM_UP = (24, 50)
# bt takes an amount as spent when it is within 1e-8: with much capital it searches without end.
CAPITAL = 1e3


def main() -> None:
    """Time the peer named by the first argument on the file named by the second."""
    peer, path = sys.argv[1:]
    inputs = np.load(path)
    returns, weights, cost = inputs["returns"], inputs["weights"], float(inputs["cost"])
    days = pd.date_range("1959-12-31", periods=len(returns) + 1, freq="ME")
    names = [str(i) for i in range(returns.shape[1])]
    start = np.ones((1, returns.shape[1]))
    prices = pd.DataFrame(np.vstack([start, np.cumprod(1 + returns, axis=0)]), days, names)
    # Weights of a month belong to the close before it; after the last one nothing is traded.
    last = np.full((1, returns.shape[1]), np.nan)
    wanted = pd.DataFrame(np.vstack([weights, last]), days, names)
    module = import_module(peer)
    measure = {"vectorbt": _vectorbt, "bt": _bt}[peer]
    _timed(measure, module, _part(prices), _part(wanted), cost)
    seconds, value = _timed(measure, module, prices, wanted, cost)
    told = {"seconds": seconds, "value": value, "version": version(peer)}
    sys.stdout.write(f"{json.dumps(told)}\n")


def _part(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[: WARM_UP[0], : WARM_UP[1]]


def _timed(
    measure: Callable[[Any, pd.DataFrame, pd.DataFrame, float], float],
    module: Any,  # noqa: ANN401 - a module without types
    prices: pd.DataFrame,
    weights: pd.DataFrame,
    cost: float,
) -> tuple[float, float]:
    start = process_time()
    value = measure(module, prices, weights, cost)
    return process_time() - start, value


def _vectorbt(
    module: Any,  # noqa: ANN401
    prices: pd.DataFrame,
    weights: pd.DataFrame,
    cost: float,
) -> float:
    portfolio = module.Portfolio.from_orders(
        prices,
        size=weights,
        size_type="targetpercent",
        fees=cost,
        init_cash=CAPITAL,
        group_by=True,
        cash_sharing=True,
        call_seq="auto",
        freq="30D",
    )
    return float(portfolio.value().iloc[-1]) / CAPITAL


def _bt(
    module: Any,  # noqa: ANN401
    prices: pd.DataFrame,
    weights: pd.DataFrame,
    cost: float,
) -> float:
    rebalances = weights.dropna(how="all")
    strategy = module.Strategy(
        "quarterly",
        [
            module.algos.RunOnDate(*rebalances.index),
            module.algos.WeighTarget(rebalances),
            module.algos.Rebalance(),
        ],
    )
    backtest = module.Backtest(
        strategy,
        prices,
        initial_capital=CAPITAL,
        commissions=lambda quantity, price: abs(quantity) * price * cost,
        integer_positions=False,
        progress_bar=False,
    )
    result = module.run(backtest)
    return float(result.prices.iloc[-1, 0] / result.prices.iloc[0, 0])


if __name__ == "__main__":
    main()
