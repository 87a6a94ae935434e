"""A second implementation of the sorts, in plain pandas and as a textbook would write it."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import breakpoints
from factor_pipeline.compute.factors import factor_returns
from factor_pipeline.compute.portfolios import portfolio_returns
from factor_pipeline.compute.sorts import default_sorts, quintile_sort
from factor_pipeline.months import MonthRange

# Weighted means of a few hundred returns, added up in another order.
AGREEMENT = 1e-12
# pandas computes the rank of a quantile in binary, which may fall short of the stock it is.
RANK_NOISE = 1e-12

SIGNALS = ("size", "book_to_market", "momentum_12_2")
SIZE_VALUE, SIZE_MOMENTUM = "size_value_2x3", "size_momentum_2x3"
FIFTHS, OF_ALL = "size_value_5x5", "momentum_12_2_quintile_all"


def simulated_stocks(seed: int, *, exchanges: bool, stocks: int = 400, months: int = 40):
    """Stocks that enter, leave, pause, lack values, change exchange and share many values."""
    rng = np.random.default_rng(seed)
    ends = pd.date_range("1999-11-30", periods=months, freq="ME")
    frame = pd.MultiIndex.from_product(
        [range(100, 100 + stocks), ends], names=["security_id", "month_end"]
    ).to_frame(index=False)
    rows = len(frame)
    born = rng.integers(-20, months, stocks).repeat(months)
    age = np.tile(np.arange(months), stocks) - born
    frame["lagged_market_equity"] = np.exp(rng.normal(6, 2, rows))
    frame["size"] = frame["lagged_market_equity"] * rng.choice([1.0, 1.3], rows)
    # Drawn from a few values, so that stocks tie with each other and with breakpoints.
    frame["book_to_market"] = rng.choice(np.exp(rng.normal(-0.5, 0.8, 150)), rows)
    frame["momentum_12_2"] = rng.choice(rng.normal(0.1, 0.4, 150), rows)
    frame["ret"] = rng.standard_t(4, rows) * 0.06
    for column in ("lagged_market_equity", *SIGNALS, "ret"):
        frame.loc[rng.random(rows) < 0.04, column] = np.nan
    listed = rng.choice(["NYSE", "AMEX", "NASDAQ"], rows, p=[0.4, 0.2, 0.4]).astype(object)
    listed[rng.random(rows) < 0.1] = None
    frame["exchange"] = listed if exchanges else None
    alive = (age >= 0) & (age < rng.integers(3, 90, stocks).repeat(months))
    return frame[alive & (rng.random(rows) > 0.02)].sample(frac=1, random_state=seed)


def pandas_group(rows: pd.DataFrame, signal: str, probabilities, labels, *, nyse=True) -> pd.Series:
    """Label of each row of one month; NaN without a value or with too few stocks."""
    by_nyse = nyse and rows["exchange"].notna().any()
    base = rows.loc[rows["exchange"] == "NYSE", signal] if by_nyse else rows[signal]
    base = base.dropna()
    if len(base) < 10:
        return pd.Series(np.nan, index=rows.index, dtype=object)
    edges = [base.quantile(p) for p in probabilities]
    bins = [-np.inf, *(edge + RANK_NOISE * abs(edge) for edge in edges), np.inf]
    return pd.cut(rows[signal], bins, labels=list(labels), right=True).astype(object)


def of_each_month(frame: pd.DataFrame, label) -> pd.Series:
    return pd.concat(label(rows) for _, rows in frame.groupby("month_end"))


def crossed(frame: pd.DataFrame, signal: str, labels: str) -> pd.Series:
    """Cells of a 2x3 sort."""
    return of_each_month(
        frame,
        lambda rows: (
            pandas_group(rows, "size", [0.5], "SB") + pandas_group(rows, signal, [0.3, 0.7], labels)
        ),
    )


def fifths_crossed(frame: pd.DataFrame) -> pd.Series:
    """Cells of the 5x5 sort on size and book-to-market."""
    fifths = [0.2, 0.4, 0.6, 0.8]
    return of_each_month(
        frame,
        lambda rows: (
            pandas_group(rows, "size", fifths, [f"S{i}" for i in range(1, 6)])
            + pandas_group(rows, "book_to_market", fifths, [f"Q{i}" for i in range(1, 6)])
        ),
    )


def fifths_of_all(frame: pd.DataFrame) -> pd.Series:
    """Fifths of momentum with breakpoints of all stocks."""
    labels = [f"Q{i}" for i in range(1, 6)]
    return of_each_month(
        frame,
        lambda rows: pandas_group(rows, "momentum_12_2", [0.2, 0.4, 0.6, 0.8], labels, nyse=False),
    )


def pandas_weights(held: pd.DataFrame, caps: pd.Series, weighting: str) -> pd.Series:
    if weighting == "equal":
        return pd.Series(1.0, index=held.index)
    equity = held["lagged_market_equity"]
    return equity if weighting == "value" else equity.clip(upper=held["month_end"].map(caps))


def pandas_caps(frame: pd.DataFrame) -> pd.Series:
    """80th percentile of the market equity of NYSE stocks, of all where no exchange is known."""

    def cap(rows):
        listed = rows["exchange"].notna().any()
        base = rows[rows["exchange"] == "NYSE"] if listed else rows
        return base["lagged_market_equity"].dropna().quantile(0.8)

    return pd.Series({end: cap(rows) for end, rows in frame.groupby("month_end")})


def pandas_portfolios(frame: pd.DataFrame, weighting: str = "value") -> dict[str, pd.DataFrame]:
    """Returns of all sorts, months by cells."""
    frame, caps = frame.copy(), pandas_caps(frame)
    ends = frame["month_end"]
    frame["formation"] = ends.dt.year - (ends.dt.month < 7)
    julys = frame[ends.dt.month == 7]
    july_cells = julys.assign(
        **{SIZE_VALUE: crossed(julys, "book_to_market", "GNV"), FIFTHS: fifths_crossed(julys)}
    )
    frame = frame.merge(
        july_cells[["security_id", "formation", SIZE_VALUE, FIFTHS]],
        on=["security_id", "formation"],
        how="left",
    )
    frame[SIZE_MOMENTUM] = crossed(frame, "momentum_12_2", "LMH")
    frame[OF_ALL] = fifths_of_all(frame)
    frame["market"] = "All"
    has_weight = (frame["lagged_market_equity"] > 0) | (weighting == "equal")
    held = frame[frame["ret"].notna() & has_weight].copy()
    held["weight"] = pandas_weights(held, caps, weighting)

    def weighted(group):
        if len(group) < 3:
            return np.nan
        return np.average(group["ret"], weights=group["weight"])

    return {
        sort: held.groupby(["month_end", sort])[["ret", "weight"]]
        .apply(weighted)
        .unstack()
        .reindex(sorted(frame["month_end"].unique()))
        for sort in (SIZE_VALUE, SIZE_MOMENTUM, FIFTHS, OF_ALL, "market")
    }


def pandas_factors(cells: dict[str, pd.DataFrame], risk_free: pd.Series) -> pd.DataFrame:
    value, momentum = cells[SIZE_VALUE], cells[SIZE_MOMENTUM]
    small = (value["SV"] + value["SN"] + value["SG"]) / 3
    big = (value["BV"] + value["BN"] + value["BG"]) / 3
    return pd.DataFrame(
        {
            "MKT": cells["market"]["All"] - risk_free,
            "SMB": small - big,
            "HML": (value["SV"] + value["BV"]) / 2 - (value["SG"] + value["BG"]) / 2,
            "UMD": (momentum["SH"] + momentum["BH"]) / 2 - (momentum["SL"] + momentum["BL"]) / 2,
        }
    )


def ours(frame: pd.DataFrame, risk_free: pd.Series):
    stocks = pl.from_pandas(frame, schema_overrides={"exchange": pl.String}).with_columns(
        pl.col("month_end").cast(pl.Date)
    )
    of_all = quintile_sort("momentum_12_2", "monthly").renamed(OF_ALL, basis="all")
    sorts = (*default_sorts(SIGNALS), of_all)
    months = MonthRange.of_months(date(1999, 11, 1), date(2003, 2, 1))
    cells = assignments(stocks, breakpoints(stocks, sorts), sorts, months)
    portfolios = portfolio_returns(stocks, cells, sorts)
    rates = pl.DataFrame({"month_end": risk_free.index.to_numpy(), "rf": risk_free.to_numpy()})
    return portfolios, factor_returns(
        portfolios, rates.with_columns(pl.col("month_end").cast(pl.Date))
    )


def aligned(long: pl.DataFrame, name: str, like: pd.DataFrame) -> np.ndarray:
    wide = long.pivot(on=name, index="month_end", values="ret").sort("month_end")
    assert wide["month_end"].to_list() == [end.date() for end in like.index]
    return wide.select(list(like.columns)).to_numpy()


def market_of(seed: int, *, exchanges: bool):
    frame = simulated_stocks(seed, exchanges=exchanges)
    ends = np.sort(frame["month_end"].unique())
    return frame, pd.Series(np.linspace(0.001, 0.004, len(ends)), index=ends)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("exchanges", [True, False])
def test_portfolios_and_factors_agree_with_pandas(seed, exchanges):
    frame, risk_free = market_of(seed, exchanges=exchanges)
    portfolios, factors = ours(frame, risk_free)
    cells = pandas_portfolios(frame)
    for sort, expected in cells.items():
        found = portfolios.filter(pl.col("sort") == sort, pl.col("weighting") == "value")
        np.testing.assert_allclose(
            aligned(found, "cell", expected), expected.to_numpy(), rtol=0, atol=AGREEMENT
        )
    expected = pandas_factors(cells, risk_free)
    np.testing.assert_allclose(
        aligned(factors, "factor", expected), expected.to_numpy(), rtol=0, atol=AGREEMENT
    )
    # Of 40 months from November 1999 the first eight are before the first July.
    assert expected.notna().sum().to_dict() == {"MKT": 40, "SMB": 32, "HML": 32, "UMD": 40}


@pytest.mark.parametrize("weighting", ["equal", "capped"])
@pytest.mark.parametrize("exchanges", [True, False])
def test_other_weights_agree_with_pandas(exchanges, weighting):
    frame, risk_free = market_of(4, exchanges=exchanges)
    portfolios, _ = ours(frame, risk_free)
    for sort, expected in pandas_portfolios(frame, weighting).items():
        found = portfolios.filter(pl.col("sort") == sort, pl.col("weighting") == weighting)
        np.testing.assert_allclose(
            aligned(found, "cell", expected), expected.to_numpy(), rtol=0, atol=AGREEMENT
        )
        assert expected.notna().to_numpy().any()
