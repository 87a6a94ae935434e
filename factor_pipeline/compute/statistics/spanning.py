"""Spanning regressions: what a factor earns that the other factors do not explain."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.statistics.correlation import GROUP
from factor_pipeline.compute.statistics.regression import Floats, Regression, newey_west
from factor_pipeline.compute.statistics.series import MIN_MONTHS, MonthlySeries, number

ALL: Final = "all"
ALPHA: Final = "alpha"

SPANNING_SCHEMA = pl.Schema(
    {
        "source": pl.String(),
        "vintage": pl.String(),
        "factor": pl.String(),
        "factor_set": pl.String(),
        "term": pl.String(),
        "coefficient": pl.Float64(),
        "t_newey_west": pl.Float64(),
        "nw_lag": pl.Int64(),
        "r2": pl.Float64(),
        "months": pl.Int64(),
    }
)


@dataclass(frozen=True, slots=True)
class _Task:
    """One regression: its series and regressors by their names in ``columns``."""

    source: str
    vintage: str | None
    factor: str
    factor_set: str
    others: tuple[str, ...]
    columns: dict[str, Floats]


def spanning(returns: pl.DataFrame) -> pl.DataFrame:
    """Regress each factor on the others of its source and vintage.

    Parameters
    ----------
    returns
        Unique ``source``, ``vintage``, ``factor``, ``month_end`` with ``ret`` (decimal; null, NaN
        and infinite values count as missing), in any order.

    Returns
    -------
    pl.DataFrame
        Columns of ``SPANNING_SCHEMA``; one row per regression and term: ``alpha`` (decimal per
        month), then the slopes. ``factor_set`` says which others: those of a model (``FF3``,
        ``Carhart``, ``FF5``) for its own factors where the source has them all, and ``all``, which
        is every other factor but versions of one: ``SMB_FF5`` explains neither ``SMB`` nor
        anything else that ``SMB`` does. ``months`` are those all have. Estimates are null with
        fewer than 24 of them or when the others are collinear.

    Raises
    ------
    DataError
        When a factor has two rows for a month.

    References
    ----------
    Huberman and Kandel (1987), *Journal of Finance* 42(4); Fama and French (2015), *Journal of
    Financial Economics* 116(1), table 6.
    """
    series = MonthlySeries.of(returns, (*GROUP, "factor"))
    tasks = list(_tasks(series))
    rows: list[dict[str, object]] = []
    # Regressions with equally many regressors are one call.
    for width in sorted({len(task.others) for task in tasks}):
        alike = [task for task in tasks if len(task.others) == width]
        y = np.column_stack([task.columns[task.factor] for task in alike])
        x = np.stack(
            [np.column_stack([t.columns[other] for other in t.others]) for t in alike], axis=1
        )
        fit = newey_west(y, x)
        rows += [row for at, task in enumerate(alike) for row in _rows(task, fit, at)]
    return pl.DataFrame(rows, schema=SPANNING_SCHEMA).sort(
        *GROUP, "factor", "factor_set", maintain_order=True
    )


def _tasks(series: MonthlySeries) -> Iterator[_Task]:
    for (source, vintage), names in series.names.group_by(GROUP, maintain_order=True):
        factors = names["factor"].to_list()
        columns = {
            name: series.column(source=source, vintage=vintage, factor=name) for name in factors
        }
        for model in MODELS:
            of_model = [name.upper() for name in model.series]
            if len(of_model) > 1 and set(of_model) <= set(factors):
                for name in of_model:
                    others = tuple(other for other in of_model if other != name)
                    yield _Task(source, vintage, name, model.name, others, columns)
        bases = [name for name in factors if _base(name, factors) == name]
        for name in factors:
            others = tuple(base for base in bases if base != _base(name, factors))
            if others:
                yield _Task(source, vintage, name, ALL, others, columns)


def _base(name: str, factors: list[str]) -> str:
    """Return the factor that ``name`` is a version of: SMB for SMB_FF5, else itself."""
    stem = name.partition("_")[0]
    return stem if stem in factors else name


def _rows(task: _Task, fit: Regression, at: int) -> Iterator[dict[str, object]]:
    is_known = fit.months[at] >= MIN_MONTHS and np.isfinite(fit.coefficients[at, 0])
    for place, term in enumerate((ALPHA, *task.others)):
        row: dict[str, object] = {
            "source": task.source,
            "vintage": task.vintage,
            "factor": task.factor,
            "factor_set": task.factor_set,
            "term": term,
            "months": int(fit.months[at]),
        }
        if is_known:
            row |= {
                "coefficient": number(fit.coefficients[at, place]),
                "t_newey_west": number(fit.t[at, place]),
                "nw_lag": int(fit.lag[at]),
                "r2": number(fit.r2[at]),
            }
        yield row
