"""Estimates of one model on their way into a frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.betas.models import LOADINGS, Model
from factor_pipeline.compute.betas.regression import Estimates, least_squares
from factor_pipeline.compute.betas.windows import Floats, Integers, Moments

TOO_FEW: Final = "too_few_returns"
COLLINEAR: Final = "collinear_factors"
OVERFLOW: Final = "overflow"
NO_FACTORS: Final = "no_factors"
REASONS: Final = (TOO_FEW, COLLINEAR, OVERFLOW)
"""Why a row has no estimates."""
DAILY_REASONS: Final = (*REASONS, NO_FACTORS)
"""Why a row of daily returns has none; without daily factors, no return counts."""

_CODES: Final = {reason: code for code, reason in enumerate(DAILY_REASONS, start=1)}
_SLOTS: Final = ("alpha", *LOADINGS)

COEFFICIENTS: Final = ("alpha", *(f"beta_{loading}" for loading in LOADINGS))
ERRORS: Final = tuple(f"se_{slot}" for slot in _SLOTS)
T_VALUES: Final = tuple(f"t_{slot}" for slot in _SLOTS)
STATISTICS: Final = (*COEFFICIENTS, *ERRORS, *T_VALUES, "r2", "residual_volatility")


def statistics_of(loadings: Sequence[str]) -> tuple[str, ...]:
    """Return the names of ``STATISTICS`` that models with no other ``loadings`` can have."""
    others = set(LOADINGS) - set(loadings)
    return tuple(name for name in STATISTICS if name.partition("_")[2] not in others)


@dataclass(frozen=True, slots=True)
class ModelRows:
    """Rows of one model as arrays: ``values`` is columns x rows."""

    model: Model
    columns: tuple[str, ...]
    values: Floats
    n: NDArray[np.int32]
    codes: NDArray[np.uint32]

    @classmethod
    def of(cls, model: Model, rows: int) -> Self:
        """Return ``rows`` rows without observations."""
        slots = [0, *(1 + LOADINGS.index(loading) for loading in model.loadings)]
        columns = [names[i] for names in (COEFFICIENTS, ERRORS, T_VALUES) for i in slots]
        columns += ["r2", "residual_volatility"]
        return cls(
            model,
            tuple(columns),
            np.full((len(columns), rows), np.nan),
            np.zeros(rows, dtype=np.int32),
            np.full(rows, _CODES[TOO_FEW], dtype=np.uint32),
        )

    def put(self, rows: Integers, estimates: Estimates) -> None:
        """Store the estimates of some rows."""
        coefficients, errors = estimates.coefficients, estimates.errors
        known = ~estimates.collinear
        # Sums of squares of absurd returns leave the range of a double.
        usable = known & np.isfinite(coefficients).all(axis=0) & np.isfinite(errors).all(axis=0)
        ratios = coefficients / np.where(errors > 0, errors, np.nan)
        statistics = [*coefficients, *errors, *ratios, estimates.r2, estimates.residual_volatility]
        complete = bool(usable.all())
        for column, statistic in zip(self.values, statistics, strict=True):
            column[rows] = statistic if complete else np.where(usable, statistic, np.nan)
        failure = np.where(known, _CODES[OVERFLOW], _CODES[COLLINEAR])
        self.codes[rows] = np.where(usable, 0, failure)

    def explain(self, rows: NDArray[np.bool_], reason: str) -> None:
        """Give some rows another reason for having no estimates."""
        self.codes[rows] = _CODES[reason]

    def frame(self, keys: pl.DataFrame, statistics: Sequence[str] = STATISTICS) -> pl.DataFrame:
        """Return ``statistics``, n and reason behind ``keys``; the arrays are not copied.

        Statistics that the model does not have are null.
        """
        known = {
            name: pl.Series(name, column, nan_to_null=True)
            for name, column in zip(self.columns, self.values, strict=True)
        }
        missing = pl.lit(None, dtype=pl.Float64)
        reasons = pl.Series("reason", [None, *DAILY_REASONS], dtype=pl.String)
        return keys.with_columns(
            pl.lit(self.model.name).alias("model"),
            *(known.get(name, missing.alias(name)) for name in statistics),
            pl.Series("n", self.n),
            reasons.gather(pl.Series(self.codes)),
        )


def estimate(
    moments: Moments, targets: Integers, tables: list[ModelRows], min_observations: int
) -> None:
    """Fill the rows of windows.

    Parameters
    ----------
    moments
        Sums over the observations of windows.
    targets
        Row of each window, shape (windows,); below 0: none.
    tables
        Rows of models whose regressors are among those of ``moments``.
    min_observations
        Fewest observations of an estimate.
    """
    wanted = targets >= 0
    for table in tables:
        table.n[targets[wanted]] = moments.count[wanted]
    enough = np.flatnonzero(wanted & (moments.count >= min_observations))
    if not len(enough):
        return
    moments, targets = moments.of(enough), targets[enough]
    for table in tables:
        table.put(targets, least_squares(moments, table.model.series))


def alike(
    tables: Sequence[ModelRows], values: Callable[[Sequence[str]], Floats]
) -> Iterator[tuple[list[ModelRows], tuple[str, ...]]]:
    """Group models that have the same observations, so that they share their sums.

    Parameters
    ----------
    tables
        Rows of the models.
    values
        Gives the values of series by period, shape (periods, series), NaN where missing.

    Returns
    -------
    Iterator
        Models of a group, and the series that any of them has.
    """

    def known(table: ModelRows) -> bytes:
        return np.isfinite(values(table.model.series)).all(axis=1).tobytes()

    for _, group in groupby(sorted(tables, key=known), key=known):
        members = list(group)
        yield members, tuple(dict.fromkeys(name for t in members for name in t.model.series))
