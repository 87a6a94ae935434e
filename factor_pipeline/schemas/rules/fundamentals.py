"""Rules of annual statements."""

from factor_pipeline.schemas.raw import FUNDAMENTAL
from factor_pipeline.schemas.rules.rule import Rule

_TABLE = FUNDAMENTAL.qualified_name

FUNDAMENTAL_RULES = (
    Rule(
        name="negative_equity",
        table=_TABLE,
        severity="warn",
        finds="Stockholders' equity is below zero.",
        harm="Book-to-market has no meaning; such firms are left out of its sorts.",
    ),
)
