"""The stock-month panel, put together from daily prices and filed facts."""

from dataclasses import dataclass
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
from factor_pipeline.compute.returns import Dispute, daily_returns, in_order, monthly_returns
from factor_pipeline.compute.shares import on_basis_of
from factor_pipeline.months import MonthRange, add_months

_PERMANENT = ("firm_id", "delisted_at", "delisting_reason", "delisting_return")
_OF_SPELL = ("ticker", "exchange")


@dataclass(frozen=True, slots=True)
class PanelRules:
    """Choices the panel depends on; see the settings of the same names."""

    max_fundamental_age_months: int
    delisting_return: Imputation
    disputed_return: Dispute


@dataclass(frozen=True, slots=True)
class PanelInputs:
    """What the panel of a range of months is made from.

    Attributes
    ----------
    prices
        Daily rows of the months and the month before: ``security_id, ticker, date, close,
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
    """

    prices: pl.DataFrame
    securities: pl.DataFrame
    facts: pl.DataFrame
    splits: pl.DataFrame
    members: pl.DataFrame
    data_end: date


def security_months(inputs: PanelInputs, months: MonthRange, rules: PanelRules) -> pl.DataFrame:
    """Rows of ``panel.security_month`` for ``months``.

    A month has a row when the security has a price in it, or is delisted in it. Months the data
    do not cover to their last trading day are flagged and have no return.
    """
    daily = daily_returns(inputs.prices)
    traded = monthly_returns(daily, dispute=rules.disputed_return).filter(
        pl.col("month_end").is_between(months.start, months.end, "left")
    )
    frame = _with_identity(traded, inputs.securities, months, inputs.data_end)
    frame = _with_market_equity(frame, inputs, rules.max_fundamental_age_months)
    frame = _with_membership(frame, inputs.members)
    return _with_returns_and_flags(frame, inputs.data_end, rules).sort("security_id", "month_end")


def _with_identity(
    traded: pl.DataFrame, securities: pl.DataFrame, months: MonthRange, data_end: date
) -> pl.DataFrame:
    """Attach firm, exchange and delisting; a delisting in a month without a price gets a row."""
    permanent = securities.select("security_id", *_PERMANENT).unique(
        "security_id", keep="last", maintain_order=True
    )
    gone = permanent.filter(
        pl.col("delisted_at").is_between(months.start, months.end, "left"),
        pl.col("delisted_at") <= data_end,
    ).select("security_id", month_end=pl.col("delisted_at").dt.month_end(), delisted=True)
    spells = securities.select("security_id", "valid_from", *_OF_SPELL).sort(
        "valid_from", "security_id"
    )
    return (
        traded.join(gone, on=["security_id", "month_end"], how="full", coalesce=True)
        .join(permanent, on="security_id", how="left")
        .with_columns(
            pl.col("delisted", "disputed").fill_null(value=False),
            pl.col("trading_days").fill_null(0),
            pl.col("last_date").fill_null(pl.col("delisted_at")),
        )
        .sort("last_date", "security_id")
        .join_asof(
            spells,
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
    ).with_columns(market_equity=pl.col("price") * pl.col("shares"))
    has_equity = pl.col("market_equity").is_not_null()
    by_firm = based.sort("month_end", "firm_id", "security_id")
    classes = by_firm.group_by("month_end", "firm_id", maintain_order=True).agg(
        classes=pl.len(), is_known=has_equity.any()
    )
    total = in_order(np.add, by_firm["market_equity"], classes["classes"].to_numpy())
    firm = classes.select(
        "month_end", "firm_id", firm_market_equity=pl.when("is_known").then(total)
    )
    return based.join(firm, on=["month_end", "firm_id"], how="left")


def _with_membership(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Whether the ticker of the day is in the index on the row's last trading day."""
    spells = members.select("ticker", "start_date", "end_date").sort("start_date", "ticker")
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


def _with_returns_and_flags(frame: pl.DataFrame, data_end: date, rules: PanelRules) -> pl.DataFrame:
    complete = pl.col("month_end") < add_months(last_complete_month(data_end), 1)
    ends = {end: last_trading_day(end) for end in frame["month_end"].unique().sort()}
    last_day = pl.col("month_end").replace_strict(ends, return_dtype=pl.Date)
    dlret = pl.when(pl.col("delisted")).then(effective_delisting_return(rules.delisting_return))
    imputed = pl.col("effective").is_not_null() & pl.col("delisting_return").is_null()
    flags = {
        "partial_month": ~complete,
        "disputed_return": pl.col("disputed"),
        "delisted": pl.col("delisted"),
        "delisting_return_imputed": imputed,
        "price_gap": complete & ~pl.col("delisted") & (pl.col("last_date") < last_day),
        "shares_stale": pl.col("too_old"),
    }
    # A disputed month stays without a return even where a delisting return is known.
    keeps_return = complete & ~(pl.col("disputed") & pl.col("ret").is_null())
    return (
        frame.with_columns(effective=dlret)
        .with_columns(
            flags=pl.concat_str(
                [pl.when(condition).then(pl.lit(name)) for name, condition in flags.items()],
                separator=",",
                ignore_nulls=True,
            ).replace("", None),
            ret=pl.when(keeps_return).then(
                with_delisting_return(pl.col("ret"), pl.col("effective"))
            ),
        )
        .select(
            "security_id",
            "firm_id",
            "ticker",
            "month_end",
            "ret",
            "price",
            "shares",
            "market_equity",
            "firm_market_equity",
            "exchange",
            "index_member",
            "last_date",
            "trading_days",
            "dollar_volume",
            "flags",
            delisting_return="effective",
        )
    )
