"""Daily prices of a simulated market with faults of every kind."""

from datetime import date

import numpy as np
import polars as pl

from factor_pipeline.sources.simulated import SimulationParameters
from tests.unit.price_days import as_stored

MARKET = SimulationParameters(stocks=25, years=3, seed=3)
FAULTS_OF_A_KIND = 6
PRICES = ("open", "high", "low", "close", "adjusted_close")


class Columns:
    """Columns of prices that can be written to, and rows to do it at."""

    def __init__(self, prices: pl.DataFrame, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.name = prices["vendor_id"].to_numpy()
        self.kept = np.ones(len(self.name), dtype=bool)
        names = (*PRICES, "volume", "dividend", "split")
        self.columns = {name: prices[name].to_numpy(writable=True) for name in names}

    def rows(self, count: int):
        """Draw runs of ``count`` rows, each within one series."""
        for first in self.draw.integers(1, len(self.name) - count, FAULTS_OF_A_KIND):
            if self.name[first - 1] == self.name[first + count - 1]:
                yield slice(first, first + count)

    def rest(self, run: slice) -> slice:
        last = np.flatnonzero(self.name == self.name[run.start])[-1]
        return slice(run.start, int(last) + 1)

    def scale(self, run: slice, factor: float) -> None:
        for column in PRICES:
            self.columns[column][run] *= factor

    def break_prices(self) -> None:
        for run in self.rows(1):
            self.scale(run, self.draw.choice([0.5, 1.3, 2.0, 10.0, 0.01]))
        for run in self.rows(1):
            self.scale(self.rest(run), self.draw.choice([0.1, 100.0, 0.5, 2 / 3, 2.7]))
        for run in self.rows(12):
            self.columns["close"][run] = self.columns["close"][run.start]

    def break_actions(self) -> None:
        columns, choice = self.columns, self.draw.choice
        for run in self.rows(6):
            self.scale(self.rest(run), 0.5)
            columns["split"][run.start + choice([-1, 0, 1, 3])] = 2.0
        for run in self.rows(1):
            columns["split"][run] = choice([2.0, 0.1])
        for run in self.rows(1):
            columns["dividend"][run] = 0.4 * columns["close"][run]
        for run in self.rows(1):
            columns["dividend"][run] = 0.5
            columns["split"][run] = 1.5

    def break_the_rest(self) -> None:
        for run in self.rows(1):
            self.columns["adjusted_close"][self.rest(run)] *= 1.5
        for run in self.rows(4):
            self.columns["adjusted_close"][run] = np.nan
        for run in self.rows(5):
            self.columns["volume"][run] = 0.0
        for count in (2, 60):
            for run in self.rows(count):
                self.kept[run] = False


def faulty(prices: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Give ``prices`` faults of every kind, some of them beside each other."""
    broken = Columns(prices, seed)
    broken.break_prices()
    broken.break_actions()
    broken.break_the_rest()
    frame = prices.with_columns(
        pl.Series(name, values).fill_nan(None) for name, values in broken.columns.items()
    ).filter(pl.Series(broken.kept))
    return as_stored(pl.concat([frame, _copy(frame), _weekend(frame, broken.draw)]))


def _copy(frame: pl.DataFrame) -> pl.DataFrame:
    """Make a series that has the closes of another for half a year."""
    first = frame.filter(pl.col("vendor_id") == frame["vendor_id"][0])
    half = pl.col("date").is_between(date(2005, 3, 9), date(2005, 9, 9))
    return first.with_columns(
        vendor_id=pl.lit("copy"), close=pl.when(half).then("close").otherwise(pl.col("close") * 1.1)
    )


def _weekend(frame: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    fridays = frame.filter(pl.col("date").dt.weekday() == 5)
    some = fridays[np.sort(draw.choice(len(fridays), FAULTS_OF_A_KIND, replace=False))]
    return some.with_columns(pl.col("date").dt.offset_by("1d")).unique(
        ["vendor_id", "date"], maintain_order=True
    )
