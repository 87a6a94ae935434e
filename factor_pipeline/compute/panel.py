"""The stock-month panel, put together from daily prices and filed facts."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from factor_pipeline.compute.calendar import last_complete_month, last_trading_day
from factor_pipeline.compute.delisting import (
    Imputation,
    effective_delisting_return,
    with_delisting_return,
)
from factor_pipeline.compute.fundamentals import latest_public
from factor_pipeline.compute.ordering import finite, reduce_runs, sorted_by_key
from factor_pipeline.compute.returns import Dispute, daily_returns, monthly_returns
from factor_pipeline.compute.shares import on_basis_of
from factor_pipeline.months import MonthRange, add_months

DELISTED = "delisted"
"""Flag of the month in which a security left the exchange."""

EXCLUDED = "excluded"
"""Flag of a month that the settings leave out."""

_FLAGS_SCHEMA = {"security_id": pl.Int64, "month_end": pl.Date, "rule": pl.String}
_EXCLUSIONS_SCHEMA = {"security_id": pl.Int64, "month_end": pl.Date}

_OF_DELISTING = ("delisted_at", "delisting_reason", "delisting_return")
_OF_SPELL = ("firm_id", "ticker", "exchange")


@dataclass(frozen=True, slots=True)
class PanelRules:
    """Choices the panel depends on; see the settings of the same names.

    ``exclude`` are rules of data quality: a month with a flag of one has no return.
    """

    max_fundamental_age_months: int
    delisting_return: Imputation
    disputed_return: Dispute
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PanelInputs:
    """What the panel of a range of months is made from.

    Attributes
    ----------
    prices
        Daily rows of the months and the month before: ``security_id, date, close,
        split, dividend, adjusted_close, volume``.
    securities
        ``panel.security``.
    facts
        ``panel.book_equity``.
    splits
        ``security_id, date, split`` of all days with a split.
    members
        ``ticker, start_date, end_date`` of the index.
    data_end
        Last day of any price in the warehouse.
    flags
        ``security_id, month_end, rule``: unique; rules whose flags became known in the month.
    exclusions
        ``security_id, month_end`` of months that a person left out; repeats count once.
    """

    prices: pl.DataFrame
    securities: pl.DataFrame
    facts: pl.DataFrame
    splits: pl.DataFrame
    members: pl.DataFrame
    data_end: date
    flags: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_FLAGS_SCHEMA))
    exclusions: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=_EXCLUSIONS_SCHEMA)
    )


def security_months(inputs: PanelInputs, months: MonthRange, rules: PanelRules) -> pl.DataFrame:
    """Rows of ``panel.security_month`` for ``months``.

    A security has a row in a month when it has a price in it, or is delisted in it; the delisting
    return follows the last price. Months the data do not cover to their last trading day are
    flagged and have no return. A month without a price has no row, and the month after it has no
    return, nor has one that is excluded. Identity, share count and membership are those of the last
    trading day.

    Returns
    -------
    pl.DataFrame
        Unique ``security_id, month_end``, sorted by them. Numbers that are not known are null,
        never NaN or infinite. Each row depends on its month, the month before, and what was filed
        before its last trading day.

    Raises
    ------
    DataError
        When a row of the inputs is there twice.

    References
    ----------
    Shumway (1997), *Journal of Finance* 52(1), for delisting returns.
    """
    daily = daily_returns(inputs.prices)
    traded = monthly_returns(daily, dispute=rules.disputed_return).filter(
        pl.col("month_end").is_between(months.start, months.end, "left")
    )
    frame = _with_identity(traded, inputs.securities, months, inputs.data_end)
    frame = _with_market_equity(frame, inputs, rules.max_fundamental_age_months)
    frame = _with_membership(frame, inputs.members)
    frame = _with_found_faults(frame, inputs, rules.exclude)
    return _with_returns_and_flags(frame, inputs.data_end, rules).sort("security_id", "month_end")


def _with_identity(
    traded: pl.DataFrame, securities: pl.DataFrame, months: MonthRange, data_end: date
) -> pl.DataFrame:
    """Attach firm, exchange and delisting; a delisting in a month without a price gets a row."""
    spells = sorted_by_key(securities, ("valid_from", "security_id"), what="ticker spells")
    left = spells.unique("security_id", keep="first", maintain_order=True).filter(
        # A delisting before the first price is that of an earlier company.
        pl.col("delisted_at").is_between("valid_from", data_end),
    )
    gone = left.filter(pl.col("delisted_at").is_between(months.start, months.end, "left")).select(
        "security_id", month_end=pl.col("delisted_at").dt.month_end(), delisted=True
    )
    return (
        traded.join(gone, on=["security_id", "month_end"], how="full", coalesce=True)
        .join(left.select("security_id", *_OF_DELISTING), on="security_id", how="left")
        .with_columns(
            pl.col("delisted", "disputed").fill_null(value=False),
            pl.col("trading_days").fill_null(0),
            pl.col("last_date").fill_null(pl.col("delisted_at")),
        )
        .sort("last_date", "security_id")
        .join_asof(
            spells.select("security_id", "valid_from", *_OF_SPELL),
            left_on="last_date",
            right_on="valid_from",
            by="security_id",
            strategy="backward",
            check_sortedness=False,
        )
    )


def _with_market_equity(
    frame: pl.DataFrame, inputs: PanelInputs, max_age_months: int
) -> pl.DataFrame:
    counted = inputs.facts.filter(pl.col("shares").is_not_null()).select(
        "security_id", "period_end", "filed_at", "shares", "shares_basis_date"
    )
    known = latest_public(frame, counted, on="last_date", max_age_months=max_age_months)
    based = on_basis_of(
        known, inputs.splits, shares="shares", basis="shares_basis_date", day="last_date"
    ).with_columns(market_equity=finite(pl.col("price") * pl.col("shares")))
    by_firm = based.sort("month_end", "firm_id", "security_id")
    classes = by_firm.group_by("month_end", "firm_id", maintain_order=True).len()
    firm = classes.select(
        "month_end",
        "firm_id",
        firm_market_equity=reduce_runs(np.add, by_firm["market_equity"], classes["len"].to_numpy()),
    )
    return based.join(firm, on=["month_end", "firm_id"], how="left")


def _with_membership(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Whether the ticker of the day is in the index on the row's last trading day."""
    spells = sorted_by_key(
        members.select("ticker", "start_date", "end_date"),
        ("start_date", "ticker"),
        what="spells in the index",
    )
    return (
        frame.sort("last_date", "security_id")
        .join_asof(
            spells,
            left_on="last_date",
            right_on="start_date",
            by="ticker",
            strategy="backward",
            check_sortedness=False,
        )
        .with_columns(
            index_member=pl.col("start_date").is_not_null()
            & (pl.col("end_date").is_null() | (pl.col("end_date") > pl.col("last_date")))
        )
    )


def _with_found_faults(
    frame: pl.DataFrame, inputs: PanelInputs, exclude: frozenset[str]
) -> pl.DataFrame:
    """Attach ``found``, the rules that flagged the month, and whether it is ``excluded``."""
    key = ["security_id", "month_end"]
    by_month = (
        inputs.flags.sort(*key, "rule")
        .group_by(key, maintain_order=True)
        .agg(found=pl.col("rule").str.join(","), excluded=pl.col("rule").is_in(exclude).any())
    )
    named = inputs.exclusions.unique(key).with_columns(named=pl.lit(value=True))
    return (
        frame.join(by_month, on=key, how="left")
        .join(named, on=key, how="left")
        .with_columns(
            excluded=pl.any_horizontal(pl.col("excluded", "named").fill_null(value=False))
        )
    )


def _with_returns_and_flags(frame: pl.DataFrame, data_end: date, rules: PanelRules) -> pl.DataFrame:
    complete = pl.col("month_end") < add_months(last_complete_month(data_end), 1)
    ends = {end: last_trading_day(end) for end in frame["month_end"].unique().sort()}
    last_day = pl.col("month_end").replace_strict(ends, return_dtype=pl.Date)
    # A disputed month stays without a return even where a delisting return is known.
    settled = ~(pl.col("disputed") & pl.col("ret").is_null())
    has_return = complete & settled & ~pl.col("excluded")
    reported = pl.col("delisting_return")
    compounded = pl.when("delisted", has_return).then(
        effective_delisting_return(rules.delisting_return)
    )
    flags = {
        "partial_month": ~complete,
        "disputed_return": pl.col("disputed"),
        DELISTED: pl.col("delisted"),
        "delisting_return_imputed": compounded.is_not_null() & reported.is_null(),
        "price_gap": complete & ~pl.col("delisted") & (pl.col("last_date") < last_day),
        "shares_stale": pl.col("too_old"),
        EXCLUDED: pl.col("excluded"),
    }
    named = [pl.when(condition).then(pl.lit(name)) for name, condition in flags.items()]
    ret = finite(with_delisting_return(pl.col("ret"), compounded))
    return frame.select(
        "security_id",
        "firm_id",
        "ticker",
        "month_end",
        pl.when(has_return).then(ret).alias("ret"),
        "price",
        "shares",
        "market_equity",
        "firm_market_equity",
        "exchange",
        "index_member",
        "last_date",
        "trading_days",
        "dollar_volume",
        "high",
        "split",
        "dividend",
        flags=pl.concat_str(*named, "found", separator=",", ignore_nulls=True).replace("", None),
        delisting_return=compounded,
    )
