"""Stable identities: which security and which firm a vendor's identifier means."""

import hashlib
from collections.abc import Iterable
from datetime import date

import polars as pl

from factor_pipeline.compute.ordering import sorted_by_key
from factor_pipeline.errors import DataError

# 48 bits: exact in every tool that stores numbers as doubles (Excel shows 15 digits), and two of
# 25,000 securities collide with probability 1e-6, which is checked.
_ID_BYTES = 6

_SPELL = ("vendor_id", "ticker", "valid_from", "valid_to")
_DESCRIPTION = ("firm", "name", "sector", "exchange")
_OF_THE_PRESENT = ("filed_firm", "delisted_at", "delisting_reason", "delisting_return")


def stable_id(text: str) -> int:
    """Return the number that stands for ``text``, the same on every machine and in every build."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:_ID_BYTES], "big")


def securities(
    spells: pl.DataFrame,
    listing: pl.DataFrame,
    firms: pl.DataFrame,
    delisting: pl.DataFrame,
    splices: Iterable[tuple[str, date]],
) -> pl.DataFrame:
    """One row per security and ticker spell, with its firm and what is known about it.

    A spell is cut where the series changes company and where a row of the listing begins, so that
    a move to another exchange changes nothing before it.

    Parameters
    ----------
    spells
        ``vendor_id, ticker, valid_from, valid_to``: first and last trading day per ticker.
    listing
        ``vendor_id, ticker, valid_from, firm, name, sector, exchange``; may be empty. A row counts
        from ``valid_from`` on; without one, for all the time of the company that has the
        identifier today.
    firms
        ``vendor_id, firm`` from the fundamentals, used where the listing names no firm; of
        several the last in alphabetical order.
    delisting
        Unique ``vendor_id`` with ``date, reason, delisting_return`` (decimal); belongs to the last
        company of the identifier.
    splices
        ``vendor_id`` and the first day of another company in its series: what lies before is
        another security. An identifier may have several.

    Returns
    -------
    pl.DataFrame
        ``panel.security``, sorted by its key. A security without a known firm is its own firm.
        Name, sector and exchange are null where the listing does not say.

    Raises
    ------
    DataError
        When two securities or two firms would get the same number, or a security has two rows
        from one day on.
    """
    cuts = pl.DataFrame(
        list(splices), schema={"vendor_id": pl.String, "cut": pl.Date}, orient="row"
    ).sort("cut", "vendor_id")
    described = _dated(listing, cuts)
    filed = firms.select("vendor_id", filed_firm="firm").sort("vendor_id", "filed_firm")
    gone = delisting.select(
        "vendor_id",
        "delisting_return",
        delisted_at="date",
        delisting_reason="reason",
    )
    own_firm = pl.lit("the firm of security ") + pl.col("security")
    pieces = (
        _pieces(spells, described, cuts)
        .join_asof(
            described,
            on="valid_from",
            by=["vendor_id", "ticker"],
            strategy="backward",
            check_sortedness=False,
        )
        .join(filed.unique("vendor_id", keep="last", maintain_order=True), "vendor_id", "left")
        .join(gone, on="vendor_id", how="left")
        .with_columns(
            pl.when(pl.col("security") == pl.col("vendor_id")).then(pl.col(_OF_THE_PRESENT))
        )
        .with_columns(
            firm=pl.coalesce(pl.lit("firm ") + pl.coalesce("firm", "filed_firm"), own_firm)
        )
    )
    numbered = pieces.with_columns(
        _numbered(pieces["security"], "security_id"), _numbered(pieces["firm"], "firm_id")
    )
    return sorted_by_key(numbered, ("security_id", "valid_from"), what="ticker spells").select(
        "security_id",
        "firm_id",
        *_SPELL,
        "name",
        "sector",
        "exchange",
        "delisted_at",
        "delisting_reason",
        "delisting_return",
    )


def _dated(listing: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """Descriptions with the day each counts from; undated ones are of today's company."""
    since = cuts.group_by("vendor_id").agg(since=pl.col("cut").max())
    return (
        listing.select("vendor_id", "ticker", "valid_from", *_DESCRIPTION)
        .join(since, on="vendor_id", how="left")
        .with_columns(valid_from=pl.coalesce("valid_from", "since", pl.lit(date.min)))
        .drop("since")
        .sort("valid_from", "vendor_id", "ticker", *_DESCRIPTION)
    )


def _pieces(spells: pl.DataFrame, described: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """Spells cut at splices and new descriptions; ``security`` names the company of each piece.

    The last company of an identifier is named by it, earlier ones by the day they end.
    """
    spell = spells.select(_SPELL).with_columns(begin="valid_from")
    inside = pl.col("new").is_between("begin", "valid_to", closed="right")
    starts = [
        spell.join(cuts.rename({"cut": "new"}), on="vendor_id"),
        spell.join(
            described.select("vendor_id", "ticker", new="valid_from"), on=["vendor_id", "ticker"]
        ),
    ]
    new = [
        frame.filter(inside).with_columns(valid_from="new").select(spell.columns)
        for frame in starts
    ]
    following = pl.col("valid_from").shift(-1).over("vendor_id", "begin")
    return (
        pl.concat([spell, *new])
        .unique()
        .sort("vendor_id", "begin", "valid_from")
        .with_columns(valid_to=pl.coalesce(following.dt.offset_by("-1d"), "valid_to"))
        .sort("valid_from", "vendor_id")
        .join_asof(
            cuts,
            left_on="valid_from",
            right_on="cut",
            by="vendor_id",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(
            security=pl.coalesce(
                pl.col("vendor_id") + pl.lit(" until ") + pl.col("cut").cast(pl.String),
                "vendor_id",
            )
        )
        .drop("begin", "cut")
    )


def _numbered(names: pl.Series, column: str) -> pl.Series:
    """Numbers of the names, refusing two names with the same number."""
    named: dict[int, str] = {}
    numbers = []
    for name in names:
        number = stable_id(name)
        if named.setdefault(number, name) != name:
            raise DataError(
                f"{named[number]!r} and {name!r} get the same {column}; rename one of them"
            )
        numbers.append(number)
    return pl.Series(column, numbers, dtype=pl.Int64)
