"""The workbook in LibreOffice: its formulas, computed by a program that did not write them."""

import math
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from factor_pipeline.reporting.workbook import write_workbook
from factor_pipeline.reporting.workbook.figures import Inputs
from factor_pipeline.warehouse.query import query_published
from tests.unit.workbook_file import (
    DANGEROUS,
    MONTHS,
    STRATEGIES,
    Cells,
    cells_of,
    publish_strategies,
    risk_free,
    strategy_returns,
    summary_of,
    with_inputs,
    without_values,
)

# LibreOffice keeps 15 digits of what it computes, and costs are taken apart and put together again.
ROUNDING = 1e-9
COST, RATE = 0.0035, 0.03
FIRST, LAST = MONTHS[7], MONTHS[-3]
METRICS = {
    "CAGR": "cagr",
    "Arithmetic mean": "annual_return",
    "Volatility": "volatility",
    "Sharpe": "sharpe",
    "Return to risk": "return_to_risk",
    "Max drawdown": "max_drawdown",
    "Best month": "best_month",
    "Worst month": "worst_month",
    "Hit rate": "hit_rate",
    "Turnover per month": "average_turnover",
    "Months": "months",
}
# Written by LibreOffice's own settings dialog: recompute files of Excel whenever they are opened.
ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
</item>
</oor:items>
"""


@pytest.fixture(scope="module")
def soffice() -> str:
    program = shutil.which("soffice")
    if program:
        return program
    reason = "LibreOffice is not installed: apt-get install libreoffice-calc"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_strategies(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def changed_inputs(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """A workbook written with other inputs, as stored."""
    target = tmp_path_factory.mktemp("changed") / "changed.xlsx"
    write_workbook(published, target, Inputs(COST, RATE, FIRST, LAST, "short"))
    return cells_of(target)


@pytest.fixture(scope="module")
def recalculated(
    soffice: str, published: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Cells]:
    """Workbooks as LibreOffice computes them.

    ``blank`` came without any stored value, ``typed`` with other values in its input cells.
    """
    folder = tmp_path_factory.mktemp("libreoffice")
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE)
    write_workbook(published, folder / "own.xlsx")
    without_values(folder / "own.xlsx", folder / "blank.xlsx")
    typed: dict[str, float | str | date] = {
        "cost_per_traded": COST,
        "risk_free_source": "constant",
        "risk_free_rate": RATE,
        "first_month": FIRST,
        "last_month": LAST,
        "shown_strategy": "short",
    }
    with_inputs(folder / "own.xlsx", folder / "typed.xlsx", typed)
    names = ("blank", "typed")
    subprocess.run(
        [
            soffice,
            f"-env:UserInstallation={profile.parent.as_uri()}",
            "--headless",
            "--convert-to",
            "xlsx",
            "--outdir",
            str(folder / "out"),
            *(str(folder / f"{name}.xlsx") for name in names),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return {name: cells_of(folder / "out" / f"{name}.xlsx") for name in names}


def test_at_the_own_cost_the_summary_is_that_of_the_warehouse(recalculated, published):
    shown = summary_of(recalculated["blank"])
    table = query_published(published, "from backtest.summary")
    expected = {(strategy, metric): value for strategy, metric, value in table.iter_rows()}
    assert len(shown) == len(STRATEGIES) + 1
    for strategy, values in shown.items():
        for header, metric in METRICS.items():
            found, value = values[header], expected[strategy, metric]
            assert found == pytest.approx(value, abs=ROUNDING), (strategy, metric)


def account(strategy: str) -> dict[str, float]:
    """Statistics of a strategy at the other inputs, one month at a time, with the rate of
    ``short``, which is its own, as published."""
    paid = {name: (rate, spread, fee) for name, rate, _, spread, fee in STRATEGIES}
    published_rate, spread, fee = paid.get(strategy, (0.0, 0.0, 0.0))
    rate = published_rate if strategy == "short" else COST
    wealth = high = 1.0
    deepest, nets, traded = 0.0, [], []
    mine = [row for row in strategy_returns().to_dicts() if row["strategy"] == strategy]
    first = mine[0]["month_end"]
    for row in mine:
        if not FIRST <= row["month_end"] <= LAST:
            continue
        notional = 2 * row["turnover"]
        extra = 0.0 if row["month_end"] == first else spread
        net = (1 - (rate + extra) * notional) * (1 + row["gross"] - fee) - 1
        wealth *= 1 + net
        high = max(high, wealth)
        deepest = min(deepest, wealth / high - 1)
        nets.append(net)
        traded.append(notional)
    monthly = (1 + RATE) ** (1 / 12) - 1
    excess = np.array(nets) - monthly
    return {
        "Months": len(nets),
        "CAGR": wealth ** (12 / len(nets)) - 1,
        "Arithmetic mean": 12 * math.fsum(nets) / len(nets),
        "Volatility": float(np.std(nets, ddof=1)) * math.sqrt(12),
        "Sharpe": float(excess.mean() / excess.std(ddof=1)) * math.sqrt(12),
        "Return to risk": float(np.mean(nets) / np.std(nets, ddof=1)) * math.sqrt(12),
        "Max drawdown": deepest,
        "Best month": max(nets),
        "Worst month": min(nets),
        "Hit rate": sum(net > 0 for net in nets) / len(nets),
        "Turnover per month": math.fsum(traded) / 2 / len(nets),
    }


@pytest.mark.parametrize("strategy", ["value", "momentum", "short", "benchmark"])
def test_at_other_inputs_the_summary_is_that_of_an_account_kept_by_hand(recalculated, strategy):
    found = summary_of(recalculated["typed"])[strategy]
    for header, value in account(strategy).items():
        assert found[header] == pytest.approx(value, abs=ROUNDING), header


def test_a_strategy_of_few_months_has_no_statistics(recalculated):
    late = summary_of(recalculated["typed"])["late"]
    assert late.pop("Months") == 6
    assert late.pop("First month") is not None
    assert late.pop("Last month") is not None
    assert set(late.values()) == {None}


def test_every_cell_is_stored_with_the_value_that_libreoffice_computes(
    recalculated, changed_inputs
):
    compared = 0
    for name, sheet in changed_inputs.items():
        for address, cell in sheet.items():
            if cell.formula is None:
                continue
            compared += 1
            computed = recalculated["typed"][name].get(address)
            value = computed.value if computed else None
            if isinstance(cell.value, float):
                assert value == pytest.approx(cell.value, rel=ROUNDING, abs=ROUNDING), (
                    name,
                    address,
                )
            else:
                assert value == cell.value, (name, address)
    assert compared > len(MONTHS) * 20


def test_a_month_without_a_library_rate_is_left_out_of_the_sharpe_ratio_alone(recalculated):
    known = dict(risk_free().iter_rows())
    mine = [row for row in strategy_returns().to_dicts() if row["strategy"] == "value"]
    excess = [row["net"] - known[row["month_end"]] for row in mine if row["month_end"] in known]
    assert len(excess) == len(mine) - 1
    expected = float(np.mean(excess) / np.std(excess, ddof=1)) * math.sqrt(12)
    found = summary_of(recalculated["blank"])["value"]
    assert found["Sharpe"] == pytest.approx(expected, abs=ROUNDING)
    assert found["Months"] == len(mine)


def test_the_benchmark_is_shown_from_the_month_in_which_the_strategy_starts(recalculated):
    sheet = recalculated["blank"]["Strategy"]
    # The first strategy by name, late, starts in month 32; rows of months start at 5.
    assert sheet["D4"].value == "late"
    row = 5 + 32
    assert sheet[f"H{row - 1}"].value == "#N/A"
    assert sheet[f"H{row}"].value == pytest.approx(1 + sheet[f"G{row}"].value, abs=ROUNDING)


def test_text_that_looks_like_a_formula_is_not_computed(recalculated):
    tickers = {cell.value for cell in recalculated["blank"]["Holdings"].values()}
    assert set(DANGEROUS) <= tickers


def test_no_formula_fails(recalculated):
    failed = {
        (name, address): cell.value
        for name, sheet in recalculated["blank"].items()
        for address, cell in sheet.items()
        # Not available is what charts leave out.
        if isinstance(cell.value, str) and cell.value.startswith("#") and name != "Strategy"
    }
    assert failed == {}
