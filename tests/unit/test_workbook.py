"""The workbook's file: what its cells hold, whatever program opens it."""

from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.errors import QueryError, SettingsError
from factor_pipeline.reporting.workbook import write_workbook
from factor_pipeline.reporting.workbook.figures import Inputs
from factor_pipeline.reporting.workbook.summary import STATISTICS
from factor_pipeline.warehouse.query import query_published
from tests.sql.small_market import published_file
from tests.unit.workbook_file import (
    DANGEROUS,
    STRATEGIES,
    Cells,
    cells_of,
    defined_names,
    publish_strategies,
    summary_of,
)

# Costs are taken apart and put together again, which rounds.
ROUNDING = 1e-9


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_strategies(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def workbook(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("workbook") / "deep" / "factors.xlsx"
    write_workbook(published, target)
    return target


@pytest.fixture(scope="module")
def cells(workbook: Path) -> Cells:
    return cells_of(workbook)


def test_stored_values_of_the_summary_are_those_of_the_warehouse(cells, published):
    table = query_published(published, "from backtest.summary")
    shown = summary_of(cells)
    metrics = {one.metric: one.header for one in STATISTICS}
    compared = table.filter(pl.col("metric").is_in(list(metrics)))
    assert compared.height == len(STATISTICS) * (len(STRATEGIES) + 1)
    for strategy, metric, value in compared.iter_rows():
        assert shown[strategy][metrics[metric]] == pytest.approx(value, abs=ROUNDING), metric


def test_statistics_are_formulas_and_published_returns_are_values(cells):
    letters = "BCDEFGHIJKLMN"
    assert all(cells["Summary"][f"{column}4"].formula for column in letters)
    assert all(cells["Net"][f"{column}5"].formula for column in "BCDEF")
    assert all(cell.formula is None for cell in cells["Gross"].values())


@pytest.mark.parametrize("text", DANGEROUS)
@pytest.mark.parametrize("sheet", ["Holdings", "Signals"])
def test_text_that_looks_like_a_formula_stays_text(cells, sheet, text):
    found = [cell for cell in cells[sheet].values() if cell.value in {text, f"{text} Inc"}]
    assert len(found) == 2
    assert all(cell.formula is None for cell in found)


def test_every_input_cell_has_a_name(workbook):
    assert defined_names(workbook) == {
        "cost_per_traded": "B5",
        "risk_free_source": "B6",
        "risk_free_rate": "B7",
        "first_month": "B8",
        "last_month": "B9",
        "shown_strategy": "B10",
    }


def test_a_strategy_with_another_rate_keeps_it_and_the_others_follow_the_input(cells):
    rates = {cells["Inputs"][f"A{row}"].value: cells["Inputs"][f"B{row}"] for row in range(14, 19)}
    assert {name for name, cell in rates.items() if cell.formula == "cost_per_traded"} == {
        "value",
        "momentum",
        "late",
        "benchmark",
    }
    assert rates["short"].value == pytest.approx(0.002, abs=1e-12)


def test_only_the_newest_month_of_holdings_and_signals_is_shown(cells):
    ids = [cell.value for address, cell in cells["Holdings"].items() if address.startswith("L")]
    assert ids == ["security_id", "1", "2", "3", "4"]
    growth = [cell for cell in cells["Signals"].values() if cell.value == "Growth"]
    assert growth == []


def test_factors_are_own_ones_and_those_of_the_vintage_of_the_risk_free_rate(cells):
    headers = [cells["Factors"][f"{column}3"].value for column in "BCD"]
    assert headers == ["MKT own", "MKT 201812", "RF 201812"]


def test_sheets_of_costs_that_nobody_pays_are_left_out(published, tmp_path):
    returns = query_published(
        published, "from backtest.backtest_return where strategy in ('value', 'benchmark')"
    )
    build = query_published(published, "from quality.build")
    plain = published_file(
        tmp_path,
        {"backtest.backtest_return": returns.to_dicts(), "quality.build": build.to_dicts()},
    )
    write_workbook(plain, tmp_path / "plain.xlsx")
    assert {"Further cost", "Holding cost"}.isdisjoint(cells_of(tmp_path / "plain.xlsx"))


def test_costs_beyond_the_rate_have_their_sheets(cells):
    assert {"Further cost", "Holding cost"} <= cells.keys()


def test_a_simulated_market_is_called_so_on_every_sheet_and_only_then(cells, tmp_path):
    published = publish_strategies(tmp_path, simulated=True)
    write_workbook(published, tmp_path / "simulated.xlsx")
    for name, sheet in cells_of(tmp_path / "simulated.xlsx").items():
        assert str(sheet["A2"].value).startswith("SIMULATED MARKET"), name
        assert "A2" not in cells[name]


def test_notes_say_what_the_numbers_were_made_of(cells):
    texts = {cell.value for cell in cells["Notes"].values()}
    assert {"run-one", "c0de", "2020-05-01 06:00 UTC", "2015-03 to 2018-06"} <= texts
    assert "0123abcd" in {cell.value for cell in cells["Files"].values()}


def test_the_same_published_file_gives_the_same_bytes(published, workbook, tmp_path):
    write_workbook(published, tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == workbook.read_bytes()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (Inputs(strategy="nobody"), "nobody"),
        (Inputs(cost_per_traded=1.5), "1.5"),
        (Inputs(risk_free_rate=-1.0), "-1.0"),
    ],
)
def test_inputs_that_cannot_be_are_refused_by_what_is_wrong(published, tmp_path, inputs, message):
    with pytest.raises(SettingsError, match=message):
        write_workbook(published, tmp_path / "no.xlsx", inputs)
    assert list(tmp_path.iterdir()) == []


def test_without_returns_there_is_no_workbook(tmp_path):
    with pytest.raises(QueryError, match="no strategy has a return"):
        write_workbook(published_file(tmp_path, {}), tmp_path / "no.xlsx")


def test_a_folder_that_cannot_be_written_to_is_named(published, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SettingsError, match="taken"):
        write_workbook(published, tmp_path / "taken" / "factors.xlsx")
