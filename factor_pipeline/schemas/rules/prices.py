"""Rules of daily prices."""

from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.rules.rule import Rule

_TABLE = PRICE_DAILY.qualified_name

PRICE_RULES = (
    Rule(
        name="dividend_and_split_same_day",
        table=_TABLE,
        severity="warn",
        finds="A dividend and a split have the same ex-date.",
        harm="The dividend may be per old or per new share: the return is off by the factor.",
    ),
)
