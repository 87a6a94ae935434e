"""Stable identities: which security and which firm a vendor's identifier means."""

import hashlib
from collections.abc import Mapping
from datetime import date

import polars as pl

from factor_pipeline.errors import DataError

# 48 bits: exact in every tool that stores numbers as doubles (Excel shows 15 digits), and two of
# 25,000 securities collide with probability 1e-6, which is checked.
_ID_BYTES = 6

# Known of the company that has the vendor's identifier today, not of one spliced before it.
_OF_THE_PRESENT = ("name", "sector", "delisted_at", "delisting_reason", "delisting_return")
_SPELL = ("vendor_id", "ticker", "valid_from", "valid_to")


def stable_id(text: str) -> int:
    """Return the number that stands for ``text``, the same on every machine and in every build."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:_ID_BYTES], "big")


def securities(
    spells: pl.DataFrame,
    listing: pl.DataFrame,
    firms: pl.DataFrame,
    delisting: pl.DataFrame,
    splices: Mapping[str, date],
) -> pl.DataFrame:
    """One row per security and ticker spell, with its firm and what is known about it.

    Parameters
    ----------
    spells
        ``vendor_id, ticker, valid_from, valid_to``: first and last trading day per ticker.
    listing
        ``vendor_id, ticker, firm, name, sector, exchange``; may be empty.
    firms
        ``vendor_id, firm`` from the fundamentals, used where the listing names no firm.
    delisting
        ``vendor_id, date, reason, delisting_return``; belongs to the last security of the id.
    splices
        Days on which a vendor's series changes company: what lies before is another security.

    Returns
    -------
    pl.DataFrame
        ``panel.security``. A security without a known firm is its own firm.

    Raises
    ------
    DataError
        When two securities would get the same number.
    """
    cut = _cut(spells, splices)
    described = listing.select("vendor_id", "ticker", "firm", "name", "sector", "exchange").unique(
        ["vendor_id", "ticker"], keep="last", maintain_order=True
    )
    filed = firms.select("vendor_id", filed_firm="firm").unique(
        "vendor_id", keep="last", maintain_order=True
    )
    gone = delisting.select(
        "vendor_id",
        "delisting_return",
        delisted_at="date",
        delisting_reason="reason",
    )
    current = pl.col("security") == pl.col("vendor_id")
    frame = (
        cut.join(described, on=["vendor_id", "ticker"], how="left")
        .join(filed, on="vendor_id", how="left")
        .join(gone, on="vendor_id", how="left")
        .with_columns(
            firm=pl.when(current)
            .then(pl.coalesce("firm", "filed_firm"))
            .otherwise(None)
            .fill_null(pl.col("security"))
        )
        .with_columns(
            pl.when(current).then(pl.col(*_OF_THE_PRESENT)).name.keep(),
            security_id=_hashed("security"),
            firm_id=_hashed(pl.lit("firm ") + pl.col("firm")),
        )
    )
    clash = (
        frame.group_by("security_id")
        .agg(pl.col("security").unique().sort())
        .filter(pl.col("security").list.len() > 1)
    )
    if not clash.is_empty():
        names = clash["security"][0].to_list()
        raise DataError(f"securities {names} get the same security_id; rename one of them")
    return frame.sort("security_id", "valid_from").drop("security", "firm", "filed_firm")


def _hashed(text: str | pl.Expr) -> pl.Expr:
    column = pl.col(text) if isinstance(text, str) else text
    return column.map_batches(
        lambda names: pl.Series([stable_id(name) for name in names], dtype=pl.Int64),
        return_dtype=pl.Int64,
        is_elementwise=True,
    )


def _cut(spells: pl.DataFrame, splices: Mapping[str, date]) -> pl.DataFrame:
    """Cut spells at the splices; ``security`` names the part, the last one by its vendor id."""
    cuts = pl.DataFrame(
        {"vendor_id": list(splices), "cut": list(splices.values())},
        schema={"vendor_id": pl.String, "cut": pl.Date},
    )
    marked = spells.select(_SPELL).join(cuts, on="vendor_id", how="left")
    before = marked.filter(pl.col("valid_from") < pl.col("cut")).with_columns(
        valid_to=pl.min_horizontal("valid_to", pl.col("cut").dt.offset_by("-1d")),
        security=pl.col("vendor_id") + pl.lit(" until ") + pl.col("cut").cast(pl.String),
    )
    after = marked.filter(
        pl.col("cut").is_null() | (pl.col("valid_to") >= pl.col("cut"))
    ).with_columns(valid_from=pl.max_horizontal("valid_from", "cut"), security=pl.col("vendor_id"))
    return pl.concat([before, after]).drop("cut")
