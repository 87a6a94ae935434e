"""Tilts: a filter on betas and a ranking by them, such as small-cap value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.betas.models import MODELS, Model
from factor_pipeline.compute.cross_section import CrossSection, beta_columns
from factor_pipeline.errors import SettingsError

TILT_SCHEMA = pl.Schema(
    {
        "tilt": pl.String(),
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        "rank": pl.Int64(),
        "score": pl.Float64(),
    }
)

_LOWEST_FIRST: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tilt:
    """A rule that picks the stocks whose betas lean the wanted way, best first.

    Attributes
    ----------
    name
        Identity in every table; unique.
    model
        Name of the factor model the betas are of.
    above, below
        Beta to a number it must be above (below), e.g. ``above={"beta_smb": 0, "beta_hml": 0}``
        for small-cap value. A beta equal to the number does not count. Empty filters nothing.
    rank_by
        Betas to rank by, e.g. ``("beta_hml",)``; a leading minus prefers low ones.
    top
        Most stocks to pick; null picks all that pass.
    """

    name: str
    model: str = "FF3"
    above: Mapping[str, float] = field(default_factory=dict, hash=False)
    below: Mapping[str, float] = field(default_factory=dict, hash=False)
    rank_by: tuple[str, ...]
    top: int | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that names no stock, or betas the model does not have.

        Raises
        ------
        SettingsError
            Naming the tilt, the wrong key and what is accepted.
        """
        said = f"tilt {self.name!r}"
        if not self.name:
            raise SettingsError("a tilt has no name; give it one")
        models = [model.name for model in MODELS]
        if self.model not in models:
            raise SettingsError(f"{said}: no model {self.model!r}; write {', '.join(models)}")
        accepted = beta_columns(self.factor_model)
        ranked = [name.removeprefix(_LOWEST_FIRST) for name in self.rank_by]
        for key, names in (("above", self.above), ("below", self.below), ("rank_by", ranked)):
            for name in names:
                if name not in accepted:
                    raise SettingsError(
                        f"{said}: {key} names {name!r}, which {self.model} does not have; "
                        f"write {', '.join(accepted)}"
                    )
        if not ranked or len(set(ranked)) < len(ranked):
            raise SettingsError(f"{said}: rank_by must name at least one beta, and none twice")
        for name in sorted(set(self.above) & set(self.below)):
            if not self.above[name] < self.below[name]:
                raise SettingsError(
                    f"{said}: no {name} is above {self.above[name]} and below {self.below[name]}; "
                    "make above the lower one"
                )
        if self.top is not None and self.top < 1:
            raise SettingsError(f"{said}: top must be at least 1, or left out")
        object.__setattr__(self, "above", MappingProxyType(dict(sorted(self.above.items()))))
        object.__setattr__(self, "below", MappingProxyType(dict(sorted(self.below.items()))))

    @property
    def factor_model(self) -> Model:
        """The model of that name."""
        return next(model for model in MODELS if model.name == self.model)


def tilted(loadings: pl.DataFrame, tilts: Sequence[Tilt]) -> pl.DataFrame:
    r"""Pick the stocks of each tilt in each month.

    Parameters
    ----------
    loadings
        Unique ``month_end``, ``security_id``, ``model`` with the ``beta_*`` of the tilts' models
        (Float64; null, NaN and infinite values count as missing). Other models are ignored.
    tilts
        Names are unique.

    Returns
    -------
    pl.DataFrame
        ``tilt``, ``security_id``, ``month_end``, ``rank`` (1 is best) and ``score`` (decimal),
        ordered by tilt as given, month and rank. A stock needs every loading of the model. The
        score is the mean, over the betas of ``rank_by``, of the share of the month's stocks with
        loadings, passing or not, that the stock is at least as good as: at most 1. Equal scores are
        ranked in order of ``security_id``. Each month depends on its own rows alone.

    Raises
    ------
    SchemaError
        When ``loadings`` lacks a column.
    DataError
        When a security has two rows in a month.
    SettingsError
        When two tilts share a name.

    Notes
    -----
    .. math:: s_i = \frac{1}{K n} \sum_{k=1}^{K} \#\{j : \beta_{jk} \le \beta_{ik}\}

    The counts are added up as whole numbers, so that scores equal on paper are equal.
    """
    names = sorted(tilt.name for tilt in tilts)
    for name, following in pairwise(names):
        if name == following:
            raise SettingsError(f"two tilts are named {name!r}; rename one")
    cross_sections = {
        model.name: CrossSection.of(loadings.filter(pl.col("model") == model.name), model)
        for model in {tilt.model: tilt.factor_model for tilt in tilts}.values()
    }
    parts = [_picked(cross_sections[tilt.model], tilt) for tilt in tilts]
    return pl.concat([pl.DataFrame(schema=TILT_SCHEMA), *parts])


def _picked(cross_section: CrossSection, tilt: Tilt) -> pl.DataFrame:
    rows = cross_section.rows
    passing = np.flatnonzero(_passes(cross_section, tilt))
    total = np.zeros(len(cross_section.stocks), dtype=np.int64)
    for name in tilt.rank_by:
        total += cross_section.at_most(
            name.removeprefix(_LOWEST_FIRST), lowest_first=name.startswith(_LOWEST_FIRST)
        )
    month = np.repeat(np.arange(len(rows.months)), rows.counts)
    # A stable sort leaves equal totals in order of security.
    chosen = passing[np.lexsort((-total[passing], month[passing]))]
    counts = np.bincount(month[chosen], minlength=len(rows.months))
    first = np.cumsum(counts) - counts
    rank = np.arange(len(chosen)) - first[month[chosen]] + 1
    score = total[chosen] / (len(tilt.rank_by) * np.maximum(cross_section.stocks[chosen], 1))
    picked = rows.frame.select("security_id", "month_end")[chosen].select(
        pl.lit(tilt.name).alias("tilt"),
        "security_id",
        "month_end",
        pl.Series("rank", rank, dtype=pl.Int64),
        pl.Series("score", score, dtype=pl.Float64),
    )
    return picked if tilt.top is None else picked.filter(pl.col("rank") <= tilt.top)


def _passes(cross_section: CrossSection, tilt: Tilt) -> NDArray[np.bool_]:
    passes = cross_section.is_ranked.copy()
    for name, bound in tilt.above.items():
        passes &= cross_section.rows.values(name) > bound
    for name, bound in tilt.below.items():
        passes &= cross_section.rows.values(name) < bound
    return passes
