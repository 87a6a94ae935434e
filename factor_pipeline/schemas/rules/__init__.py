"""The catalogue of data-quality rules, by the table they look at."""

from factor_pipeline.schemas.rules.fundamentals import FUNDAMENTAL_RULES
from factor_pipeline.schemas.rules.identities import (
    DELISTING_RULES,
    LISTING_RULES,
    MEMBERSHIP_RULES,
)
from factor_pipeline.schemas.rules.prices import PRICE_RULES
from factor_pipeline.schemas.rules.results import RESULT_RULES
from factor_pipeline.schemas.rules.rule import Rule
from factor_pipeline.schemas.rules.series import LEVEL_RULES, LIBRARY_RULES, MACRO_RULES

DATA_RULES: tuple[Rule, ...] = (
    *PRICE_RULES,
    *FUNDAMENTAL_RULES,
    *LIBRARY_RULES,
    *MEMBERSHIP_RULES,
    *LEVEL_RULES,
    *MACRO_RULES,
    *LISTING_RULES,
    *DELISTING_RULES,
)
__all__ = ["DATA_RULES", "RESULT_RULES", "RULES"]

RULES: dict[str, Rule] = {rule.name: rule for rule in (*DATA_RULES, *RESULT_RULES)}
