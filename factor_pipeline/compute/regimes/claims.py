"""What is commonly said about factors and regimes, confronted with the data line by line."""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from factor_pipeline.compute.regimes.rule import EXPANSION, LATE_CYCLE, RECESSION, RECOVERY

Effect = Literal["favours", "hurts"]

MIN_CLAIM_MONTHS: Final = 24
"""Fewest months in the regime, and outside of it, for a verdict on a claim."""

CRITICAL_T: Final = 1.65
"""One-sided test at 5 %, as a claim says in which direction the difference goes."""

SUPPORTED: Final = "supported"
NOT_SUPPORTED: Final = "not supported"
TOO_FEW_MONTHS: Final = "too few months"
NO_SUCH_FACTOR: Final = "no such factor"
VERDICTS: Final = (SUPPORTED, NOT_SUPPORTED, TOO_FEW_MONTHS, NO_SUCH_FACTOR)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a claim is about, and the factors that measure it: the first one there is.

    ``sign`` is -1 where the factor is short what the claim is about.
    """

    name: str
    factors: tuple[str, ...]
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A regime favours or hurts an exposure."""

    regime: str
    effect: Effect
    exposure: Exposure


_MOMENTUM = Exposure("momentum", ("UMD",))
_SIZE = Exposure("size", ("SMB",))
_VALUE = Exposure("value", ("HML",))
_GROWTH = Exposure("growth", ("HML",), sign=-1)
# The library has no quality factor: profitability is the part of quality that it has.
_QUALITY = Exposure("quality", ("QMJ", "RMW"))
_LOW_VOLATILITY = Exposure("low volatility", ("LOWVOL",))

EXPOSURES: Final = (_MOMENTUM, _SIZE, _VALUE, _GROWTH, _QUALITY, _LOW_VOLATILITY)

_SAID: tuple[tuple[str, Effect, tuple[Exposure, ...]], ...] = (
    (EXPANSION, "favours", (_MOMENTUM, _SIZE, _GROWTH)),
    (EXPANSION, "hurts", (_LOW_VOLATILITY, _VALUE)),
    (LATE_CYCLE, "favours", (_VALUE, _QUALITY)),
    (LATE_CYCLE, "hurts", (_GROWTH, _SIZE)),
    (RECESSION, "favours", (_LOW_VOLATILITY, _QUALITY)),
    (RECESSION, "hurts", (_MOMENTUM, _SIZE)),
    (RECOVERY, "favours", (_SIZE, _VALUE, _MOMENTUM)),
)

CLAIMS: Final = tuple(
    Claim(regime, effect, exposure) for regime, effect, exposures in _SAID for exposure in exposures
)
"""What investment primers say; small caps are the long side of the size factor."""

CLAIM_SCHEMA = pl.Schema(
    {
        "variant": pl.String(),
        "source": pl.String(),
        "regime": pl.String(),
        "effect": pl.String(),
        "exposure": pl.String(),
        "factor": pl.String(),
        "sign": pl.Int64(),
        "vintage": pl.String(),
        "months": pl.Int64(),
        "other_months": pl.Int64(),
        "mean": pl.Float64(),
        "difference": pl.Float64(),
        "difference_t": pl.Float64(),
        "verdict": pl.String(),
    }
)

_Row = dict[str, object]


def regime_claims(performance: pl.DataFrame, vintage: str) -> pl.DataFrame:
    """Confront every claim with own and library factors, in each variant of the regimes.

    Parameters
    ----------
    performance
        As `performance.regime_performance` gives it.
    vintage
        Library vintage to take.

    Returns
    -------
    pl.DataFrame
        ``CLAIM_SCHEMA``, by variant of the performance, source and claim of ``CLAIMS``. ``mean``
        and ``difference`` (decimal per month) and ``difference_t`` are those of the exposure: of
        the factor times ``sign``. The verdict is

        - ``no such factor`` when the source (and vintage) has no factor that measures it,
        - ``too few months`` with fewer than 24 months in the regime or outside of it,
        - ``supported`` when the difference from the other months has the sign that is claimed and
          a t beyond 1.65, else ``not supported``.
    """
    library = performance.filter(pl.col("source") == "library", pl.col("vintage") == vintage)
    rows = [
        _confronted(claim, variant, source, found)
        for variant in performance["variant"].unique().sort()
        for source, of_source in (
            ("own", performance.filter(pl.col("source") == "own")),
            ("library", library),
        )
        for found in [_by_regime_and_factor(of_source.filter(pl.col("variant") == variant))]
        for claim in CLAIMS
    ]
    return pl.DataFrame(rows, schema=CLAIM_SCHEMA)


def _by_regime_and_factor(performance: pl.DataFrame) -> dict[tuple[str, str], _Row]:
    return {(row["regime"], row["factor"]): row for row in performance.iter_rows(named=True)}


def _confronted(
    claim: Claim, variant: str, source: str, found: dict[tuple[str, str], _Row]
) -> _Row:
    exposure = claim.exposure
    row: _Row = {
        "variant": variant,
        "source": source,
        "regime": claim.regime,
        "effect": claim.effect,
        "exposure": exposure.name,
        "sign": exposure.sign,
        "months": 0,
        "other_months": 0,
    }
    there = [name for name in exposure.factors if (claim.regime, name) in found]
    if not there:
        return row | {"verdict": NO_SUCH_FACTOR}
    statistics = found[claim.regime, there[0]]
    of_exposure = {
        name: _times(exposure.sign, statistics[name])
        for name in ("mean", "difference", "difference_t")
    }
    same = {name: statistics[name] for name in ("factor", "vintage", "months", "other_months")}
    return row | same | of_exposure | {"verdict": _verdict(claim, same, of_exposure)}


def _verdict(claim: Claim, counts: _Row, of_exposure: dict[str, float | None]) -> str:
    months = (counts["months"], counts["other_months"])
    if any(isinstance(count, int) and count < MIN_CLAIM_MONTHS for count in months):
        return TOO_FEW_MONTHS
    t = of_exposure["difference_t"]
    towards = 1 if claim.effect == "favours" else -1
    return SUPPORTED if t is not None and towards * t > CRITICAL_T else NOT_SUPPORTED


def _times(sign: int, value: object) -> float | None:
    return sign * value if isinstance(value, float) else None
