"""Faults of annual statements that show when a filing is held against the one before."""

from collections.abc import Callable, Mapping

import polars as pl

FIGURES = (
    "total_assets",
    "total_liabilities",
    "total_equity",
    "revenue",
    "cost_of_revenue",
    "selling_general_administrative",
    "interest_expense",
    "net_income",
    "operating_cash_flow",
    "depreciation",
    "dividends_paid",
)
_KEY = ("vendor_id", "statement", "period_end", "known_date")
_EARLIER = ("period_end", "known_date", "fiscal_year", "shares", "basis_date", *FIGURES)
# Splits closer to 1 than this cannot be told from a year's issues and buybacks.
_SMALLEST_SPLIT = 1.2


def filing_flags(
    filings: pl.DataFrame, splits: pl.DataFrame, thresholds: Mapping[str, float]
) -> pl.DataFrame:
    """Rows that the rules of this module find.

    A filing is held against the latest earlier period that was public when it was filed, so that
    a flag follows from nothing filed later.

    Parameters
    ----------
    filings
        ``vendor_id, statement, fiscal_year, period_end, known_date, shares, basis_date, file`` and
        ``FIGURES``; figures and counts may be null, and are then not compared.
    splits
        ``vendor_id, date, split``: new shares per old one, on ex-dates.
    thresholds
        Where each rule begins, by its name in ``FILING_RULES``.

    Returns
    -------
    pl.DataFrame
        ``rule, subject, fault_date, known_date, figure, expected, detail, file``; one row per
        rule, firm and period, dated by its first statement that shows the fault.
    """
    pairs = successive(filings)
    counts = _with_share_ratio(pairs.filter(pl.col("statement") == "balance"), splits, thresholds)
    found = [
        rule(counts if name in _SHARE_RULES else pairs, thresholds[name])
        .sort("vendor_id", "period_end", "known_date", "statement")
        .unique(["vendor_id", "period_end"], keep="first", maintain_order=True)
        .select(
            rule=pl.lit(name),
            subject="vendor_id",
            fault_date="period_end",
            known_date="known_date",
            figure=pl.col("figure").cast(pl.Float64),
            expected=pl.col("expected").cast(pl.Float64),
            detail="detail",
            file="file",
        )
        for name, rule in FILING_RULES.items()
    ]
    return pl.concat(found)


def successive(filings: pl.DataFrame) -> pl.DataFrame:
    """Filings beside the latest earlier period that was public by then.

    Parameters
    ----------
    filings
        See ``filing_flags``.

    Returns
    -------
    pl.DataFrame
        The filings that have an earlier one, sorted by firm, statement, period and day, with
        ``earlier_*`` columns. Of several filings of the earlier period the latest one counts.
    """
    rest = sorted(set(filings.columns) - set(_KEY))
    rows = filings.sort(*_KEY, *rest).with_row_index("_row")
    earlier = [pl.col(name).alias(f"earlier_{name}") for name in _EARLIER]
    group = ["vendor_id", "statement"]
    shifted = rows.with_columns(
        expression.shift(1).over(group, order_by="_row") for expression in earlier
    )
    follows = (pl.col("earlier_period_end") < pl.col("period_end")) & (
        pl.col("earlier_known_date") <= pl.col("known_date")
    )
    in_order = shifted.filter(follows)
    # Amended filings, and those that follow one that came late, look further back.
    others = shifted.filter(~follows).select(rows.columns)
    looked_up = (
        others.join(rows.select(*group, *earlier), on=group)
        .filter(follows)
        .sort("_row", *(f"earlier_{name}" for name in _EARLIER))
        .unique("_row", keep="last", maintain_order=True)
    )
    return pl.concat([in_order, looked_up.select(in_order.columns)]).sort("_row").drop("_row")


def _with_share_ratio(
    balances: pl.DataFrame, splits: pl.DataFrame, thresholds: Mapping[str, float]
) -> pl.DataFrame:
    """Add ``ratio`` of counts on one split basis, and what explains it.

    ``split`` is the factor of the booked split (or of several taken together) that is near the
    ratio or its inverse, null where none is, and ``split_date`` its day, which may come after the
    filing: a vendor's download has later splits in its counts, or lacks them. ``is_split`` says
    whether it was known when the statement was filed.
    """
    rows = balances.filter((pl.col("shares") > 0) & (pl.col("earlier_shares") > 0)).with_row_index(
        "_row"
    )
    # Splits after both bases are in neither count, and not known from them either.
    between = (
        rows.select(
            "_row",
            "vendor_id",
            "basis_date",
            "earlier_basis_date",
            first_day=pl.min_horizontal("earlier_period_end", "earlier_basis_date"),
            last_day=pl.max_horizontal("basis_date", "earlier_basis_date"),
        )
        .join(splits, on="vendor_id")
        .filter((pl.col("date") > pl.col("first_day")) & (pl.col("date") <= pl.col("last_day")))
        .sort("_row", "date")
    )
    in_basis = (pl.col("date") > pl.col("earlier_basis_date")) & (
        pl.col("date") <= pl.col("basis_date")
    )
    applied = between.group_by("_row", maintain_order=True).agg(
        factor=pl.when(in_basis).then("split").otherwise(1.0).product()
    )
    ratio = pl.col("shares") / pl.col("earlier_shares") / pl.col("factor").fill_null(1.0)
    rows = rows.join(applied, on="_row", how="left").with_columns(ratio=ratio)
    explaining = _explaining_split(
        between.select("_row", "date", "split"),
        rows.select("_row", "ratio"),
        thresholds["shares_off_by_split"],
    )
    digits = pl.col("ratio").log10()
    return rows.join(explaining, on="_row", how="left").with_columns(
        is_split=(pl.col("split_date") <= pl.col("known_date")).fill_null(value=False),
        is_power_of_ten=(digits.round() != 0)
        & ((digits - digits.round()).abs() <= thresholds["shares_power_of_ten"]),
    )


def _explaining_split(splits: pl.DataFrame, ratios: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Return the first split, or product of splits so far, that is near each ratio or its inverse.

    The first, not the nearest: splits that come later change nothing about what was seen.
    """
    so_far = splits.sort("_row", "date").with_columns(pl.col("split").cum_prod().over("_row"))
    away_from_one = pl.max_horizontal(pl.col("split"), 1.0 / pl.col("split"))
    missed_by = pl.min_horizontal(
        (pl.col("ratio") / pl.col("split")).log().abs(),
        (pl.col("ratio") * pl.col("split")).log().abs(),
    )
    return (
        pl.concat([splits.select(so_far.columns), so_far])
        .filter(away_from_one >= _SMALLEST_SPLIT)
        .join(ratios, on="_row")
        .with_columns(miss=missed_by)
        .filter(pl.col("miss") <= threshold)
        .sort("_row", "date", "miss", "split")
        .unique("_row", keep="first", maintain_order=True)
        .select("_row", "split", split_date="date")
    )


def _off_by_split(counts: pl.DataFrame, threshold: float) -> pl.DataFrame:  # noqa: ARG001
    return counts.filter(pl.col("split").is_not_null()).with_columns(
        known_date=pl.max_horizontal("known_date", "split_date"),
        figure="ratio",
        expected=pl.lit(1.0),
        detail=pl.format(
            "shares over those of {}, on one split basis: the split of {} is in one of them only",
            "earlier_period_end",
            "split",
        ),
    )


def _power_of_ten(counts: pl.DataFrame, threshold: float) -> pl.DataFrame:  # noqa: ARG001
    return counts.filter("is_power_of_ten").with_columns(
        figure="ratio",
        expected=pl.lit(1.0),
        detail=pl.format("shares over those of {}: a power of ten", "earlier_period_end"),
    )


def _jump(counts: pl.DataFrame, threshold: float) -> pl.DataFrame:
    both = (pl.col("total_assets") > 0) & (pl.col("earlier_total_assets") > 0)
    grown = pl.when(both).then(pl.col("total_assets") / pl.col("earlier_total_assets"))
    one = pl.lit(1.0)
    # A merger or an issue brings assets with the shares.
    unexplained = (
        pl.when(pl.col("ratio") > 1)
        .then(pl.col("ratio") / pl.max_horizontal(one, grown))
        .otherwise(one / (pl.col("ratio") * pl.max_horizontal(one, one / grown)))
    )
    explained = pl.col("is_split") | pl.col("is_power_of_ten")
    return counts.filter((unexplained >= threshold) & ~explained).with_columns(
        figure="ratio",
        expected=one,
        detail=pl.format(
            "shares over those of {}, on one split basis; assets did not follow",
            "earlier_period_end",
        ),
    )


def _power_of_thousand(pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    size, earlier = (
        pl.sum_horizontal(pl.col(f"{prefix}{name}").abs() for name in FIGURES)
        for prefix in ("", "earlier_")
    )
    digits = (size / earlier).log10()
    is_unit = (digits.abs() - 3.0).abs().le(threshold) | (digits.abs() - 6.0).abs().le(threshold)
    return pairs.filter((size > 0) & (earlier > 0) & is_unit).with_columns(
        figure=size / earlier,
        expected=pl.lit(1.0),
        detail=pl.format("figures of the {} over those of {}", "statement", "earlier_period_end"),
    )


def _repeated(pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"earlier_{name}")) for name in FIGURES)
    filled = pl.sum_horizontal((pl.col(name) != 0).cast(pl.Float64) for name in FIGURES)
    return pairs.filter(same & (filled >= threshold)).with_columns(
        figure=filled,
        expected=pl.lit(None),
        detail=pl.format("the {} is that of {}", "statement", "earlier_period_end"),
    )


def _year_missing(pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    return (
        # Of one statement alone it is missing too, but that is another rule's.
        pairs.filter(pl.col("statement") == "balance")
        .with_columns(figure=_days_between())
        .filter(pl.col("figure") > threshold)
        .with_columns(
            expected=pl.lit(365.0),
            detail=pl.format("days since the period before, that of {}", "earlier_period_end"),
        )
    )


def _short_year(pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    off_label = (pl.col("fiscal_year") - pl.col("period_end").dt.year()).abs() > 1
    repeated_label = pl.col("fiscal_year") <= pl.col("earlier_fiscal_year")
    return (
        pairs.with_columns(figure=_days_between())
        .filter((pl.col("figure") < threshold) | off_label | repeated_label)
        .with_columns(
            expected=pl.lit(365.0),
            detail=pl.format(
                "days since the period before, that of {}; labelled {} after {}",
                "earlier_period_end",
                "fiscal_year",
                "earlier_fiscal_year",
            ),
        )
    )


def _days_between() -> pl.Expr:
    return (pl.col("period_end") - pl.col("earlier_period_end")).dt.total_days().cast(pl.Float64)


Finder = Callable[[pl.DataFrame, float], pl.DataFrame]
_SHARE_RULES: dict[str, Finder] = {
    "shares_power_of_ten": _power_of_ten,
    "shares_off_by_split": _off_by_split,
    "shares_jump": _jump,
}
FILING_RULES: dict[str, Finder] = {
    **_SHARE_RULES,
    "figures_power_of_thousand": _power_of_thousand,
    "repeated_figures": _repeated,
    "missing_fiscal_year": _year_missing,
    "short_fiscal_year": _short_year,
}
"""The rules of this module: what finds the rows of each, by name."""
