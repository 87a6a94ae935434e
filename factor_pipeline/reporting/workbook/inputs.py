"""The sheet of input cells: change one, and every formula follows."""

from typing import Any, Final

from factor_pipeline.reporting.workbook.figures import Accounts, Figures, InputCells
from factor_pipeline.reporting.workbook.grid import HEADER_ROW, Grid
from factor_pipeline.reporting.workbook.sheets import Sheet, Value, Workbook

COST: Final = "cost_per_traded"
RISK_FREE_SOURCE: Final = "risk_free_source"
RISK_FREE_RATE: Final = "risk_free_rate"
FIRST_MONTH: Final = "first_month"
LAST_MONTH: Final = "last_month"
SHOWN: Final = "shown_strategy"

LIBRARY: Final = "library"
CONSTANT: Final = "constant"

Rule = dict[str, Any]

_FIRST_ROW = 4
_NAME, _VALUE = 0, 1
_RATES_HEADER_ROW = 12
_RATES_ROW = _RATES_HEADER_ROW + 1


def rate_cell(grid: Grid, strategy: int) -> str:
    """Address of the cost per traded notional of a strategy."""
    return grid.sheets["Inputs"].cell(_RATES_ROW + strategy, _VALUE)


def fill_inputs(
    book: Workbook, grid: Grid, accounts: Accounts, figures: Figures, inputs: InputCells
) -> None:
    """Write the input cells, name them, and say what they accept.

    Parameters
    ----------
    book, grid
        Where to.
    accounts, figures
        What was published, and what the formulas give.
    inputs
        Values of the cells.
    """
    sheet = grid.sheets["Inputs"]
    sheet.widths(34, 16, 90)
    sheet.header(HEADER_ROW + 1, ["Input", "Value"], texts=1)
    sheet.put(HEADER_ROW + 1, 2, "What it does", "header_note")
    is_constant = inputs.risk_free_rate is not None
    rows: tuple[tuple[str, Value, str, str, Rule], ...] = (
        (
            COST,
            inputs.cost_per_traded,
            "input_percent",
            (
                "Cost per traded notional, of buys and sells alike: net return = "
                "(1 - cost x traded)(1 + gross) - 1."
            ),
            _NUMBER_UP_TO_ONE,
        ),
        (
            RISK_FREE_SOURCE,
            CONSTANT if is_constant else LIBRARY,
            "input_text",
            f'"{LIBRARY}": the monthly series of sheet Months; "{CONSTANT}": the rate below.',
            {"validate": "list", "source": [LIBRARY, CONSTANT]},
        ),
        (
            RISK_FREE_RATE,
            inputs.risk_free_rate or 0.0,
            "input_percent",
            f'Risk-free rate per year, compounded; counts only with "{CONSTANT}".',
            {"validate": "decimal", "criteria": "between", "minimum": -0.99, "maximum": 1},
        ),
        (
            FIRST_MONTH,
            inputs.first_month,
            "input_date",
            "First month counted: a month end.",
            _one_of(grid.months()),
        ),
        (
            LAST_MONTH,
            inputs.last_month,
            "input_date",
            "Last month counted: a month end, not before the first.",
            _one_of(grid.months()),
        ),
        (
            SHOWN,
            inputs.strategy,
            "input_text",
            "Strategy on the sheets Strategy and Charts.",
            _one_of(sheet.column(_NAME, _RATES_ROW, _RATES_ROW + len(grid.strategies) - 1)),
        ),
    )
    for place, (name, value, style, meaning, accepted) in enumerate(rows):
        row = _FIRST_ROW + place
        sheet.put(row, _NAME, name, "label")
        sheet.put(row, _VALUE, value, style)
        sheet.put(row, 2, meaning, "note")
        book.define(name, sheet, row, _VALUE)
        _accept(sheet, row, accepted)
    _fill_rates(sheet, accounts, figures)


def _fill_rates(sheet: Sheet, accounts: Accounts, figures: Figures) -> None:
    sheet.header(_RATES_HEADER_ROW, ["Strategy", "Cost per traded"], texts=1)
    sheet.put(
        _RATES_HEADER_ROW,
        2,
        f"Follows {COST}, or is a rate of its own where the warehouse charged another; write "
        "over it at will.",
        "header_note",
    )
    for place, (name, own, rate) in enumerate(
        zip(accounts.strategies, accounts.rates, figures.rates, strict=True)
    ):
        row = _RATES_ROW + place
        sheet.put(row, _NAME, name)
        if own == accounts.usual_rate:
            sheet.formula(row, _VALUE, COST, float(rate), "input_percent")
        else:
            sheet.put(row, _VALUE, float(rate), "input_percent")
        _accept(sheet, row, _NUMBER_UP_TO_ONE)


_NUMBER_UP_TO_ONE: Final[Rule] = {
    "validate": "decimal",
    "criteria": "between",
    "minimum": 0,
    "maximum": 1,
}


def _one_of(cells: str) -> Rule:
    return {"validate": "list", "source": f"={cells}"}


def _accept(sheet: Sheet, row: int, rule: Rule) -> None:
    told = {
        "error_title": "Not accepted",
        "error_message": "Choose from the list, or write a number in the range; see column C.",
    }
    sheet.page.data_validation(row, _VALUE, row, _VALUE, rule | told)
