"""Six stocks whose betas, types and ranks a person can check at a glance."""

from datetime import date

import polars as pl

JAN = date(2020, 1, 31)

_BETAS = {
    "TSLA": (1.8, -0.6, -0.9),
    "AMZN": (1.2, -0.4, -0.7),
    "JPM": (1.0, -0.2, 0.8),
    "XOM": (0.9, -0.1, 1.2),
    "ROKU": (1.5, 0.7, -1.1),
    "AFL": (0.8, 0.5, 1.0),
}
TICKERS = dict(enumerate(_BETAS, start=1))

SIX_STOCKS = pl.DataFrame(
    list(_BETAS.values()), schema=["beta_mkt", "beta_smb", "beta_hml"], orient="row"
).with_columns(security_id=pl.Series(list(TICKERS)), month_end=pl.lit(JAN), model=pl.lit("FF3"))


def by_ticker(frame: pl.DataFrame, column: str) -> dict[str, object]:
    """Values of a column by ticker."""
    return {TICKERS[security]: value for security, value in frame["security_id", column].rows()}
