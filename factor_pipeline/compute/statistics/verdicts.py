"""Verdicts on many tests at once: p-values, and how many are expected by chance."""

from collections.abc import Sequence
from math import erfc, sqrt
from typing import Final

import polars as pl

FALSE_DISCOVERY_RATE: Final = 0.05
"""Share of the results called significant that may be chance."""

SIGNIFICANT: Final = "significant"
NOT_SIGNIFICANT: Final = "not significant"
TOO_FEW: Final = "too few months"


def p_value(t: float | None) -> float | None:
    """Two-sided p-value of a t-value by the normal distribution; null without one."""
    return None if t is None else erfc(abs(t) / sqrt(2.0))


def with_verdicts(frame: pl.DataFrame, family: Sequence[str]) -> pl.DataFrame:
    """Judge ``t_newey_west`` of every row among the rows of its family.

    Parameters
    ----------
    frame
        One test per row; ``t_newey_west`` is null where there are too few months for one.
    family
        Columns whose equal values make a family of tests; without any, all rows are one.

    Returns
    -------
    pl.DataFrame
        The rows in their order with ``p_value`` (two-sided, normal), ``p_adjusted`` (the smallest
        false-discovery rate at which the row is a discovery) and ``verdict``: ``significant``
        where that is at most 5 %, ``not significant`` where it is more, ``too few months`` without
        a t-value. Tests without a t-value are none of the family.

    References
    ----------
    Benjamini and Hochberg (1995), *Journal of the Royal Statistical Society B* 57(1); Harvey, Liu
    and Zhu (2016), *Review of Financial Studies* 29(1), on why one test among hundreds needs it.
    """
    given = pl.Series("p_value", map(p_value, frame["t_newey_west"]), dtype=pl.Float64)
    rows = frame.with_columns(given).with_row_index("row")
    tested = rows.filter(pl.col("p_value").is_not_null())
    families = tested.partition_by(family) if family else [tested]
    judged = pl.concat(
        [
            pl.DataFrame(schema={"row": pl.UInt32, "p_adjusted": pl.Float64}),
            *(_adjusted(tests) for tests in families if not tests.is_empty()),
        ]
    )
    return (
        rows.join(judged, on="row", how="left", maintain_order="left")
        .with_columns(
            verdict=pl.when(pl.col("p_adjusted").is_null())
            .then(pl.lit(TOO_FEW))
            .when(pl.col("p_adjusted") <= FALSE_DISCOVERY_RATE)
            .then(pl.lit(SIGNIFICANT))
            .otherwise(pl.lit(NOT_SIGNIFICANT))
        )
        .drop("row")
    )


def _adjusted(tests: pl.DataFrame) -> pl.DataFrame:
    # Statsmodels takes seconds to import, which commands that compute nothing need not wait for.
    from statsmodels.stats.multitest import (  # type: ignore[import-untyped]  # noqa: PLC0415
        multipletests,
    )

    adjusted = multipletests(tests["p_value"].to_numpy(), method="fdr_bh")[1]
    return tests.select("row", p_adjusted=pl.Series(adjusted, dtype=pl.Float64))
