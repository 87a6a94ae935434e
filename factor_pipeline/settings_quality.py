"""Settings of data quality."""

from difflib import get_close_matches
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from factor_pipeline.schemas.rules import DATA_RULES
from factor_pipeline.settings_sections import Day, Number, Section

_EXCLUDABLE = tuple(sorted(rule.name for rule in DATA_RULES if rule.enters_panel))


def _excludable(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in _EXCLUDABLE:
            raise ValueError(_refusal(name))
    return tuple(sorted(set(names)))


def _refusal(name: str) -> str:
    rule = next((rule for rule in DATA_RULES if rule.name == name), None)
    accepted = f"accepted here: {', '.join(_EXCLUDABLE)}"
    if rule is None:
        close = get_close_matches(name, _EXCLUDABLE, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        return f'there is no rule "{name:.40}"; {guess}{accepted}'
    if not rule.dated:
        return (
            f'"{name}" describes the data as they are today, and says nothing about what was known '
            f"in a month; {accepted}"
        )
    return f'"{name}" flags rows of {rule.table}, which are of no security; {accepted}'


class Exclusion(Section):
    """Months of a security that a person leaves out, and why.

    The security is named by the vendor's identifier or by its ticker of the time.
    """

    vendor_id: str | None = None
    ticker: str | None = None
    first_day: Day
    last_day: Day
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _names_one_security_and_a_range(self) -> Self:
        if (self.vendor_id is None) == (self.ticker is None):
            raise ValueError("name the security by vendor_id or by ticker, and not by both")
        if self.last_day < self.first_day:
            raise ValueError(f"last_day {self.last_day} is before first_day {self.first_day}")
        return self


NEVER = "never"


def _age(value: object) -> object:
    if value is None or value == NEVER:
        return None
    # True is a whole number in Python, but none of days.
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    said = f'"{value}"' if isinstance(value, str) else str(value)
    raise ValueError(
        f'{said:.40} is not an age; write a whole number of days from 1 on, or "{NEVER}"'
    )


MaxAge = Annotated[int | None, BeforeValidator(_age)]


class MaxAgeSettings(Section):
    """Days that the newest row of each data set may be old; null is any age.

    Prices and levels: a long weekend. Statements, the library, the index and macro series: what
    comes monthly and late, or changes once a quarter. Lists of one day have no age.
    """

    prices: MaxAge = 4
    fundamentals: MaxAge = 120
    library: MaxAge = 120
    membership: MaxAge = 120
    benchmark: MaxAge = 4
    etf: MaxAge = 4
    macro: MaxAge = 120
    listing: MaxAge = None
    delisting: MaxAge = None


class QualitySettings(Section):
    """When data are too broken, or too old, to go on without a word, and what makes no returns.

    ``exclude`` names rules whose flags take the return from the month in which they become known,
    ``exclusions`` months that a person looked at.
    """

    max_bad_file_share: Number = Field(default=0.05, ge=0, le=1)
    max_changed_share: Number = Field(default=0.01, ge=0, le=1)
    max_lost_share: Number = Field(default=0.5, ge=0, le=1)
    max_age_days: MaxAgeSettings = MaxAgeSettings()
    exclude: Annotated[tuple[str, ...], AfterValidator(_excludable)] = ()
    exclusions: tuple[Exclusion, ...] = ()
