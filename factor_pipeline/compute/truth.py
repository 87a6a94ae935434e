"""The truth behind a simulated market, in the warehouse's identities and names."""

from collections.abc import Mapping

import polars as pl

from factor_pipeline.schemas.truth import FACTOR_NAMES


def identified(frame: pl.DataFrame, securities: pl.DataFrame, *, day: str) -> pl.DataFrame:
    """Replace the vendor's identifier by that of the security which had it on ``day``.

    Parameters
    ----------
    frame
        ``vendor_id`` and the date ``day``, among others.
    securities
        ``panel.security``.
    day
        Column of ``frame``: a series that joins two companies is another security before the
        day it changes.

    Returns
    -------
    pl.DataFrame
        ``frame`` with ``security_id`` (null before the first day of the identifier) in place of
        ``vendor_id``, sorted by security and ``day``.
    """
    identities = securities.select("vendor_id", "valid_from", "security_id")
    return (
        frame.sort(day, "vendor_id")
        .join_asof(
            identities.sort("valid_from", "vendor_id"),
            left_on=day,
            right_on="valid_from",
            by="vendor_id",
            check_sortedness=False,
        )
        .drop("vendor_id", "valid_from")
        .sort("security_id", day)
    )


def truth_tables(
    truth: Mapping[str, pl.DataFrame], securities: pl.DataFrame
) -> tuple[pl.DataFrame, ...]:
    """Bring the truth of a simulated market into the shape of its tables.

    Parameters
    ----------
    truth
        Frames as ``sources.simulated.truth`` returns them.
    securities
        ``panel.security`` of that market.

    Returns
    -------
    tuple of pl.DataFrame
        Rows of ``truth.beta``, ``truth.security_return``, ``truth.factor_return``,
        ``truth.premium`` and ``truth.delisting``.
    """
    name = pl.col("factor").replace_strict(FACTOR_NAMES, return_dtype=pl.String)
    factors = truth["factors"].unpivot(index="month_end", variable_name="factor", value_name="ret")
    return (
        identified(truth["betas"], securities, day="month_end"),
        identified(truth["returns"], securities, day="month_end"),
        factors.with_columns(factor=name).sort("factor", "month_end"),
        truth["premia"].with_columns(factor=name).sort("factor"),
        identified(truth["delistings"], securities, day="date"),
    )
