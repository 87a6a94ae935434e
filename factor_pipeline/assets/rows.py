"""Which rows of one table a row of another is made of, as assets declare it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rows:
    """What keys and months do not tell about the rows of an upstream table.

    A row is made of the upstream rows with the same values in the columns of the upstream key
    that both tables have (the same security, the same sort), in the months that
    `assets.common.Upstream` names. Facts that hold until there are newer ones (filings, spells)
    count from the beginning. Where one table knows a security by ``security_id`` and the other by
    ``vendor_id``, ``panel.security`` leads from one to the other. Other rows of the row's own
    table are counted; what they are made of in turn is not followed.

    Attributes
    ----------
    same
        Columns that have equal values in both tables, in place of those of the upstream key.
    where
        Further condition in SQL, on the row ``own`` and the upstream row ``up``. ``{name}`` is
        the value a setting had when the row was built (``{betas.factors}``); ``{library_vintage}``
        and ``{longest_lag}`` follow from several.
    window
        Setting that says how many months the window has that ends in the month of the row, in
        place of ``back``; market days where the name of the setting ends in ``_days``.
    history
        Whether all months before count, too.
    through
        Whether another table the row is made of is made of these rows: they are found that way.
    columns
        Columns of the row's table that are made of these rows, where not all are that
        `schemas.lineage` gives such sources.
    when
        A setting and the value it must have for the rows to matter.
    """

    same: tuple[str, ...] | None = None
    where: str = ""
    window: str = ""
    history: bool = False
    through: bool = False
    columns: tuple[str, ...] = ()
    when: tuple[str, str] | None = None


BY_KEY = Rows()
"""The rule for tables whose keys tell everything."""
