"""The factor models, as data."""

from dataclasses import dataclass
from typing import Final

LOADINGS: Final = ("mkt", "smb", "hml", "umd", "rmw", "cma")
"""Loadings a model can have, in the order of the columns ``beta_*``."""

FACTORS: Final = ("mkt", "smb", "smb_ff5", "hml", "umd", "rmw", "cma")
"""Factor series a model can use; the size factor of the five-factor model is one of its own."""


@dataclass(frozen=True, slots=True)
class Model:
    """A linear factor model: a name, its loadings and the series they belong to.

    Attributes
    ----------
    name
        Value of the column ``model``.
    factors
        Pairs of a loading (one of ``LOADINGS``) and the factor series (one of ``FACTORS``) it is
        the coefficient of.
    """

    name: str
    factors: tuple[tuple[str, str], ...]

    @property
    def loadings(self) -> tuple[str, ...]:
        """Loadings, in the order they are estimated in."""
        return tuple(loading for loading, _ in self.factors)

    @property
    def series(self) -> tuple[str, ...]:
        """Factor series, in the order of ``loadings``."""
        return tuple(series for _, series in self.factors)

    @property
    def factor_names(self) -> tuple[str, ...]:
        """Names of the series in ``factor.factor_return``, in the order of ``loadings``."""
        return tuple(series.upper() for series in self.series)

    @property
    def parameters(self) -> int:
        """Number of estimated coefficients, alpha included."""
        return 1 + len(self.factors)


_MARKET: Final = ("mkt", "mkt")
_HML: Final = ("hml", "hml")
_FF3: Final = (_MARKET, ("smb", "smb"), _HML)

MODELS: Final = (
    Model("CAPM", (_MARKET,)),  # Sharpe (1964), Lintner (1965)
    Model("FF3", _FF3),  # Fama and French (1993)
    Model("Carhart", (*_FF3, ("umd", "umd"))),  # Carhart (1997)
    Model(  # Fama and French (2015)
        "FF5", (_MARKET, ("smb", "smb_ff5"), _HML, ("rmw", "rmw"), ("cma", "cma"))
    ),
)
