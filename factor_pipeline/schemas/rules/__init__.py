"""The catalogue of data-quality rules, by the table they look at."""

from factor_pipeline.schemas.rules.fundamentals import FUNDAMENTAL_RULES
from factor_pipeline.schemas.rules.prices import PRICE_RULES
from factor_pipeline.schemas.rules.rule import Rule

DATA_RULES: tuple[Rule, ...] = (*PRICE_RULES, *FUNDAMENTAL_RULES)
RESULT_RULES: tuple[Rule, ...] = ()
RULES: dict[str, Rule] = {rule.name: rule for rule in (*DATA_RULES, *RESULT_RULES)}
