"""Whether funds load on what their names promise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from factor_pipeline.compute.funds.loadings import MIN_FUND_MONTHS

Relation = Literal["above", "below", "near"]

CRITICAL_T: Final = 1.65
"""One-sided test at 5 %, as a promise says on which side of the level the loading is."""

NEAR: Final = 0.1
"""Largest distance from the level at which a loading is near it."""

AS_PROMISED: Final = "as promised"
NOT_AS_PROMISED: Final = "not as promised"
TOO_FEW_MONTHS: Final = "too few months"
UNKNOWN_TICKER: Final = "unknown ticker"
VERDICTS: Final = (AS_PROMISED, NOT_AS_PROMISED, TOO_FEW_MONTHS, UNKNOWN_TICKER)

CHECK_SCHEMA = pl.Schema(
    {
        "ticker": pl.String(),
        "promise": pl.String(),
        "model": pl.String(),
        "factor": pl.String(),
        "relation": pl.String(),
        "level": pl.Float64(),
        "estimate": pl.Float64(),
        "standard_error": pl.Float64(),
        "t": pl.Float64(),
        "vintage": pl.String(),
        "months": pl.Int64(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "verdict": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Promise:
    """A fund's loading on a factor of a model is above, below or near a level."""

    ticker: str
    promise: str
    model: str
    factor: str
    relation: Relation
    level: float


def kept_promises(
    promises: Sequence[Promise], loadings: pl.DataFrame, tickers: Collection[str]
) -> pl.DataFrame:
    """Confront each promise with the loading it is about.

    Parameters
    ----------
    promises
        Unique by ticker, model and factor.
    loadings
        As `loadings.fund_loadings` gives them.
    tickers
        Funds that there are prices of.

    Returns
    -------
    pl.DataFrame
        ``CHECK_SCHEMA``, one row per promise, in their order. ``t`` is that of the estimate less
        the level. The verdict is

        - ``unknown ticker`` when there are no prices of it,
        - ``too few months`` when the loading could not be estimated from 24 months or more,
        - ``as promised`` when the loading is above (or below) the level with a t beyond 1.65, or,
          where it should be near the level, at most 0.1 away from it; else ``not as promised``.
    """
    found = {
        (row["ticker"], row["model"], row["factor"]): row for row in loadings.iter_rows(named=True)
    }
    rows = [
        _confronted(
            promise,
            found.get((promise.ticker, promise.model, promise.factor), {}),
            is_known=promise.ticker in tickers,
        )
        for promise in promises
    ]
    return pl.DataFrame(rows, schema=CHECK_SCHEMA)


def _confronted(
    promise: Promise, loading: dict[str, object], *, is_known: bool
) -> dict[str, object]:
    row: dict[str, object] = {
        "ticker": promise.ticker,
        "promise": promise.promise,
        "model": promise.model,
        "factor": promise.factor,
        "relation": promise.relation,
        "level": promise.level,
        "months": 0,
    }
    if not is_known:
        return row | {"verdict": UNKNOWN_TICKER}
    shown = ("vintage", "months", "first_month", "last_month", "standard_error")
    row |= {name: loading[name] for name in shown if name in loading}
    estimate, error = loading.get("beta"), loading.get("standard_error")
    months = loading.get("months", 0)
    if not isinstance(estimate, float) or not isinstance(months, int) or months < MIN_FUND_MONTHS:
        return row | {"verdict": TOO_FEW_MONTHS}
    distance = estimate - promise.level
    t = distance / error if isinstance(error, float) else None
    kept = _is_kept(promise.relation, distance, t)
    verdict = AS_PROMISED if kept else NOT_AS_PROMISED
    return row | {"estimate": estimate, "t": t, "verdict": verdict}


def _is_kept(relation: Relation, distance: float, t: float | None) -> bool:
    if relation == "near":
        return abs(distance) <= NEAR
    side = 1 if relation == "above" else -1
    return t is not None and side * t > CRITICAL_T
