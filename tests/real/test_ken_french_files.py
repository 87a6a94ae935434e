"""The library's own files: every cell against the text, and against pandas-datareader."""

import io
import re
import zipfile
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
import requests
from pandas_datareader.famafrench import FamaFrenchReader
from requests.adapters import BaseAdapter

from factor_pipeline.sources.ken_french import KenFrench

NAMES = [
    "202410/6_Portfolios_2x3",
    "202410/6_Portfolios_ME_Prior_12_2",
    "202410/F-F_Momentum_Factor",
    "202412/25_Portfolios_5x5",
    "202412/F-F_Momentum_Factor",
    "202412/F-F_Research_Data_5_Factors_2x3",
    "202412/F-F_Research_Data_Factors",
    "202512/F-F_Research_Data_5_Factors_2x3",
    "202512/F-F_Research_Data_5_Factors_2x3_daily",
    "202512/F-F_Research_Data_Factors",
    "202512/F-F_Research_Data_Factors_daily",
    "202602/25_Portfolios_5x5",
    "202602/Portfolios_Formed_on_BE-ME",
]
ROW = re.compile(r"^ *([0-9]{4,8}) *,(.*)$", re.MULTILINE)
CODE = re.compile(r"(?<=,) *-(?:99\.99(?:00)?|999(?:\.0+)?) *(?=,|\r?$)", re.MULTILINE)
# pandas' default float parser may miss the nearest double by a unit in the last place.
PANDAS_FLOAT_ERROR = 4 * np.finfo(float).eps
# Four returns of two decimals are averaged and differenced: 4 * 0.25 * 0.005 + 0.005 points.
UMD_ROUNDING = 0.0101 / 100
# Twelve monthly returns and an annual one, each rounded to the fourth decimal of a percent.
ANNUAL_ROUNDING = 13 * 0.000_05 / 100
# At most 27 daily Mkt-RF and RF and the monthly two, each rounded to the second decimal.
DAILY_ROUNDING = (27 + 1) * 2 * 0.005 / 100


@cache
def parsed(folder, name):
    source = KenFrench(folder)
    (file,) = (file for file in source.files() if file.name == f"{name}_CSV.zip")
    return source.parse(file, file.read())


def text_of(folder, name):
    with zipfile.ZipFile(folder / f"{name}_CSV.zip") as archive:
        (member,) = archive.namelist()
        return archive.read(member).decode("ascii")


def wide(frame, block):
    chosen = frame.filter(pl.col("block") == block)
    return chosen.pivot(on="series", index="date", values="value")


@pytest.fixture
def library(vendor_data):
    return vendor_data / "ken_french"


def test_every_file_of_the_folder_is_tested_here(library):
    assert [file.name for file in KenFrench(library).files()] == [f"{n}_CSV.zip" for n in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_of_the_text_is_read_to_the_last_bit(library, name):
    result = parsed(library, name)
    lines = ROW.findall(text_of(library, name))
    cells = [float(cell) for _, values in lines for cell in values.split(",")]
    assert result.rejected.is_empty()
    assert result.vintage == name[:6]
    assert result.frame.height == len(cells)
    assert result.frame["value"].to_list() == [
        None if cell in (-99.99, -999) else cell / 100 if unit == "decimal" else cell
        for cell, unit in zip(cells, result.frame["unit"], strict=True)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_nulls_are_the_missing_codes_and_keys_are_unique(library, name):
    frame = parsed(library, name).frame
    assert frame["value"].null_count() == len(CODE.findall(text_of(library, name)))
    assert not frame.select("frequency", "block", "series", "date").is_duplicated().any()
    assert frame.drop("value").null_count().sum_horizontal().item() == 0


def test_missing_codes_are_found_in_blocks_of_returns_sizes_and_ratios(library):
    frame = parsed(library, "202602/Portfolios_Formed_on_BE-ME").frame
    missing = frame.filter(pl.col("value").is_null()).group_by("block", maintain_order=True).len()
    assert missing.rows() == [
        ("Value Weight Returns -- Monthly", 43),
        ("Equal Weight Returns -- Monthly", 43),
        ("Value Weight Returns -- Annual from January to December", 2),
        ("Equal Weight Returns -- Annual from January to December", 2),
        ("Average Firm Size", 43),
        ("Sum of BE / Sum of ME", 2),
        ("Value Weight Average of BE / ME", 2),
    ]
    # A true average of negative book equity, half a point from the code.
    assert frame.filter(pl.col("unit") == "ratio")["value"].min() == -99.7455


class LocalLibrary(BaseAdapter):
    """Answers every request with the same bytes."""

    def __init__(self, content):
        super().__init__()
        self.content = content

    def send(self, request, **_):
        response = requests.Response()
        response.status_code = 200
        response.url = request.url
        response.raw = io.BytesIO(self.content)
        return response

    def close(self):
        pass


def datareader_tables(path):
    with requests.Session() as session:
        session.mount("http://", LocalLibrary(path.read_bytes()))
        name = path.name.removesuffix("_CSV.zip")
        reader = FamaFrenchReader(name, start="1900-01-01", end="2099-12-31", session=session)
        tables = reader.read()
    return [tables[key] for key in sorted(key for key in tables if key != "DESCR")]


@pytest.mark.parametrize("name", NAMES)
def test_pandas_datareader_reads_the_same_tables(library, name):
    frame = parsed(library, name).frame
    blocks = frame.partition_by("frequency", "block", maintain_order=True)
    tables = datareader_tables(library / f"{name}_CSV.zip")
    assert len(tables) == len(blocks)
    for table, block in zip(tables, blocks, strict=True):
        ours = wide(block, block["block"][0])
        divisor = 100 if block["unit"][0] == "decimal" else 1
        theirs = table.replace([-99.99, -999.0], np.nan).astype(float) / divisor
        assert list(table.index.to_timestamp(how="end").date) == ours["date"].to_list()
        assert [column.strip() for column in table.columns] == ours.columns[1:]
        np.testing.assert_allclose(
            ours.drop("date").to_pandas(), theirs.to_numpy(), rtol=PANDAS_FLOAT_ERROR, atol=0
        )


def test_momentum_rebuilt_from_its_six_portfolios_is_the_published_factor(library):
    six = wide(
        parsed(library, "202410/6_Portfolios_ME_Prior_12_2").frame,
        "Average Value Weighted Returns -- Monthly",
    )
    high = (pl.col("SMALL HiPRIOR") + pl.col("BIG HiPRIOR")) / 2
    low = (pl.col("SMALL LoPRIOR") + pl.col("BIG LoPRIOR")) / 2
    published = wide(parsed(library, "202410/F-F_Momentum_Factor").frame, "")
    both = six.select("date", rebuilt=high - low).join(published, on="date", validate="1:1")
    assert both.height == published.height == 1_174
    assert both["date"].min() == date(1927, 1, 31)
    assert (both["rebuilt"] - both["Mom"]).abs().max() <= UMD_ROUNDING


def test_hml_and_rf_are_equal_in_two_files_of_one_vintage(library):
    three = wide(parsed(library, "202512/F-F_Research_Data_Factors").frame, "")
    five = wide(parsed(library, "202512/F-F_Research_Data_5_Factors_2x3").frame, "")
    both = five.join(three, on="date", suffix="_three", validate="1:1")
    assert both.height == five.height == 750
    for factor in ("HML", "RF"):
        assert both[factor].to_list() == both[f"{factor}_three"].to_list()


def test_monthly_portfolio_returns_compound_to_the_annual_block(library):
    frame = parsed(library, "202410/6_Portfolios_2x3").frame
    monthly = wide(frame, "Average Value Weighted Returns -- Monthly")
    annual = wide(frame, "Average Value Weighted Returns -- Annual")
    compounded = (
        monthly.group_by(pl.date(pl.col("date").dt.year(), 12, 31), maintain_order=True)
        .agg((pl.all() + 1).product(), months=pl.len())
        .filter(pl.col("months") == 12)
        .drop("months")
    )
    both = compounded.join(annual, on="date", validate="1:1", suffix="_annual")
    assert both.height == annual.height == 97
    for portfolio in annual.columns[1:]:
        difference = both[portfolio] - 1 - both[f"{portfolio}_annual"]
        assert (difference / both[portfolio]).abs().max() <= ANNUAL_ROUNDING


def test_daily_market_returns_compound_to_the_monthly_file(library):
    growth = (1 + pl.col("Mkt-RF") + pl.col("RF")).alias("growth")
    daily = wide(parsed(library, "202512/F-F_Research_Data_Factors_daily").frame, "")
    compounded = (
        daily.select(pl.col("date").dt.month_end(), growth)
        .group_by("date", maintain_order=True)
        .agg(pl.col("growth").product())
    )
    monthly = wide(parsed(library, "202512/F-F_Research_Data_Factors").frame, "")
    both = compounded.join(monthly.select("date", growth), on="date", validate="1:1", suffix="_m")
    assert both.height == monthly.height == 1_194
    # In September 1931 the library's own two files are .4 points apart.
    usual = both.filter(pl.col("date") != date(1931, 9, 30))
    assert (usual["growth"] - usual["growth_m"]).abs().max() <= DAILY_ROUNDING


def test_vintages_of_one_file_are_kept_apart(library):
    parts = [parsed(library, f"{v}/F-F_Research_Data_Factors").frame for v in ("202412", "202512")]
    hml = (
        pl.concat(parts)
        .filter(pl.col("series") == "HML", pl.col("frequency") == "monthly")
        .pivot(on="vintage", index="date", values="value")
        .drop_nulls()
    )
    revised = hml.filter(pl.col("202412") != pl.col("202512"))
    assert (hml.height, revised.height) == (1_182, 1_098)
    assert (revised["202412"] - revised["202512"]).abs().max() == pytest.approx(0.0142, abs=1e-12)
