"""What a rule of data quality is."""

from dataclasses import dataclass
from typing import Literal

from factor_pipeline.schemas.raw import FUNDAMENTAL, PRICE_DAILY

# Tables whose flags have a vendor_id as subject.
_OF_SECURITIES = (PRICE_DAILY.qualified_name, FUNDAMENTAL.qualified_name)

Severity = Literal["error", "warn"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fault that rows of a table may have.

    Attributes
    ----------
    name
        Name in ``quality.flag``, of the SQL model or function that finds the rows, and in the
        settings.
    table
        Qualified name of the table whose rows are looked at.
    severity
        ``error``: the number is certainly wrong, and what depends on the table is not built.
        ``warn``: it may be true; it stays, and travels with its row.
    finds
        What a flagged row looks like, as a sentence that names the threshold.
    harm
        What a user would get wrong.
    threshold, unit
        Where the rule begins; null when there is nothing to set.
    why
        Why there, with the figure that taught it; empty without threshold.
    dated
        Whether a row's flag depends on nothing later than its ``known_date``. Only such flags enter
        the panel; others describe the data as they are today (a file that ended, say).
    """

    name: str
    table: str
    severity: Severity
    finds: str
    harm: str
    threshold: float | None = None
    unit: str = ""
    why: str = ""
    dated: bool = True

    @property
    def enters_panel(self) -> bool:
        """Whether its flags are shown with the months of the security they are of."""
        return self.dated and self.table in _OF_SECURITIES
