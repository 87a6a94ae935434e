"""The numbers the workbook's formulas give for its inputs, so that cells need no recalculation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from factor_pipeline.compute.performance import summary
from factor_pipeline.compute.strategies import BENCHMARK
from factor_pipeline.errors import SettingsError
from factor_pipeline.reporting.workbook.data import OWN, WorkbookData

_MONTHS_PER_YEAR = 12
# A rate is given in a handful of digits; what lies beyond is the rounding of a division.
_RATE_DECIMALS = 12
_ROUNDING = 1e-12

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Values of the input cells; None takes what the warehouse used.

    Attributes
    ----------
    cost_per_traded
        Cost as a decimal share of the traded notional, of every strategy that paid the usual rate.
    risk_free_rate
        Constant risk-free rate, decimal per year, compounded; None takes the library's series.
    first_month, last_month
        First and last month counted, as month ends; None takes all there are.
    strategy
        The strategy shown on its own sheet and in the charts; None takes the first.
    """

    cost_per_traded: float | None = None
    risk_free_rate: float | None = None
    first_month: date | None = None
    last_month: date | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class InputCells:
    """`Inputs` with what the warehouse used in place of None, but for the risk-free rate."""

    cost_per_traded: float
    risk_free_rate: float | None
    first_month: date
    last_month: date
    strategy: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """What was published, as arrays of a row per month and a column per strategy, NaN for none.

    Attributes
    ----------
    strategies
        Names in alphabetical order, the benchmark last, shape (S,).
    months
        Month ends, ascending, shape (T,).
    gross, traded, holding_cost
        Return before costs, notional traded, cost that does not depend on trading, shape (T, S).
    further_cost
        Cost of trading beyond ``rates`` times ``traded``, shape (T, S), as of wider spreads.
    rates
        Cost per traded notional of each strategy: the lowest it paid in any month, shape (S,).
    usual_rate
        The rate most of them have.
    risk_free
        Monthly rate of the library, shape (T,).
    """

    strategies: tuple[str, ...]
    months: tuple[date, ...]
    gross: Floats
    traded: Floats
    holding_cost: Floats
    further_cost: Floats
    rates: Floats
    usual_rate: float
    risk_free: Floats

    @classmethod
    def of(cls, data: WorkbookData) -> "Accounts":
        """Accounts of what was published, over all months with a strategy's or factor's return."""
        names = sorted(
            data.returns["strategy"].unique(), key=lambda name: (name == BENCHMARK, name)
        )
        months = _months(data)
        row = {month: place for place, month in enumerate(months)}
        column = {name: place for place, name in enumerate(names)}
        at = (
            [row[month] for month in data.returns["month_end"]],
            [column[name] for name in data.returns["strategy"]],
        )
        wide = {}
        for name in ("gross", "traded", "cost", "holding_cost"):
            wide[name] = np.full((len(months), len(names)), np.nan)
            wide[name][at] = data.returns[name].to_numpy()
        rates = np.array(
            [_rate(wide["cost"][:, s], wide["traded"][:, s]) for s in range(len(names))]
        )
        usual = _most_frequent(rates)
        rates = np.where(np.isnan(rates), usual, rates)
        risk_free = np.full(len(months), np.nan)
        for month, rate in data.risk_free.select("month_end", "rf").iter_rows():
            if month in row:
                risk_free[row[month]] = rate
        return cls(
            strategies=tuple(names),
            months=tuple(months),
            gross=wide["gross"],
            traded=wide["traded"],
            holding_cost=_without_rounding(wide["holding_cost"]),
            further_cost=_without_rounding(wide["cost"] - rates * wide["traded"]),
            rates=rates,
            usual_rate=usual,
            risk_free=risk_free,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the formulas give; arrays are (T,) or (T, S), NaN where a cell is empty.

    Attributes
    ----------
    in_window
        Whether a month is counted.
    risk_free
        Monthly rate in use.
    net, excess
        Return after costs, and over the risk-free rate.
    wealth, drawdown
        Growth of 1 at each month end, and its distance from the highest so far.
    rates
        Cost per traded notional of each strategy.
    summary
        Strategy to metric to value, as `compute.performance.summary` gives them.
    """

    in_window: npt.NDArray[np.bool_]
    risk_free: Floats
    net: Floats
    excess: Floats
    wealth: Floats
    drawdown: Floats
    rates: Floats
    summary: Mapping[str, Mapping[str, float | None]]


def input_cells(inputs: Inputs, accounts: Accounts) -> InputCells:
    """Put what the warehouse used in place of None.

    Raises
    ------
    SettingsError
        When the strategy is not published, a rate is out of range or the months are reversed.
    """
    cost = accounts.usual_rate if inputs.cost_per_traded is None else inputs.cost_per_traded
    first = inputs.first_month or accounts.months[0]
    last = inputs.last_month or accounts.months[-1]
    strategy = inputs.strategy or accounts.strategies[0]
    if strategy not in accounts.strategies:
        raise SettingsError(
            f"there is no strategy {strategy!r}; name one of {', '.join(accounts.strategies)}"
        )
    if not 0 <= cost <= 1:
        raise SettingsError(f"cost per traded notional {cost} is not a share from 0 to 1")
    if inputs.risk_free_rate is not None and not -1 < inputs.risk_free_rate <= 1:
        raise SettingsError(f"risk-free rate {inputs.risk_free_rate} is not above -1 and up to 1")
    if last < first:
        raise SettingsError(f"the last month {last} is before the first, {first}; swap them")
    return InputCells(cost, inputs.risk_free_rate, first, last, strategy)


def figures(accounts: Accounts, inputs: InputCells) -> Figures:
    """Compute what the formulas give for ``inputs``."""
    months = np.array(accounts.months, dtype="datetime64[D]")
    in_window = (months >= np.datetime64(inputs.first_month)) & (
        months <= np.datetime64(inputs.last_month)
    )
    rates = np.where(accounts.rates == accounts.usual_rate, inputs.cost_per_traded, accounts.rates)
    cost = np.minimum(rates * accounts.traded + accounts.further_cost, 1.0)
    growth = np.maximum(1.0 + accounts.gross - accounts.holding_cost, 0.0)
    net = np.where(in_window[:, None], (1.0 - cost) * growth - 1.0, np.nan)
    risk_free = accounts.risk_free
    if inputs.risk_free_rate is not None:
        monthly = (1.0 + inputs.risk_free_rate) ** (1.0 / _MONTHS_PER_YEAR) - 1.0
        risk_free = np.full(risk_free.shape, monthly)
    wealth: Floats = np.multiply.accumulate(1.0 + np.where(np.isnan(net), 0.0, net), axis=0)
    high = np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    return Figures(
        in_window=in_window,
        risk_free=risk_free,
        net=net,
        excess=net - risk_free[:, None],
        wealth=wealth,
        drawdown=wealth / high - 1.0,
        rates=rates,
        summary=_summary(accounts, net, risk_free),
    )


def _summary(
    accounts: Accounts, net: Floats, risk_free: Floats
) -> dict[str, dict[str, float | None]]:
    # Numbered, no series is the benchmark: regressions on it, which take long, are not asked for.
    numbers = [str(number) for number in range(len(accounts.strategies))]
    counted = pl.DataFrame(
        {
            "strategy": np.repeat(numbers, len(accounts.months)),
            "month_end": list(accounts.months) * len(numbers),
            "gross": accounts.gross.T.ravel(),
            "net": net.T.ravel(),
            "turnover": accounts.traded.T.ravel() / 2,
        }
    ).filter(pl.col("net").is_finite())
    rates = pl.DataFrame({"month_end": accounts.months, "rf": risk_free}).with_columns(
        pl.col("rf").fill_nan(None)
    )
    result: dict[str, dict[str, float | None]] = {name: {} for name in accounts.strategies}
    for number, metric, value in summary(counted, rates).iter_rows():
        result[accounts.strategies[int(number)]][metric] = value
    return result


def _months(data: WorkbookData) -> list[date]:
    """Months with a return of a strategy, or an own factor's up to the last of these."""
    returns, factors = data.returns["month_end"], data.factors.filter(pl.col("edition") == OWN)
    months = pl.concat([returns, factors["month_end"]]).unique().sort()
    return months.filter(months <= returns.max()).to_list()


def _rate(cost: Floats, traded: Floats) -> float:
    """Lowest cost per traded notional in any month; NaN without trades."""
    trades = traded > 0
    return (
        round(float((cost[trades] / traded[trades]).min()), _RATE_DECIMALS)
        if trades.any()
        else np.nan
    )


def _most_frequent(rates: Floats) -> float:
    """Return the value most of ``rates`` have, the lower one of two; 0 without any."""
    values, counts = np.unique(rates[~np.isnan(rates)], return_counts=True)
    return float(values[np.argmax(counts)]) if values.size else 0.0


def _without_rounding(cost: Floats) -> Floats:
    return np.where(np.abs(cost) < _ROUNDING, 0.0, cost)
