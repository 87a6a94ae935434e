"""Rankings of candidates: each score is ranked once, for all strategies that use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from factor_pipeline.compute.accounting import Floats, Integers
from factor_pipeline.compute.breakpoints import (
    DEFAULT_BREAKPOINT_RULE,
    BreakpointRule,
    breakpoints,
)
from factor_pipeline.compute.cell_returns import CAP
from factor_pipeline.compute.ordering import codes_in
from factor_pipeline.compute.strategies import VOLATILITY, Strategy, Universe, Weighting
from factor_pipeline.errors import DataError, SettingsError

_SCORE_DIGITS = 12
_EQUITY = "lagged_market_equity"
_CAPPED = "capped_market_equity"
_MASS = "mass"


@dataclass(frozen=True, slots=True)
class Score:
    """What strategies with the same ranking share: they can be ranked together."""

    signals: tuple[tuple[str, float], ...]
    universe: Universe
    weighting: Weighting
    lag_months: int

    @classmethod
    def of(cls, strategy: Strategy) -> "Score":
        """Score of ``strategy``."""
        signals = tuple(strategy.signals.items())
        return cls(signals, strategy.universe, strategy.weighting, strategy.lag_months)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranked securities of all months, by month and security.

    Attributes
    ----------
    rows
        Where the rows of a month (its last day) are.
    security
        Security codes, shape (n,), ascending within a month.
    position
        Rank within the month, 0 is best; equal scores in security order.
    mass
        What weights within a leg are proportional to.
    sector
        Sector codes; securities without a known sector share one.
    """

    rows: Mapping[date, slice]
    security: Integers
    position: Integers
    mass: Floats
    sector: Integers

    def with_codes(self, codes: Integers) -> "Ranking":
        """Return it with security code ``c`` replaced by ``codes[c]``, ascending."""
        return replace(self, security=codes[self.security])


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows to rank, sorted by month and security, with codes.

    Attributes
    ----------
    frame
        The rows given, with ``security`` (code) and ``sector_code``.
    securities
        What the codes stand for.
    """

    frame: pl.DataFrame
    securities: pl.Series

    @classmethod
    def of(cls, candidates: pl.DataFrame) -> "Candidates":
        """Sort and code ``candidates``.

        Raises
        ------
        DataError
            When a security has two rows in a month.
        """
        frame = candidates
        if not frame.select(_ascending()).item():
            frame = frame.sort("month_end", "security_id")
            if not frame.select(_ascending()).item():
                repeated = frame.filter(pl.struct("month_end", "security_id").is_duplicated())
                example = repeated.select("security_id", "month_end").row(0)
                raise DataError(
                    f"candidates repeat {example}; keep one row of a security and month"
                )
        securities = frame["security_id"].unique().sort()
        sector = pl.lit(0)
        if "sector" in frame.columns:
            sector = pl.col("sector").rank("dense").fill_null(0)
        frame = frame.with_columns(
            security=pl.Series(codes_in(securities, frame["security_id"])),
            sector_code=sector.cast(pl.Int64),
        )
        return cls(frame, securities)

    def require(self, strategy: Strategy) -> None:
        """Refuse a strategy that needs a column there is none of.

        Raises
        ------
        SettingsError
            Naming the strategy and the column.
        """
        columns = self.frame.columns
        unknown = sorted(set(strategy.signals) - set(columns))
        if unknown:
            raise SettingsError(
                f"strategy {strategy.name!r}: no signal {unknown[0]!r}; "
                f"choose from {', '.join(sorted(columns))}"
            )
        needed = {
            VOLATILITY: strategy.weighting == "inverse_volatility",
            "exchange": strategy.weighting == "capped",
            "sector": strategy.sector_cap is not None,
        }
        for column, is_needed in needed.items():
            if is_needed and column not in columns:
                raise SettingsError(
                    f"strategy {strategy.name!r}: there is no column {column!r}, which its "
                    "weighting or sector_cap needs; choose another"
                )

    def ranking(
        self,
        score: Score,
        month_ends: Sequence[date],
        cap_rule: BreakpointRule = DEFAULT_BREAKPOINT_RULE,
    ) -> Ranking:
        r"""Rank the securities of some months.

        Parameters
        ----------
        score
            What to rank by. A security is ranked when it is in the universe and every signal, and
            what it is weighted by, is a number (for weights a positive one).
        month_ends
            Months to rank, known by their last day.
        cap_rule
            How the cap of ``capped`` weights is drawn.

        Notes
        -----
        See `formation.targets`.
        """
        rows = self.frame.filter(pl.col("month_end").is_in(month_ends))
        if score.universe == "index":
            rows = rows.filter(pl.col("member"))
        # Weights are those of the formation date, whatever the lag of the signals.
        weighable, mass = _with_mass(rows, self.frame, score.weighting, cap_rule)
        rows = self._with_lag(weighable.with_columns(mass.alias(_MASS)), score)
        eligible = [pl.col(signal).is_finite() for signal, _ in score.signals]
        if score.weighting != "equal":
            eligible += [pl.col(_MASS).is_finite(), pl.col(_MASS) > 0]
        # Scores equal on paper differ in the last bits of their sums: no tie would be one.
        total = pl.sum_horizontal(weight * _z_score(signal) for signal, weight in score.signals)
        ranked = (
            rows.filter(eligible)
            .with_columns(score=total.round(_SCORE_DIGITS))
            .select(
                "month_end",
                "security",
                "sector_code",
                _MASS,
                position=pl.col("score").rank("ordinal", descending=True).over("month_end"),
            )
        )
        runs = ranked["month_end"].rle().struct
        ends = np.cumsum(runs.field("len").to_numpy()).tolist()
        starts = [0, *ends]
        return Ranking(
            {
                month: slice(start, end)
                for month, start, end in zip(
                    runs.field("value").to_list(), starts, ends, strict=False
                )
            },
            ranked["security"].to_numpy(),
            ranked["position"].cast(pl.Int64).to_numpy() - 1,
            ranked[_MASS].to_numpy(),
            ranked["sector_code"].to_numpy(),
        )

    def _with_lag(self, rows: pl.DataFrame, score: Score) -> pl.DataFrame:
        """Rows with the signals of ``lag_months`` before; null where there was no row then."""
        if not score.lag_months:
            return rows
        names = [signal for signal, _ in score.signals]
        then = pl.col("month_end").dt.offset_by(f"{score.lag_months}mo").dt.month_end()
        earlier = self.frame.select(then, "security", *names)
        return rows.drop(names).join(
            earlier, on=["month_end", "security"], how="left", maintain_order="left"
        )


def _with_mass(
    rows: pl.DataFrame, market: pl.DataFrame, weighting: Weighting, cap_rule: BreakpointRule
) -> tuple[pl.DataFrame, pl.Expr]:
    """Rows, with the column that weights are proportional to."""
    if weighting == "equal":
        return rows, pl.lit(1.0)
    if weighting == "value":
        return rows, pl.col(_EQUITY)
    if weighting == "inverse_volatility":
        # Polars multiplies by a reciprocal only when it divides by a constant.
        return rows, pl.lit(1.0) / pl.col(VOLATILITY)
    months = market.filter(pl.col("month_end").is_in(rows["month_end"].unique().implode()))
    caps = breakpoints(months, [CAP], cap_rule).select("month_end", cap="value")
    with_cap = rows.join(caps, on="month_end", how="left", maintain_order="left")
    capped = pl.when(pl.col("cap").is_not_null()).then(pl.min_horizontal(_EQUITY, "cap"))
    return with_cap.with_columns(capped.alias(_CAPPED)), pl.col(_CAPPED)


def _ascending() -> pl.Expr:
    """Whether rows ascend by month and security, none repeated."""
    month, security = pl.col("month_end"), pl.col("security_id")
    later = month > month.shift()
    return (later | ((month == month.shift()) & (security > security.shift()))).slice(1).all()


def _z_score(signal: str) -> pl.Expr:
    """Standardised average rank within the month; 0 when all are tied."""
    deviation = pl.col(signal).rank("average") - (pl.len() + 1) / 2
    squares = (deviation**2).sum()
    z = pl.when(squares > 0).then(deviation / (squares / (pl.len() - 1)).sqrt()).otherwise(0.0)
    return z.over("month_end")
