"""Our formulas and weights on the library's own portfolios give the library's own figures."""

from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.compute.cell_returns import PortfolioRule
from factor_pipeline.compute.comparison import comparison
from factor_pipeline.compute.factors import FORMULAS, factor_returns
from factor_pipeline.compute.portfolios import portfolio_returns
from factor_pipeline.compute.sorts import Dimension, Sort
from factor_pipeline.sources.ken_french import KenFrench

VALUE_CELLS = {
    "SMALL LoBM": "SG",
    "ME1 BM2": "SN",
    "SMALL HiBM": "SV",
    "BIG LoBM": "BG",
    "ME2 BM2": "BN",
    "BIG HiBM": "BV",
}
MOMENTUM_CELLS = {
    "SMALL LoPRIOR": "SL",
    "ME1 PRIOR2": "SM",
    "SMALL HiPRIOR": "SH",
    "BIG LoPRIOR": "BL",
    "ME2 PRIOR2": "BM",
    "BIG HiPRIOR": "BH",
}

# The file's factors and portfolios have two decimals of a percentage point: half a unit from the
# factor and half from the mean of the portfolios add to one, and a binary digit.
MOMENTUM_ROUNDING = 0.0001 + 1e-12
# The six size-value portfolios have four decimals, only the factors two.
VALUE_ROUNDING = 0.00005 + 0.000001
# Between these two editions the library changed few months, and none by more.
LARGEST_REVISION = 0.00011
# Half a unit from the deciles' mean, half from the published return.
DECILE_ROUNDING = 0.0001

NO_RISK_FREE = pl.DataFrame(schema={"month_end": pl.Date, "rf": pl.Float64})


def monthly(vendor_data: Path, name: str) -> pl.DataFrame:
    """Monthly rows of one library file: ``block``, ``series``, ``month_end``, ``vintage``."""
    source = KenFrench(vendor_data / "ken_french")
    file = next(file for file in source.files() if file.name == name)
    frame = source.parse(file, file.read()).frame
    return frame.filter(pl.col("frequency") == "monthly").rename({"date": "month_end"})


def own_factors(vendor_data, name, sort, cells, factors):
    portfolios = monthly(vendor_data, name).filter(
        pl.col("block").str.contains("(?i)value weighted returns")
    )
    assert set(portfolios["series"]) == set(cells)
    returns = portfolios.select(
        "month_end",
        pl.col("series").replace_strict(cells).alias("cell"),
        pl.col("value").alias("ret"),
        sort=pl.lit(sort),
        weighting=pl.lit("value"),
    )
    formulas = [formula for formula in FORMULAS if formula.factor in factors]
    own = factor_returns(returns, NO_RISK_FREE, formulas)
    return own.with_columns(stocks=pl.lit(len(cells)))


def library_factors(vendor_data, name, series):
    return (
        monthly(vendor_data, name)
        .filter(pl.col("series").is_in(list(series)))
        .select(
            "month_end",
            pl.col("series").replace_strict(series).alias("factor"),
            "vintage",
            pl.col("value").alias("ret"),
        )
    )


def differences(own, library, factor):
    both = own.join(library, on=["month_end", "factor"], suffix="_library")
    return both.filter(pl.col("factor") == factor).select(
        (pl.col("ret") - pl.col("ret_library")).abs()
    )["ret"]


def test_momentum_from_the_six_portfolios_of_one_vintage_is_the_librarys(vendor_data):
    own = own_factors(
        vendor_data,
        "202410/6_Portfolios_ME_Prior_12_2_CSV.zip",
        "size_momentum_2x3",
        MOMENTUM_CELLS,
        {"UMD"},
    )
    library = library_factors(vendor_data, "202410/F-F_Momentum_Factor_CSV.zip", {"Mom": "UMD"})
    agreement = comparison(own, library).row(0, named=True)
    assert own.drop_nulls().height == library.drop_nulls().height == agreement["months"] == 1_174
    assert agreement["vintage"] == "202410"
    assert differences(own, library, "UMD").max() <= MOMENTUM_ROUNDING
    assert agreement["r2"] > 0.999999


def test_size_and_value_of_another_vintage_differ_by_rounding_and_few_revisions(vendor_data):
    own = own_factors(
        vendor_data,
        "202410/6_Portfolios_2x3_CSV.zip",
        "size_value_2x3",
        VALUE_CELLS,
        {"SMB", "HML"},
    )
    library = library_factors(
        vendor_data,
        "202412/F-F_Research_Data_Factors_CSV.zip",
        {"SMB": "SMB", "HML": "HML"},
    )
    agreement = comparison(own, library)
    assert agreement["factor", "vintage", "months"].rows() == [
        ("HML", "202412", 1_180),
        ("SMB", "202412", 1_180),
    ]
    for factor, revised in (("SMB", 3), ("HML", 1)):
        found = differences(own, library, factor)
        assert (found > VALUE_ROUNDING).sum() == revised
        assert found.max() <= LARGEST_REVISION
    assert agreement["r2"].min() > 0.999998


@pytest.mark.parametrize(("weighting", "block"), [("value", "Value"), ("equal", "Equal")])
def test_deciles_weighted_by_us_are_the_librarys_lowest_thirty_percent(
    vendor_data, weighting, block
):
    """Deciles play the stocks: each has a return, a size and, below its 30 %, a cell."""
    ret = f"{block} Weight Returns -- Monthly"
    wide = monthly(vendor_data, "202602/Portfolios_Formed_on_BE-ME_CSV.zip").pivot(
        on="block", index=["month_end", "series"], values="value"
    )
    firms = pl.col("Number of Firms in Portfolios")
    # A decile's equal-weighted return stands for as many stocks as it has firms.
    mass = firms * pl.col("Average Firm Size") if weighting == "value" else firms
    deciles = {"Lo 10": 1, "2-Dec": 2, "3-Dec": 3}
    stocks = wide.filter(pl.col("series").is_in(list(deciles))).select(
        "month_end",
        pl.col("series").replace_strict(deciles, return_dtype=pl.Int64).alias("security_id"),
        pl.col(ret).alias("ret"),
        mass.alias("lagged_market_equity"),
        exchange=pl.lit(None, pl.String),
    )
    sort = Sort("thirds", (Dimension("book_to_market", (0.3,), ("Low", "Rest")),))
    cells = stocks.select("month_end", "security_id", sort=pl.lit(sort.name), cell=pl.lit("Low"))
    own = portfolio_returns(stocks, cells, [sort], PortfolioRule(weightings=("value",)))
    library = wide.filter(pl.col("series") == "Lo 30").select("month_end", library=ret)
    both = own.filter(pl.col("cell") == "Low").join(library, on="month_end")
    assert both.height == 1_196
    is_equal = (pl.col("ret") - pl.col("library")).abs() <= DECILE_ROUNDING
    # In some months the file counts firms that have no return then.
    assert both.select(is_equal.mean()).item() > 0.9
    assert both.select((pl.col("ret") - pl.col("library")).mean()).item() == pytest.approx(
        0, abs=DECILE_ROUNDING / 10
    )
