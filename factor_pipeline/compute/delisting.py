"""Delisting returns: reported, or imputed where the reason calls for it."""

from typing import Literal

import polars as pl

Imputation = Literal["none", "-30%", "by_exchange"]

# Shumway (1997) finds -30 % for performance delistings on NYSE and AMEX; Shumway and Warther
# (1999) find -55 % on NASDAQ. The variant by exchange uses -35 % and -55 %.
_ALL = -0.30
_NASDAQ = -0.55
_OTHER_EXCHANGES = -0.35


def effective_delisting_return(imputation: Imputation) -> pl.Expr:
    """Return to compound: the reported one, an imputed one after bad performance, else null.

    Reads ``delisting_return, delisting_reason, exchange``; decimals. With ``by_exchange`` an
    unknown exchange counts as one other than NASDAQ.

    References
    ----------
    Shumway (1997), *Journal of Finance* 52(1); Shumway and Warther (1999), *Journal of Finance*
    54(6).
    """
    if imputation == "none":
        return pl.col("delisting_return")
    by_exchange = pl.when(pl.col("exchange") == "NASDAQ").then(_NASDAQ).otherwise(_OTHER_EXCHANGES)
    imputed = pl.lit(_ALL) if imputation == "-30%" else by_exchange
    return pl.coalesce(
        "delisting_return", pl.when(pl.col("delisting_reason") == "performance").then(imputed)
    )


def with_delisting_return(ret: pl.Expr, delisting_return: pl.Expr) -> pl.Expr:
    """Compound, never add: ``(1 + ret)(1 + dlret) - 1``; with one of them null, the other."""
    return pl.coalesce((1 + ret) * (1 + delisting_return) - 1, ret, delisting_return)


def ret_under(imputation: Imputation) -> pl.Expr:
    """Return of a month that ends in a delisting nobody reports a return of.

    Reads ``ret`` of the month as it was made with another imputation, the delisting return that
    was ``compounded`` into it (null when none was), ``price`` (null when nothing but the delisting
    happened in the month) and what `effective_delisting_return` reads, all of the delisted month.
    """
    traded = pl.when(pl.col("price").is_not_null()).then(
        (1 + pl.col("ret")) / (1 + pl.col("compounded")) - 1
    )
    before = pl.when(pl.col("compounded").is_null()).then("ret").otherwise(traded)
    return with_delisting_return(before, effective_delisting_return(imputation))
