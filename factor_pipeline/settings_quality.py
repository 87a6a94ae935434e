"""Settings of data quality."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from factor_pipeline.settings_sections import Number, Section

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
    """When data are too broken, or too old, to go on without a word."""

    max_bad_file_share: Number = Field(default=0.05, ge=0, le=1)
    max_age_days: MaxAgeSettings = MaxAgeSettings()
