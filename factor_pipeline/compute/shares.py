"""Share counts brought to the split basis of the price they are multiplied with."""

import polars as pl

from factor_pipeline.compute.ordering import finite, sorted_by_key


def on_basis_of(
    rows: pl.DataFrame, splits: pl.DataFrame, *, shares: str, basis: str, day: str
) -> pl.DataFrame:
    """Restate ``shares`` from the split basis of the date ``basis`` to that of ``day``.

    Vendors adjust share counts for splits up to their download date; the closing price of an
    earlier day is not. ``shares(day) = shares(basis) * S(day) / S(basis)`` with ``S`` the
    cumulative split factor brings both together, and undoes exactly what the vendor applied:
    the result is the count of that day, not a look ahead.

    Parameters
    ----------
    rows
        ``security_id``, the count and the two date columns; a null basis means ``day``.
    splits
        Unique ``security_id, date`` with ``split``: new shares per old one, on ex-dates. A split
        of the day itself is in the basis of that day, as it is in its closing price.
    shares, basis, day
        Names of the columns of ``rows``.

    Returns
    -------
    pl.DataFrame
        ``rows`` sorted by security and day, with ``shares`` restated; null where the count is.

    Raises
    ------
    DataError
        When a security has two splits on a day.
    """
    cumulative = sorted_by_key(splits, ("date", "security_id"), what="splits").select(
        "security_id", "date", factor=pl.col("split").cum_prod().over("security_id")
    )
    restated = rows.with_columns(pl.col(basis).fill_null(pl.col(day)))
    for column, factor in ((day, "_day_factor"), (basis, "_basis_factor")):
        restated = (
            restated.sort(column, "security_id")
            .join_asof(
                cumulative.rename({"date": "_split_date", "factor": factor}),
                left_on=column,
                right_on="_split_date",
                by="security_id",
                strategy="backward",
                check_sortedness=False,
            )
            .drop("_split_date")
        )
    ratio = pl.col("_day_factor").fill_null(1.0) / pl.col("_basis_factor").fill_null(1.0)
    return (
        restated.with_columns(finite(pl.col(shares) * ratio).alias(shares))
        .drop("_day_factor", "_basis_factor")
        .sort("security_id", day)
    )
