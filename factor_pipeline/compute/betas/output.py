"""Estimates of one model on their way into a frame."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.betas.models import LOADINGS, Model
from factor_pipeline.compute.betas.regression import Estimates
from factor_pipeline.compute.betas.windows import Floats, Integers

TOO_FEW: Final = "too_few_returns"
COLLINEAR: Final = "collinear_factors"
OVERFLOW: Final = "overflow"
REASONS: Final = (TOO_FEW, COLLINEAR, OVERFLOW)
"""Why a row has no estimates."""

_CODES: Final = {reason: code for code, reason in enumerate(REASONS, start=1)}
_SLOTS: Final = ("alpha", *LOADINGS)

COEFFICIENTS: Final = ("alpha", *(f"beta_{loading}" for loading in LOADINGS))
ERRORS: Final = tuple(f"se_{slot}" for slot in _SLOTS)
T_VALUES: Final = tuple(f"t_{slot}" for slot in _SLOTS)
STATISTICS: Final = (*COEFFICIENTS, *ERRORS, *T_VALUES, "r2", "residual_volatility")


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

    def frame(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the columns of all models behind ``keys``; the arrays are not copied."""
        known = {
            name: pl.Series(name, column, nan_to_null=True)
            for name, column in zip(self.columns, self.values, strict=True)
        }
        missing = pl.lit(None, dtype=pl.Float64)
        reasons = pl.Series("reason", [None, *REASONS], dtype=pl.String)
        return keys.with_columns(
            pl.lit(self.model.name).alias("model"),
            *(known.get(name, missing.alias(name)) for name in STATISTICS),
            pl.Series("n", self.n),
            reasons.gather(pl.Series(self.codes)),
        )
