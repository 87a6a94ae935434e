"""What a simulated market depends on, and the text that identifies it."""

import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Final, Self

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.months import add_months

FACTORS: Final = ("mkt", "smb", "hml", "rmw", "cma", "umd")
"""The factors of the market, in the order of every array that has one entry per factor."""

_STOCKS: Final = (20, 50_000)
_YEARS: Final = (3, 100)
_START_YEARS: Final = (1900, 2200)
_LARGEST_SEED: Final = 2**63 - 1
_LARGEST_PREMIUM: Final = 0.5


@dataclass(frozen=True, slots=True)
class Premia:
    """Expected return of each factor, decimals per year; about what the literature finds."""

    mkt: float = 0.07
    smb: float = 0.02
    hml: float = 0.04
    rmw: float = 0.03
    cma: float = 0.025
    umd: float = 0.07

    def __post_init__(self) -> None:
        for factor in FACTORS:
            value = getattr(self, factor)
            if not math.isfinite(value) or abs(value) > _LARGEST_PREMIUM:
                raise SettingsError(
                    f"the premium of {factor} is {value!r}; "
                    f"give decimals per year between -{_LARGEST_PREMIUM} and {_LARGEST_PREMIUM}"
                )

    @classmethod
    def zero(cls) -> Self:
        """Return premia of a market that rewards nothing: what a strategy earns there is luck."""
        return cls(**dict.fromkeys(FACTORS, 0.0))


@dataclass(frozen=True, slots=True)
class SimulationParameters:
    """Everything a simulated market depends on; equal parameters give equal bytes.

    Attributes
    ----------
    stocks
        Firms listed at a time, about; 20 to 50,000.
    years
        Years from ``start``; 3 to 100. More years leave those before as they were, except for
        the vendor's adjusted close and the names of the library's vintages.
    start
        First day of the first month.
    seed
        Any number from 0; another one is another market.
    premia
        Expected returns of the factors.
    constant_betas
        Whether the loadings of a stock stay what they are at its listing. Otherwise they follow
        its size, book-to-market, profitability, investment and momentum month by month, and the
        value-weighted market is the market factor, which it is only roughly with constant ones.

    Raises
    ------
    SettingsError
        When a value is out of range.
    """

    stocks: int = 1000
    years: int = 20
    start: date = date(2004, 1, 1)
    seed: int = 1
    premia: Premia = field(default_factory=Premia)
    constant_betas: bool = False

    def __post_init__(self) -> None:
        _expect_between("stocks", self.stocks, _STOCKS)
        _expect_between("years", self.years, _YEARS)
        _expect_between("seed", self.seed, (0, _LARGEST_SEED))
        _expect_between("year of start", self.start.year, _START_YEARS)
        if self.start.day != 1:
            raise SettingsError(f"simulation start is {self.start}; give the first day of a month")

    @property
    def months(self) -> int:
        """Count of months."""
        return 12 * self.years

    @property
    def end(self) -> date:
        """First day after the last month."""
        return add_months(self.start, self.months)

    def to_json(self) -> bytes:
        """Canonical text: equal parameters give equal bytes."""
        document = asdict(self) | {"start": self.start.isoformat()}
        # Decimal text of a float is the same everywhere; 0 and 0.0 are one premium.
        document["premia"] = {k: float(v) for k, v in document["premia"].items()}
        return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Read what ``to_json`` wrote.

        Raises
        ------
        BadFileError
            ``bad_parameters`` when the text is not that of parameters in range.
        """
        try:
            document = json.loads(content)
            _expect_types(document)
            premia = Premia(**document.pop("premia"))
            start = date.fromisoformat(document.pop("start"))
            return cls(**document, start=start, premia=premia)
        except (ValueError, TypeError, KeyError, AttributeError, SettingsError) as error:
            reason = f"the parameters of the market cannot be read ({error}); delete the file"
            raise BadFileError("bad_parameters", reason) from error


def _expect_between(name: str, value: int, limits: tuple[int, int]) -> None:
    lowest, highest = limits
    if not lowest <= value <= highest:
        raise SettingsError(
            f"simulation {name} is {value:,}; choose a number from {lowest:,} to {highest:,}"
        )


def _expect_types(document: dict[str, object]) -> None:
    expected = {f.name for f in fields(SimulationParameters)}
    if set(document) != expected:
        raise ValueError(f"keys are {sorted(document)}, not {sorted(expected)}")
    for name in ("stocks", "years", "seed"):
        if type(document[name]) is not int:
            raise ValueError(f"{name} is {document[name]!r}, not a whole number")
    if type(document["constant_betas"]) is not bool:
        raise ValueError(f"constant_betas is {document['constant_betas']!r}, not true or false")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(document["start"])):
        raise ValueError(f"start is {document['start']!r}, not a date")
