"""A handmade warehouse of raw rows in which each fault happens once, beside sound neighbours."""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.warehouse.store import Warehouse
from tests.sql.small_market import Row, filled, month_ends

FIRST_PRICE, LAST_PRICE = date(2010, 1, 4), date(2016, 12, 30)
FETCHED = datetime.fromisoformat("2017-01-15T06:00:00")
IN_THE_FUTURE = date(2031, 1, 1)
YEARS = range(2010, 2016)
BASIS = date(2016, 6, 30)


def period(year: int) -> date:
    return date(year, 12, 31)


def filed(year: int) -> date:
    return date(year + 1, 2, 20)


def statements(firm: str, year: int, **other: object) -> list[Row]:
    """Three statements of a year whose figures grow by 3 % a year; ``other`` replaces columns."""
    grown = 1.03 ** (year - 2010)
    shared: Row = {
        "vendor_id": firm,
        "firm": firm,
        "fiscal_year": year,
        "period_end": period(year),
        "filed_at": filed(year),
        # A year later they are repeated for comparison, which is no amendment.
        "restated_at": filed(year + 1),
        "currency": "USD",
        "shares": 100.0,
        "shares_basis_date": BASIS,
        "file": "fundamentals/statements",
    }
    figures = {
        "balance": {
            "total_assets": 1000 * grown,
            "total_liabilities": 600 * grown,
            "total_equity": 400 * grown,
        },
        "income": {
            "revenue": 800 * grown,
            "cost_of_revenue": 500 * grown,
            "net_income": 70 * grown,
        },
        "cashflow": {
            "operating_cash_flow": 90 * grown,
            "depreciation": 40 * grown,
            "dividends_paid": 20 * grown,
        },
    }
    rows = []
    for statement, own in figures.items():
        columns = {name: other[name] for name in own if name in other}
        of_all = {name: value for name, value in other.items() if name in shared}
        rows.append(shared | {"statement": statement} | own | columns | of_all)
    return rows


def scaled(rows: list[Row], factor: float) -> list[Row]:
    """The same statements in another unit."""
    figures = {"total_assets", "total_liabilities", "total_equity", "revenue", "cost_of_revenue"}
    figures |= {"net_income", "operating_cash_flow", "depreciation", "dividends_paid"}
    return [
        {name: value * factor if name in figures else value for name, value in row.items()}
        for row in rows
    ]


def all_statements() -> Iterator[Row]:
    firms: dict[str, dict[int, list[Row]]] = {
        firm: {year: statements(firm, year) for year in YEARS}
        for firm in (
            *(
                "SOUND",
                "TENFOLD",
                "UNSPLIT",
                "ASFILED",
                "ONECLASS",
                "MERGED",
                "NEGATIVE",
                "UNDATED",
            ),
            *("LATE", "AMENDED", "REFILED", "EURO", "BALANCE", "THOUSANDS", "COPY", "GAP", "SHORT"),
            *("NEGREV", "NOINCOME", "NOPRICE", "UNKNOWN"),
        )
    }

    def change(firm: str, years: range, **other: object) -> None:
        for year in years:
            firms[firm][year] = statements(firm, year, **other)

    change("TENFOLD", range(2013, 2016), shares=1000.0)
    change("UNSPLIT", range(2013, 2016), shares=200.0)
    for year in YEARS:
        # Counted on the split basis of the period's end, as in the filing itself.
        count = 100.0 if year < 2014 else 200.0
        change("ASFILED", range(year, year + 1), shares=count, shares_basis_date=None)
    change("ONECLASS", range(2014, 2016), shares=12.0)
    for year in range(2014, 2016):
        firms["MERGED"][year] = scaled(statements("MERGED", year, shares=250.0), 2.5)
    change("NEGATIVE", range(2012, 2013), total_liabilities=1100.0, total_equity=-39.1)
    change("UNDATED", range(2012, 2013), filed_at=None)
    change("LATE", range(2012, 2013), filed_at=date(2014, 1, 15), restated_at=None)
    change("AMENDED", range(2012, 2013), restated_at=date(2013, 8, 1))
    firms["REFILED"][2012] += statements("REFILED", 2012, filed_at=date(2013, 9, 2))
    change("EURO", range(2012, 2013), currency="EUR")
    change("BALANCE", range(2012, 2013), total_equity=500.0)
    for year in range(2010, 2013):
        firms["THOUSANDS"][year] = scaled(firms["THOUSANDS"][year], 1 / 1000)
    copied = {"vendor_id", "firm", "fiscal_year", "period_end", "filed_at", "restated_at"}
    firms["COPY"][2013] = [
        old | {name: new[name] for name in copied}
        for old, new in zip(firms["COPY"][2012], firms["COPY"][2013], strict=True)
    ]
    del firms["GAP"][2012]
    change("SHORT", range(2013, 2014), period_end=date(2013, 6, 30), filed_at=date(2013, 9, 1))
    change("SHORT", range(2014, 2015), period_end=date(2014, 6, 30), filed_at=date(2014, 9, 1))
    del firms["SHORT"][2015]
    change("NEGREV", range(2012, 2013), revenue=-5.0)
    firms["NOINCOME"][2012] = [r for r in firms["NOINCOME"][2012] if r["statement"] != "income"]
    for of_firm in firms.values():
        for rows in of_firm.values():
            yield from rows


def prices(firms: set[str]) -> Iterator[Row]:
    """First and last day of each firm, and what happens between."""
    between = {
        "UNSPLIT": [(date(2014, 6, 2), 2.0)],
        "ASFILED": [(date(2014, 6, 2), 2.0)],
        "GONE": [(date(2012, 4, 30), 1.0), (date(2012, 5, 3), 1.0)],
    }
    for firm in sorted(firms):
        days = [(FIRST_PRICE, 1.0), *between.get(firm, []), (LAST_PRICE, 1.0)]
        for day, split in days[:-1] if firm == "GONE" else days:
            yield {
                "vendor_id": firm,
                "ticker": firm,
                "date": day,
                "close": 10.0,
                "split": split,
                "file": f"prices/{firm}",
            }


def library() -> Iterator[Row]:
    """Factors of three years, a percent file, a copied row, and a daily file beside."""
    months = month_ends(2010, 1, 36)
    for i, month in enumerate(months):
        wave = {"Mkt-RF": math.sin(i), "SMB": math.cos(i), "RF": 0.0}
        values = {name: 0.03 * value for name, value in wave.items()} | {"RF": 0.001}
        if month != date(2011, 5, 31):
            for series, value in values.items():
                missing = series == "SMB" and month == date(2011, 8, 31)
                yield _library(
                    "F-F_Research_Data_Factors", series, month, None if missing else value
                )
        for series in ("Mom", "Mom 2"):
            # Percent read as decimals in 2011; the last row is that of the month before.
            j = i - 1 if month == date(2012, 12, 31) else i
            scale = 100 if month.year == 2011 else 1
            yield _library("F-F_Momentum_Factor", series, month, scale * 0.03 * math.sin(2 * j + 1))
    for month, gap in ((date(2010, 3, 31), 0.01), (date(2010, 4, 30), 0.0)):
        i = months.index(month)
        for series, value in (("Mkt-RF", 0.03 * math.sin(i) + gap), ("RF", 0.001)):
            data_set = "F-F_Research_Data_Factors_daily"
            yield _library(data_set, series, month, value, frequency="daily")


def _library(
    data_set: str, series: str, day: date, value: float | None, frequency: str = "monthly"
) -> Row:
    return {
        "data_set": data_set,
        "vintage": "201612",
        "frequency": frequency,
        "block": "",
        "series": series,
        "date": day,
        "value": value,
        "unit": "decimal",
        "file": f"library/{data_set}",
    }


def members() -> Iterator[Row]:
    """Forty members, ten of whom are gone for two months; one comes in the future."""
    for i in range(40):
        end = date(2012, 5, 1) if i < 10 else None
        yield {"ticker": f"M{i}", "start_date": date(2010, 1, 1), "end_date": end, "file": "index"}
        if end:
            yield {"ticker": f"M{i}", "start_date": date(2012, 7, 2), "file": "index"}
    yield {"ticker": "SOON", "start_date": IN_THE_FUTURE, "end_date": None, "file": "index"}


def levels() -> Iterator[Row]:
    """Benchmarks and funds of the last quarter of 2016, on weekdays."""
    day, days = date(2016, 10, 3), []
    while day <= LAST_PRICE:
        days += [day] if day.weekday() < 5 else []
        day += timedelta(days=1)
    cents = [round(100 * math.exp(0.01 * math.sin(3 * i) + 0.001 * i), 2) for i in range(len(days))]
    series = {("benchmark", symbol): dict(zip(days, cents, strict=True)) for symbol in SYMBOLS}
    stale = series["benchmark", "STALE"]
    for day in days[20:25]:
        stale[day] = 101.0
    series["benchmark", "SPIKE"][days[30]] *= 1.3
    for day in days[30:36]:
        del series["benchmark", "GAPPY"][day]
    for day in days[40:]:
        series["benchmark", "SHIFT"][day] *= 10
    for symbol in ("QUOTE", "SAMEDAY", "OLD"):
        series["etf", symbol] = dict(zip(days, cents, strict=True))
    series["etf", "QUOTE"][LAST_PRICE] = 104.005
    for day in days[40:]:
        del series["etf", "OLD"][day]
    for (data_set, symbol), by_day in series.items():
        for day, level in by_day.items():
            yield {
                "data_set": data_set,
                "symbol": symbol,
                "date": day,
                "adjusted_close": level,
                "file": f"{data_set}/{symbol}",
            }


SYMBOLS = ("STEADY", "STALE", "SPIKE", "GAPPY", "SHIFT")


def macro() -> Iterator[Row]:
    """Monthly series of seven years, a daily one with holidays and a binary one."""
    months = [day.replace(day=1) for day in month_ends(2010, 1, 84)]
    smooth = {day: 100 + 0.2 * i + 0.1 * math.sin(i) for i, day in enumerate(months)}
    carried = smooth | dict.fromkeys(months[40:46], 108.0)
    backed = smooth | dict.fromkeys(months[:12], 100.0)
    holes = {day: value for day, value in smooth.items() if day != date(2013, 4, 1)}
    rebased = smooth | {day: smooth[day] / 2 for day in months[60:]}
    rates = {day: 0.1 if 20 <= i < 40 else 1 + 0.1 * (i % 9) for i, day in enumerate(months)}
    first = date(2016, 1, 1)
    daily = {first + timedelta(days=i): math.sin(i) for i in range(300) if i % 7 < 5 and i != 4}
    series = {
        "SMOOTH": smooth,
        "CARRIED": carried,
        "BACKED": backed,
        "HOLES": holes,
        "REBASED": rebased,
        "RATES": rates,
        "BINARY": {day: float(30 <= i < 40) for i, day in enumerate(months)},
        "DAILY": daily,
        "AHEAD": smooth | {date(2017, 1, 1): 117.0, date(2017, 2, 1): 117.3},
    }
    for name, by_day in series.items():
        for day, value in by_day.items():
            yield {"series": name, "date": day, "value": value, "file": f"macro/{name}"}


def listing() -> list[Row]:
    def spell(vendor: str, ticker: str, first: date | None, last: date | None) -> Row:
        dates: Row = {"valid_from": first, "valid_to": last}
        return {"vendor_id": vendor, "ticker": ticker, "file": "listing"} | dates

    return [
        spell("SOUND", "OLD", date(2010, 1, 4), date(2012, 12, 31)),
        spell("SOUND", "SND", date(2013, 1, 1), None),
        # The ticker goes on to another security, and later to two at once.
        spell("TWIN1", "OLD", date(2013, 1, 1), date(2015, 6, 30)),
        spell("TWIN2", "OLD", date(2015, 3, 2), None),
        spell("OVER", "OV1", date(2010, 1, 4), date(2014, 3, 31)),
        spell("OVER", "OV2", date(2014, 3, 3), None),
        spell("NOPRICE", "NOP", None, None),
    ]


def faulty_market(path: Path) -> Warehouse:
    """Write it to ``path``."""
    fundamentals = list(all_statements())
    firms = {str(row["vendor_id"]) for row in fundamentals} - {"NOPRICE", "UNKNOWN"}
    given = {
        "raw.fundamental": fundamentals,
        "raw.price_daily": list(prices(firms | {"GONE", "STAYS"})),
        "raw.french_return": list(library()),
        "raw.index_member": list(members()),
        "raw.benchmark_daily": list(levels()),
        "raw.macro": list(macro()),
        "raw.listing": listing(),
        "raw.delisting": [
            {"vendor_id": "GONE", "date": date(2012, 5, 1), "file": "delisting"},
            {"vendor_id": "STAYS", "date": LAST_PRICE, "file": "delisting"},
            {"vendor_id": "NEVER", "date": date(2013, 3, 1), "file": "delisting"},
        ],
        "raw.ingest_log": [
            {"file": file, "ingested_at": FETCHED}
            for file in ("index", "macro/AHEAD", "macro/SMOOTH")
        ],
    }
    warehouse = Warehouse(path)
    warehouse.prepare(TABLES.values())
    for name, rows in given.items():
        warehouse.replace(TABLES[name], filled(TABLES[name], rows))
    return warehouse
