"""A published file for workbooks, and what is inside a workbook's file."""

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl

from factor_pipeline.compute.performance import summary
from tests.sql.small_market import Row, month_ends, published_file, rows

MONTHS = month_ends(2015, 3, 40)
HOLDING_MONTH = MONTHS[-1]
BUILT = datetime.fromisoformat("2020-05-01T06:00:00")

# Name, cost per traded notional, first month, further cost per traded notional, holding cost.
# `late` has too few months for statistics; `short` pays spreads and fees, at a rate of its own.
STRATEGIES = (
    ("value", 0.001, 0, 0.0, 0.0),
    ("momentum", 0.001, 5, 0.0, 0.0),
    ("short", 0.002, 3, 0.0007, 0.0004),
    ("late", 0.001, 32, 0.0, 0.0),
)
# What a spreadsheet would compute, were it not written as text.
DANGEROUS = ("=1+1", "+1+1", "-1+1", "@SUM(1)")


def strategy_returns() -> pl.DataFrame:
    """Made-up returns; every third month trades."""
    draw = np.random.default_rng(7)
    given: list[Row] = []
    for name, rate, first, spread, fee in STRATEGIES:
        for place, month in enumerate(MONTHS[first:], start=first):
            gross = float(draw.normal(0.01, 0.05))
            traded = float(draw.uniform(0.2, 1.5)) if place % 3 == 0 or place == first else 0.0
            # The first of its trades are in securities of large firms, without a spread.
            cost = (rate + (spread if place > first else 0.0)) * traded
            given.append(
                {
                    "strategy": name,
                    "month_end": month,
                    "gross": gross,
                    "cost": cost,
                    "net": (1 - cost) * (1 + gross - fee) - 1,
                    "turnover": traded / 2,
                    "n": 20,
                }
            )
    for month in MONTHS[:-1]:
        ret = float(draw.normal(0.008, 0.04))
        given.append(
            {
                "strategy": "benchmark",
                "month_end": month,
                "gross": ret,
                "cost": 0.0,
                "net": ret,
                "turnover": 0.0,
            }
        )
    return pl.DataFrame(given, infer_schema_length=None)


def risk_free() -> pl.DataFrame:
    """Rates of the newest vintage; the last month has none yet."""
    rates = [round(0.001 + 0.0001 * (place % 7), 6) for place in range(len(MONTHS) - 1)]
    return pl.DataFrame({"month_end": MONTHS[:-1], "rf": rates})


def publish_strategies(folder: Path, *, simulated: bool = False) -> Path:
    """Publish the strategies, with holdings and signals of securities named `DANGEROUS`."""
    returns = strategy_returns()
    numbers = range(1, len(DANGEROUS) + 1)
    rates = risk_free()
    factors = [
        *rows(
            "month_end factor source vintage ret",
            *((m, "RF", "library", "201512", 0.5) for m in MONTHS),
            *((m, "RF", "library", "201812", rf) for m, rf in rates.iter_rows()),
            *((m, "MKT", "library", "201812", 0.01 * (m.month - 6)) for m in MONTHS[:-1]),
            *((m, "MKT", "own", None, 0.01 * (m.month - 5)) for m in MONTHS[4:]),
        )
    ]
    return published_file(
        folder,
        {
            "backtest.backtest_return": returns.to_dicts(),
            "backtest.summary": summary(returns, rates).to_dicts(),
            "backtest.holding": rows(
                "strategy security_id month_end weight closing_weight status",
                *(("value", i, HOLDING_MONTH, 0.25, 0.26, "held") for i in numbers),
                ("value", 1, MONTHS[-2], 1.0, 1.0, "entered"),
            ),
            "factor.factor_return": factors,
            "panel.security": rows(
                "security_id ticker valid_from valid_to name sector",
                *(
                    (i, text, MONTHS[0], MONTHS[-1], f"{text} Inc", "Energy")
                    for i, text in zip(numbers, DANGEROUS, strict=True)
                ),
            ),
            "signal.characteristic": rows(
                "security_id month_end size book_to_market value_class",
                *((i, HOLDING_MONTH, 1e9 * i, 0.1 * i, "Value") for i in numbers),
                (1, MONTHS[-2], 5e9, 9.0, "Growth"),
            ),
            "quality.build": rows(
                "build run_id month_start month_end inputs settings code_version simulated "
                "finished_at",
                (
                    1,
                    "run-one",
                    date(2015, 3, 1),
                    MONTHS[-1],
                    "feed",
                    '{"library":{"vintage":"latest"}}',
                    "c0de",
                    simulated,
                    BUILT,
                ),
            ),
            "raw.ingest_log": rows(
                "data_set source file sha256", ("prices", "alphavantage", "A.csv", "0123abcd")
            ),
        },
    )


@dataclass(frozen=True)
class Cell:
    """Content of a cell: a number, or text; and its formula, if any."""

    value: float | str | None
    formula: str | None


Cells = dict[str, dict[str, Cell]]
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_INPUTS = "xl/worksheets/sheet1.xml"
_DAY_ZERO = date(1899, 12, 30)


def cells_of(path: Path) -> Cells:
    """All cells by sheet and address."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    root = {name: ET.fromstring(parts[name]) for name in parts if name.endswith((".xml", ".rels"))}  # noqa: S314 - our own files
    texts = [
        "".join(text.text or "" for text in entry.iter(f"{_MAIN}t"))
        for entry in root["xl/sharedStrings.xml"].iter(f"{_MAIN}si")
    ]
    target = {one.get("Id"): one.get("Target") for one in root["xl/_rels/workbook.xml.rels"]}
    result: Cells = {}
    for sheet in root["xl/workbook.xml"].iter(f"{_MAIN}sheet"):
        part = root["xl/" + str(target[sheet.get(_RELATION)]).removeprefix("/xl/")]
        result[str(sheet.get("name"))] = {
            str(one.get("r")): _cell(one, texts) for one in part.iter(f"{_MAIN}c")
        }
    return result


def _cell(one: ET.Element, texts: list[str]) -> Cell:
    value, formula = one.findtext(f"{_MAIN}v"), one.findtext(f"{_MAIN}f")
    kind = one.get("t")
    if kind == "s":
        return Cell(texts[int(value or "")], formula)
    if kind in {"str", "e"}:
        return Cell(value or None, formula)
    return Cell(float(value) if value else None, formula)


def defined_names(path: Path) -> dict[str, str]:
    """Names of the workbook, each with the address on sheet Inputs."""
    with zipfile.ZipFile(path) as archive:
        root = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - our own file
    names = {str(one.get("name")): one.text or "" for one in root.iter(f"{_MAIN}definedName")}
    return {
        name: address.replace("$", "").removeprefix("'Inputs'!")
        for name, address in names.items()
        if not name.startswith("_xlnm")
    }


def with_inputs(source: Path, target: Path, values: Mapping[str, float | str | date]) -> None:
    """Type ``values`` into named input cells as a person would: nothing else changes."""
    names = defined_names(source)

    def typed(sheet: str) -> str:
        for name, value in values.items():
            cell = rf'<c r="{names[name]}"( s="\d+")(?: t="s")?><v>[^<]*</v></c>'
            content = f"><v>{_number(value)}</v>"
            if isinstance(value, str):
                content = f' t="inlineStr"><is><t>{value}</t></is>'
            sheet, count = re.subn(cell, rf'<c r="{names[name]}"\1{content}</c>', sheet)
            assert count == 1, name
        return sheet

    _rewrite(source, target, lambda name, text: typed(text) if name == _INPUTS else text)


def without_values(source: Path, target: Path) -> None:
    """Take the stored values out of all formula cells."""
    value = re.compile(r"(</f>)<v>[^<]*</v>")
    _rewrite(
        source,
        target,
        lambda name, text: value.sub(r"\1", text) if name.startswith("xl/worksheets/") else text,
    )


def _number(value: float | str | date) -> float | str:
    return (value - _DAY_ZERO).days if isinstance(value, date) else value


def _rewrite(source: Path, target: Path, change: Callable[[str, str], str]) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name).decode()))


def summary_of(cells: Cells) -> dict[str, dict[str, float | str | None]]:
    """Sheet Summary: strategy to header to value."""
    sheet = cells["Summary"]
    letters = "ABCDEFGHIJKLMN"
    headers = [str(sheet[f"{letter}3"].value) for letter in letters]
    result = {}
    for row in range(4, 4 + len(STRATEGIES) + 1):
        values = [sheet[f"{letter}{row}"].value for letter in letters]
        result[str(values[0])] = dict(zip(headers[1:], values[1:], strict=True))
    return result
