"""A handmade warehouse: so few rows that what a query should answer can be worked out by hand."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import polars as pl

from factor_pipeline.schemas.raw_history import VERSIONS
from factor_pipeline.schemas.registry import PUBLISHED_TABLES, TABLES
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.publish import publish
from factor_pipeline.warehouse.store import Warehouse

OCT19, NOV19, DEC19 = date(2019, 10, 31), date(2019, 11, 30), date(2019, 12, 31)
DEC09, JAN10, FEB10 = date(2009, 12, 31), date(2010, 1, 31), date(2010, 2, 28)
JAN, FEB, MAR, APR = (
    date(2020, 1, 31),
    date(2020, 2, 29),
    date(2020, 3, 31),
    date(2020, 4, 30),
)
FETCHED = datetime.fromisoformat("2020-05-01T06:00:00")
FETCHED_LATER = datetime.fromisoformat("2020-05-02T06:00:00")

# Stands where a table wants a value and no query looks at it.
_PLACEHOLDERS = {
    pl.Boolean: False,
    pl.Date: date(1900, 1, 1),
    pl.Datetime: datetime.fromisoformat("1900-01-01"),
    pl.Float64: 0.0,
    pl.Int32: 0,
    pl.Int64: 0,
    pl.String: "-",
}


Row = dict[str, object]


def month_ends(year: int, month: int, count: int) -> list[date]:
    """``count`` months from the given one on."""
    firsts = [date(year + (month - 1 + i) // 12, (month - 1 + i) % 12 + 1, 1) for i in range(count)]
    return pl.Series(firsts).dt.month_end().to_list()


def rows(names: str, *values: Sequence[object]) -> list[Row]:
    """Rows of the columns in ``names``."""
    return [dict(zip(names.split(), row, strict=True)) for row in values]


def published_file(folder: Path, given: Mapping[str, Sequence[Row]]) -> Path:
    """Publish a warehouse of ``given`` rows by table, in ``folder``."""
    warehouse = Warehouse(folder / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    for name, some in given.items():
        warehouse.replace(TABLES[name], filled(TABLES[name], some))
    published = folder / "factors.duckdb"
    publish(warehouse, published, PUBLISHED_TABLES, VERSIONS)
    return published


def filled(table: Table, given: Sequence[Row]) -> pl.DataFrame:
    """Rows of ``table``, with a placeholder where a value must stand and none is given."""
    blank = {c.name: None if c.nullable else _PLACEHOLDERS[c.dtype] for c in table.columns}
    return pl.DataFrame([blank | row for row in given], schema=table.polars_schema)


# Security 1 was renamed, 2 and 5 have one ticker, 4 has no name and is no index member, 5 was
# delisted, 6 once had the ticker that 1 has now.
SECURITY = rows(
    "security_id ticker valid_from valid_to name sector",
    (1, "OLDA", date(2018, 1, 2), date(2019, 12, 31), "Old Alfa", "Utilities"),
    (1, "ALFA", date(2020, 1, 2), date(2020, 4, 30), "Alfa Inc", "Energy"),
    (2, "BETA", date(2018, 1, 2), date(2020, 4, 30), "Beta Inc", "Technology"),
    (3, "GAMA", date(2018, 1, 2), date(2020, 4, 30), "Gamma Inc", "Energy"),
    (4, "DELT", date(2018, 1, 2), date(2020, 4, 30), None, None),
    (5, "ECHO", date(2018, 1, 2), date(2020, 3, 13), "Echo Inc", "Technology"),
    (6, "ALFA", date(2001, 1, 2), date(2005, 6, 30), "Another Alfa", None),
)
for _security in SECURITY:
    _security["vendor_id"] = f"V{_security['security_id']}"
# The price of ECHO was wrong on the last day of February, which showed in March.
ECHO_IN_MARCH = "delisted,spike_reversal"
RULE = rows(
    "rule dated table_name",
    ("ends_early", False, "raw.price_daily"),
    ("extreme_return", True, "raw.price_daily"),
    ("spike_reversal", True, "raw.price_daily"),
    ("negative_equity", True, "raw.fundamental"),
)
FLAG = rows(
    "rule subject fault_date known_date table_name",
    ("ends_early", "V3", MAR, date(2020, 4, 30), "raw.price_daily"),
    ("extreme_return", "V4", MAR, MAR, "raw.price_daily"),
    ("spike_reversal", "V5", date(2020, 2, 28), date(2020, 3, 2), "raw.price_daily"),
    ("spike_reversal", "V1", MAR, MAR, "raw.benchmark_daily"),
)
SECURITY_MONTH = rows(
    "security_id ticker month_end last_date ret price shares market_equity firm_market_equity "
    "index_member flags",
    (1, "OLDA", DEC19, DEC19, None, 8.0, 1e7, 8e7, 8e7, True, None),
    (3, "GAMA", DEC19, DEC19, None, 66.0, 3e6, 1.98e8, 1.98e8, True, None),
    (1, "ALFA", JAN, JAN, 0.125, 9.0, 1e7, 9e7, 9e7, True, None),
    (2, "BETA", JAN, JAN, 0.05, 20.0, 2e6, 4e7, 4e7, True, None),
    (5, "ECHO", JAN, JAN, None, 5.0, 1e8, 5e8, 5e8, True, None),
    (1, "ALFA", FEB, date(2020, 2, 28), None, 10.0, 1e7, 1e8, 1e8, True, "disputed_return"),
    (2, "BETA", FEB, date(2020, 2, 28), 0.1, 22.0, 2e6, 4.4e7, 4.4e7, True, None),
    (3, "GAMA", FEB, date(2020, 2, 28), None, 30.0, 3e6, 9e7, 9.5e7, True, None),
    (4, "DELT", FEB, date(2020, 2, 28), None, 40.0, 2e6, 8e7, 8e7, False, None),
    (5, "ECHO", FEB, date(2020, 2, 28), -0.2, 4.0, 1e6, 4e6, 4e6, True, None),
    (1, "ALFA", MAR, MAR, 0.2, 11.0, 1e7, 1.1e8, 1.1e8, True, None),
    (2, "BETA", MAR, MAR, None, 21.0, None, None, None, True, "partial_month"),
    (3, "GAMA", MAR, MAR, 0.1, 33.0, 3e6, 9.9e7, 1.04e8, True, None),
    (4, "DELT", MAR, MAR, 0.1, 44.0, 2e6, 8.8e7, 8.8e7, False, None),
    (5, "ECHO", MAR, date(2020, 3, 13), -0.3, None, None, None, None, False, ECHO_IN_MARCH),
    (2, "BETA", APR, APR, None, 21.0, None, None, None, True, "partial_month"),
)
# The newest rows have no signal; DELT and February would win every ranking they must not enter.
CHARACTERISTIC = rows(
    "security_id month_end size book_to_market book_to_market_monthly momentum_12_2 reversal_1 "
    "value_class",
    (2, FEB, 4e7, 9.0, 9.0, 9.0, 0.0, "Value"),
    (1, MAR, 1e8, 0.5, 0.6, 0.1, 0.01, "Neutral"),
    (2, MAR, 4.4e7, 0.2, 0.25, 0.4, -0.02, "Growth"),
    (3, MAR, 9.5e7, 0.8, 0.7, 0.1, 0.03, "Value"),
    (4, MAR, 8e7, 9.0, 9.0, 9.0, 0.0, "Value"),
    (5, MAR, 4e6, 0.5, 0.9, 0.2, -0.2, "Neutral"),
    (1, APR, 1.1e8, None, None, None, None, None),
)
# A crowd of thirty stocks in 2010. In January size ranks returns exactly, in February, when it runs
# the other way, but for a swap of two neighbours. Reversal in January, and returns in March, have
# only three values, so that ten, five and fifteen stocks share a rank. In April there are but 29.
CROWD = range(1, 31)
THREE_VALUES = [0.1] * 10 + [0.2] * 5 + [0.3] * 15
_crowd_months = {
    JAN10: {
        "size": [float(i) for i in CROWD],
        "reversal_1": THREE_VALUES,
        "momentum_12_2": [0.1] * 30,
        "ret": [i / 1000 for i in CROWD],
    },
    FEB10: {
        "size": [float(31 - i) for i in CROWD],
        "ret": [(31 - i) / 1000 for i in (2, 1, *range(3, 31))],
    },
    date(2010, 3, 31): {"book_to_market": [float(i) for i in CROWD], "ret": THREE_VALUES},
    date(2010, 4, 30): {"size": [1.0] * 29, "ret": [0.1] * 29},
}
for _month, _columns in _crowd_months.items():
    for _stock in pl.DataFrame(_columns).with_row_index("i").iter_rows(named=True):
        _key = {"security_id": 101 + _stock.pop("i"), "month_end": _month}
        _return = {"ret": _stock.pop("ret"), "last_date": _month}
        CHARACTERISTIC.append(_key | _stock)
        SECURITY_MONTH.append(_key | _return)

DEFINITION = rows(
    "signal family unit formula timing paper expected_sign rebalance",
    ("size", "size", "USD", "Price.", "Before.", "Banz 1981", -1, "monthly"),
    ("reversal_1", "reversal", "decimal", "Return.", "Before.", "Jegadeesh 1990", -1, "monthly"),
)
# The close of the 29th was corrected on the day after its first fetch.
PRICE_DAILY = rows(
    "vendor_id date close volume dividend split file known_from",
    ("ALFA", date(2020, 4, 28), 9.5, 500.0, 0.0, 1.0, "A.csv", FETCHED),
    ("ALFA", date(2020, 4, 29), 10.0, 600.0, 0.1, 1.0, "A.csv", FETCHED_LATER),
)
PRICE_HISTORY = [PRICE_DAILY[1] | {"close": 9.0, "known_from": FETCHED, "known_to": FETCHED_LATER}]
INDEX_MEMBER = rows(
    "ticker start_date end_date",
    ("OLDA", date(2015, 1, 2), date(2020, 1, 2)),
    ("ALFA", date(2020, 1, 2), None),
    ("BETA", date(2019, 12, 2), None),
    ("ECHO", date(2020, 1, 2), None),
    ("GONE", date(2019, 12, 2), date(2020, 2, 28)),
    ("GONE", date(2020, 1, 15), date(2020, 2, 10)),
    ("HALT", date(2020, 3, 2), date(2020, 3, 20)),
    ("EDGE", MAR, APR),
)
INDEX_COVERAGE = rows(
    "month_end members with_price with_market_equity missing_share",
    (NOV19, 10, 6, 5, 0.4),
    (DEC19, 10, 8, 8, 0.2),
    (JAN, 8, 8, 4, 0.0),
)
PRICE_CHECK = rows(
    "security_id ticker date close dividend split computed_return vendor_return difference",
    (1, "ALFA", date(2020, 2, 14), 10.0, 1.0, 1.0, 0.1, 0.05, 0.05),
    (2, "BETA", date(2020, 5, 5), 20.0, 0.0, 2.0, 0.0, 0.5, -0.5),
)

HOLDING = rows(
    "strategy security_id month_end drifted_weight weight ret closing_weight status",
    ("value", 1, OCT19, 0.0, 1.0, -0.5, 0.0, "exited"),
    ("value", 1, NOV19, 0.0, 1.0, 0.1, 1.0, "entered"),
    ("value", 1, DEC19, 1.0, 0.0, None, 0.0, "sold"),
    ("value", 1, JAN, 0.0, 0.5, 0.125, 0.52, "entered"),
    ("value", 2, JAN, 0.0, 0.5, 0.05, 0.48, "entered"),
    ("value", 1, FEB, 0.52, 0.52, None, 0.6, "held"),
    ("value", 2, FEB, 0.48, 0.0, None, 0.0, "sold"),
    ("value", 3, FEB, 0.0, 0.05, None, 0.05, "entered"),
    ("value", 5, FEB, 0.0, 0.48, -0.2, 0.4, "entered"),
    ("value", 1, MAR, 0.6, 0.6, 0.2, 0.65, "held"),
    ("value", 2, MAR, 0.0, 0.1, None, 0.12, "entered"),
    ("value", 3, MAR, 0.05, 0.0, None, 0.0, "sold"),
    ("value", 4, MAR, 0.0, -0.1, 0.1, -0.11, "entered"),
    ("value", 6, MAR, 0.0, -0.05, None, -0.05, "entered"),
    ("value", 5, MAR, 0.4, 0.4, -0.3, 0.0, "exited"),
    ("momentum", 3, MAR, 0.0, 1.0, 0.1, 1.0, "entered"),
    ("momentum", 3, APR, 1.0, 0.0, None, 0.0, "sold"),
)
LEDGER = rows(
    "strategy security_id month_end reason weight ret",
    ("value", 1, OCT19, "merger", 1.0, -0.5),
    ("value", 5, MAR, "performance", 0.4, -0.3),
)
MOMENTUM_MONTHS = month_ends(2019, 4, 13)
BACKTEST_RETURN = [
    {"strategy": "momentum", "month_end": month, "gross": net, "net": net, "cash_ret": 0.001}
    | {"turnover": 0.5 if i == 0 else 0.1, "cost": 0.001 if i == 0 else 0.0002}
    | {"n": 60, "rebalanced": i % 3 == 0}
    for i, (month, net) in enumerate(
        zip(MOMENTUM_MONTHS, [0.01] * 10 + [0.1, -0.2, 0.25], strict=True)
    )
]
BACKTEST_RETURN += rows(
    "strategy month_end gross net cash_ret turnover cost n rebalanced",
    ("value", JAN, None, None, 0.001, None, None, None, None),
    ("value", FEB, -0.1, -0.1, 0.001, 0.5, 0.001, 2, True),
    ("value", MAR, 0.2, 0.2, 0.001, 0.0, 0.0, 2, False),
    ("value", APR, 0.1, 0.1, 0.001, 0.0, 0.0, 2, False),
    ("benchmark", JAN, 0.5, 0.5, None, None, None, None, None),
    ("benchmark", FEB, 0.02, 0.02, None, None, None, None, None),
    ("benchmark", MAR, 0.02, 0.02, None, None, None, None, None),
    ("benchmark", APR, 0.02, 0.02, None, None, None, None, None),
)
DRAWDOWN = rows(
    "strategy frequency depth peak trough recovery",
    ("momentum", "monthly", -0.2, FEB, MAR, APR),
    ("value", "monthly", -0.1, JAN, FEB, MAR),
    ("value", "monthly", -0.5, FEB, MAR, None),
    ("value", "monthly", -0.2, date(2010, 1, 31), date(2010, 3, 31), date(2010, 7, 31)),
    ("value", "monthly", -0.3, date(2011, 1, 31), date(2011, 3, 31), date(2012, 1, 31)),
    ("value", "monthly", -0.01, date(2013, 1, 31), date(2013, 2, 28), date(2013, 3, 31)),
    ("value", "monthly", -0.4, date(2014, 1, 31), date(2014, 3, 31), date(2014, 4, 30)),
    ("value", "daily", -0.6, date(2020, 2, 27), date(2020, 3, 23), None),
)

UMD_MONTHS = month_ends(2017, 4, 37)
FACTOR_RETURN = [
    {"factor": "UMD", "month_end": month, "source": "own", "ret": 0.03 if i % 2 else 0.01}
    for i, month in enumerate(UMD_MONTHS)
]
FACTOR_RETURN += rows(
    "factor month_end source vintage ret",
    ("MKT", JAN, "own", None, 0.01),
    ("MKT", FEB, "own", None, 0.02),
    ("MKT", MAR, "own", None, 0.03),
    ("MKT", APR, "own", None, 0.04),
    ("HML", JAN, "own", None, 0.04),
    ("HML", FEB, "own", None, 0.03),
    ("HML", MAR, "own", None, 0.02),
    ("HML", APR, "own", None, 0.01),
    ("SMB", JAN, "own", None, None),
    ("SMB", FEB, "own", None, 0.01),
    ("SMB", MAR, "own", None, 0.02),
    ("SMB", APR, "own", None, 0.04),
    ("MKT", JAN, "library", "202401", 0.01),
    ("MKT", FEB, "library", "202401", 0.02),
    ("MKT", MAR, "library", "202401", 0.03),
    ("MKT", APR, "library", "202401", 0.05),
    ("MKT", DEC19, "library", "202401", 0.5),
    ("MKT", NOV19, "library", "202401", 0.5),
    ("MKT", date(2019, 10, 31), "library", "202401", 0.5),
    ("MKT", JAN, "library", "202402", 0.01),
    ("MKT", FEB, "library", "202402", 0.025),
    ("MKT", MAR, "library", "202402", 0.02),
    ("MKT", APR, "library", "202402", None),
    ("HML", JAN, "library", "202402", 0.01),
    ("HML", FEB, "library", "202402", 0.03),
    ("HML", MAR, "library", "202402", 0.05),
    ("HML", JAN, "library", "202403", 0.01),
)
# Bills of two vintages, three years each, which do not overlap.
BILL_MONTHS = month_ends(2010, 1, 72)
FACTOR_RETURN += [
    {"factor": "RF", "month_end": month, "source": "library", "ret": 0.001}
    | {"vintage": "202401" if i < 36 else "202402"}
    for i, month in enumerate(BILL_MONTHS)
]
# 202401 and 202402 of MKT and 202402 and 202403 of HML have months in common.
VINTAGE_DRIFT = rows(
    "factor month_end older_vintage newer_vintage older_ret newer_ret difference",
    ("MKT", JAN, "202401", "202402", 0.01, 0.01, 0.0),
    ("MKT", FEB, "202401", "202402", 0.02, 0.025, 0.005),
    ("MKT", MAR, "202401", "202402", 0.03, 0.02, -0.01),
    ("HML", JAN, "202402", "202403", 0.01, 0.01, 0.0),
)
VINTAGE_DIFF = rows(
    "data_set known_from known_before month_end column_name rows_before rows_new rows_added "
    "rows_removed rows_changed",
    ("prices", FETCHED_LATER, FETCHED, MAR, "*", 40, 0, 2, 1, 3),
    ("prices", FETCHED_LATER, FETCHED, MAR, "close", 40, 0, 0, 0, 3),
    ("prices", FETCHED_LATER, FETCHED, APR, "*", 60, 20, 0, 0, 4),
    ("macro", FETCHED_LATER, FETCHED, APR, "*", 0, 5, 0, 0, 0),
)
COMPARISON = rows(
    "factor library_factor vintage months first_month last_month correlation slope",
    ("MKT", "MKT", "202401", 4, JAN, APR, 0.95, 0.75),
    ("MKT", "MKT", "202402", 3, JAN, MAR, 0.65, 0.85),
    ("UMD_EW", "UMD", "202401", 0, None, None, None, None),
)

REGIME = rows(
    "variant month_end regime inflation yield_slope production_from_peak carried_inputs",
    ("real_time", NOV19, None, None, 0.01, 0.0, 0),
    ("real_time", DEC19, "expansion", 0.02, 0.02, 0.0, 0),
    ("real_time", JAN, "expansion", 0.04, 0.01, -0.01, 0),
    ("real_time", FEB, "late cycle", 0.05, -0.01, -0.02, 1),
    ("real_time", MAR, "expansion", 0.01, 0.03, -0.03, 0),
    ("final", JAN, "recession", 0.5, 0.5, -0.5, 0),
)
REGIME_PERFORMANCE = rows(
    "factor source vintage variant regime months first_month last_month annual_mean difference_t",
    ("HML", "library", "202401", "real_time", "expansion", 90, JAN, APR, 0.9, 9.0),
    ("HML", "library", "202402", "real_time", "expansion", 20, JAN10, FEB, 0.01, 0.1),
    ("HML", "library", "202402", "real_time", "late cycle", 20, JAN10, FEB, 0.02, 0.2),
    ("HML", "library", "202402", "real_time", "recession", 20, JAN10, FEB, -0.03, -0.3),
    ("HML", "library", "202402", "real_time", "recovery", 3, JAN10, FEB, None, None),
    ("HML", "library", "202402", "final", "expansion", 90, JAN10, APR, 0.9, 9.0),
    ("HML", "own", None, "real_time", "expansion", 90, JAN10, APR, 0.8, 8.0),
    ("UMD", "library", "202401", "real_time", "recovery", 40, JAN10, MAR, 0.05, 0.5),
)
REGIME_CLAIM = rows(
    "variant source regime effect exposure factor sign vintage months difference difference_t "
    "verdict",
    (
        "final",
        "library",
        "recovery",
        "favours",
        "size",
        "SMB",
        1,
        "202402",
        50,
        0.01,
        2.0,
        "supported",
    ),
    (
        "real_time",
        "library",
        "recovery",
        "favours",
        "size",
        "SMB",
        1,
        "202402",
        60,
        0.005,
        1.0,
        "not supported",
    ),
    (
        "final",
        "own",
        "expansion",
        "hurts",
        "low volatility",
        None,
        1,
        None,
        0,
        None,
        None,
        "no such factor",
    ),
    (
        "real_time",
        "own",
        "expansion",
        "hurts",
        "low volatility",
        None,
        1,
        None,
        0,
        None,
        None,
        "no such factor",
    ),
)
ETF_LOADING = rows(
    "ticker model factor vintage months alpha alpha_t r2",
    ("SMAL", "FF3", "SMB", "202402", 60, 0.001, 1.5, 0.9),
    ("SMAL", "FF3", "HML", "202402", 60, 0.9, 9.0, 0.1),
    ("SMAL", "CAPM", "MKT", "202402", 60, 0.9, 9.0, 0.1),
)
ETF_CHECK = rows(
    "ticker promise model factor relation level estimate t vintage months first_month last_month "
    "verdict",
    (
        "SMAL",
        "small",
        "FF3",
        "SMB",
        "above",
        0.0,
        0.8,
        20.0,
        "202402",
        60,
        JAN10,
        FEB,
        "as promised",
    ),
    (
        "NONE",
        "quality",
        "FF5",
        "RMW",
        "above",
        0.0,
        None,
        None,
        None,
        0,
        None,
        None,
        "unknown ticker",
    ),
)

# Stocks of each cell in April; twice as many in March.
CELLS = {
    ("market", "All", "value"): 50,
    ("size_value_2x3", "SV", "value"): 3,
    ("size_value_2x3", "SN", "value"): 4,
    ("size_value_2x3", "SG", "value"): 5,
    ("size_value_2x3", "BV", "value"): 6,
    ("size_value_2x3", "BN", "value"): 7,
    ("size_value_2x3", "BG", "value"): 8,
    ("size_profitability_2x3", "SR", "value"): 2,
    ("size_profitability_2x3", "SN", "value"): 5,
    ("size_profitability_2x3", "SW", "value"): 3,
    ("size_profitability_2x3", "BR", "value"): 4,
    ("size_profitability_2x3", "BN", "value"): 6,
    ("size_profitability_2x3", "BW", "value"): 1,
    ("size_investment_2x3", "SC", "value"): 6,
    ("size_investment_2x3", "SN", "value"): 5,
    ("size_investment_2x3", "SA", "value"): 4,
    ("size_investment_2x3", "BC", "value"): 3,
    ("size_investment_2x3", "BN", "value"): 2,
    ("size_investment_2x3", "BA", "value"): 9,
    ("size_quality_2x3", "SQ", "value"): 8,
    ("size_quality_2x3", "SJ", "value"): 7,
    ("size_quality_2x3", "BQ", "value"): 6,
    ("size_quality_2x3", "BJ", "value"): 5,
    ("volatility_252d_tercile", "Low", "value"): 13,
    ("volatility_252d_tercile", "High", "value"): 17,
    ("size_momentum_2x3", "SL", "value"): 10,
    ("size_momentum_2x3", "SM", "value"): 11,
    ("size_momentum_2x3", "SH", "value"): 12,
    ("size_momentum_2x3", "BL", "value"): 13,
    ("size_momentum_2x3", "BM", "value"): 14,
    ("size_momentum_2x3", "BH", "value"): 15,
    ("momentum_12_2_tercile", "Low", "equal"): 20,
    ("momentum_12_2_tercile", "Mid", "equal"): 21,
    ("momentum_12_2_tercile", "High", "equal"): 22,
    ("momentum_12_2_tercile", "High-Low", "equal"): 42,
    ("momentum_12_2_tercile", "Low", "value"): 90,
    ("market", "All", "equal"): 91,
}
PORTFOLIO_RETURN = [
    {"sort": sort, "cell": cell, "weighting": weighting, "month_end": month, "stocks": n * stocks}
    | {"missing": int(cell == "SV" and month == APR)}
    for (sort, cell, weighting), stocks in CELLS.items()
    for month, n in ((MAR, 2), (APR, 1))
]
PORTFOLIO_RETURN += rows(
    "sort cell weighting month_end ret stocks",
    ("market", "All", "value", NOV19, None, 0),
    ("size_decile", "D10-D01", "value", DEC09, 0.02, 20),
    ("size_decile", "D10-D01", "value", JAN10, 0.01, 21),
    ("size_decile", "D10-D01", "value", FEB10, -0.03, 22),
    ("size_decile", "D10-D01", "value", date(2010, 3, 31), None, 4),
    ("size_decile", "D10-D01", "equal", JAN10, 0.9, 21),
    ("size_decile", "D10", "value", JAN10, 0.9, 21),
)
PORTFOLIO_RETURN += rows(
    "sort cell weighting month_end turnover dollar_volume",
    ("size_decile", "D10-D01", "value", date(2010, 4, 30), 0.3, 6e6),
    ("size_decile", "D10-D01", "value", date(2010, 5, 31), 0.5, 5e6),
    ("size_decile", "D10-D01", "equal", date(2010, 5, 31), 0.9, 9e6),
)
# Evidence: HML is own and of two vintages, MKT of the older one; only size has every test.
STATISTICS = rows(
    "source vintage factor period first_month last_month months annual_return sharpe max_drawdown "
    "t_newey_west nw_lag p_adjusted verdict",
    *(
        (source, vintage, factor, period, JAN10, APR, 123, ret, 0.5, -0.2, 2.5, 4, 0.01, verdict)
        for source, vintage, factor, returns, verdict in (
            ("own", None, "HML", (0.03, 0.04, 0.02), "significant"),
            ("library", "202402", "HML", (0.09, 0.09, 0.09), "significant"),
            ("library", "202403", "HML", (0.05, 0.06), "not significant"),
            ("library", "202402", "MKT", (0.07,), "significant"),
        )
        for period, ret in zip(("full", "first_half", "second_half"), returns, strict=False)
    ),
)
INFORMATION_SUMMARY = rows(
    "signal first_month last_month months average_stocks mean t_newey_west verdict",
    ("book_to_market", None, None, 3, None, None, None, "too few months"),
    ("momentum_12_2", JAN10, APR, 120, 900.0, 0.02, 2.5, "significant"),
    ("size", JAN10, APR, 123, 950.0, -0.03, -3.5, "significant"),
)
SPREAD_STATISTICS = rows(
    "sort cell weighting period annual_return t_newey_west verdict",
    ("size_decile", "D10-D01", "value", "full", -0.04, -1.5, "not significant"),
    ("size_decile", "D10-D01", "value", "1990s", 0.9, 9.0, "significant"),
    ("size_decile", "D10-D01", "equal", "full", 0.9, 9.0, "significant"),
    ("size_tercile", "High-Low", "value", "full", 0.9, 9.0, "significant"),
)
FAMA_MACBETH = rows(
    "assets weighting specification term mean t_newey_west",
    ("stocks", None, "size", "intercept", 0.01, 4.0),
    ("stocks", None, "size", "size", -0.002, -1.25),
    ("stocks", None, "size_value_momentum", "size", 0.9, 9.0),
    ("size_decile", "value", "CAPM", "mkt", 0.9, 9.0),
)
GRS = rows(
    "sort weighting model p_value portfolios months mean_absolute_alpha",
    ("size_decile", "value", "CAPM", 0.01, 10, 120, 0.002),
    ("size_decile", "value", "FF3", 0.2, 10, 120, 0.001),
    ("size_decile", "value", "FF5", None, 10, 20, None),
    ("size_decile", "equal", "CAPM", 0.9, 10, 120, 0.009),
    ("book_to_market_decile", "value", "Carhart", 0.5, 10, 100, 0.003),
)
BREAKPOINT = rows(
    "sort month_end dimension probability value stocks",
    ("book_to_market_tercile", date(2017, 7, 31), "book_to_market", 0.3, None, 2),
    ("book_to_market_tercile", date(2017, 7, 31), "book_to_market", 0.7, None, 2),
    ("book_to_market_tercile", date(2018, 7, 31), "book_to_market", 0.3, 0.2, 40),
    ("book_to_market_tercile", date(2018, 7, 31), "book_to_market", 0.7, 0.6, 40),
    ("book_to_market_tercile", date(2019, 7, 31), "book_to_market", 0.3, 0.25, 50),
    ("book_to_market_tercile", date(2019, 7, 31), "book_to_market", 0.7, 0.5, 50),
    ("size_value_2x3", date(2019, 7, 31), "book_to_market", 0.7, 9.0, 50),
)

INGEST_LOG = rows(
    "data_set source file sha256 bytes rows rejected vintage status ingested_at",
    ("prices", "acme", "A.csv", "a1", 100, 10, 1, None, "parsed", FETCHED),
    ("prices", "acme", "B.csv", "b1", 50, 5, 0, None, "parsed", FETCHED_LATER),
    ("prices", "acme", "C.csv", "c1", 7, 0, 1, None, "quarantined", FETCHED),
    ("library", "french", "F.zip", "f1", 20, 30, 0, "202402", "parsed", FETCHED),
)
QUARANTINE = rows(
    "data_set file sha256 row rule reason value",
    ("prices", "A.csv", "a1", 7, "sign", "below 0", "-1"),
    ("prices", "C.csv", "c1", None, "error", "limit", None),
    ("prices", "D.csv", "d1", None, "error", "limit", None),
)
CHECK_RESULT = rows(
    "table_name check_name severity passed failing_rows observed",
    ("panel.security", "grain", "error", True, 0, "no repeats"),
    ("panel.index_coverage", "survivorship", "warn", False, 3, "up to 40%"),
    ("backtest.holding", "expectations", "error", False, 1, "broken: weight"),
)
SETTINGS = (
    '{"prices":{"source":"acme"},"fundamentals":{"source":"filings"},'
    '"library":{"vintage":"202402"},"portfolios":{"breakpoints":"nyse"},'
    '"backtest":{"universe":"index"},"panel":{"delisting_return":"-30%"}}'
)
BUILD = rows(
    "build run_id month_start month_end inputs settings code_version simulated finished_at",
    (1, "r1", date(2020, 1, 1), MAR, "i1", SETTINGS, "c1", False, FETCHED),
    (2, "r2", date(2020, 2, 1), APR, "i2", "{}", "c1", True, FETCHED_LATER),
)
SMALL_MARKET = {
    "quality.rule": RULE,
    "quality.flag": FLAG,
    "panel.security": SECURITY,
    "panel.security_month": SECURITY_MONTH,
    "panel.index_coverage": INDEX_COVERAGE,
    "panel.price_check": PRICE_CHECK,
    "signal.characteristic": CHARACTERISTIC,
    "signal.definition": DEFINITION,
    "raw.price_daily": PRICE_DAILY,
    "raw_history.price_daily": PRICE_HISTORY,
    "raw.index_member": INDEX_MEMBER,
    "raw.ingest_log": INGEST_LOG,
    "portfolio.breakpoint": BREAKPOINT,
    "portfolio.portfolio_return": PORTFOLIO_RETURN,
    "factor.factor_return": FACTOR_RETURN,
    "factor.vintage_drift": VINTAGE_DRIFT,
    "factor.comparison": COMPARISON,
    "factor.regime": REGIME,
    "factor.regime_performance": REGIME_PERFORMANCE,
    "factor.regime_claim": REGIME_CLAIM,
    "factor.etf_loading": ETF_LOADING,
    "factor.etf_check": ETF_CHECK,
    "factor.statistics": STATISTICS,
    "factor.fama_macbeth": FAMA_MACBETH,
    "factor.grs": GRS,
    "portfolio.spread_statistics": SPREAD_STATISTICS,
    "signal.information_summary": INFORMATION_SUMMARY,
    "backtest.holding": HOLDING,
    "backtest.backtest_return": BACKTEST_RETURN,
    "backtest.ledger": LEDGER,
    "backtest.drawdown": DRAWDOWN,
    "quality.quarantine": QUARANTINE,
    "quality.vintage_diff": VINTAGE_DIFF,
    "quality.check_result": CHECK_RESULT,
    "quality.build": BUILD,
}
