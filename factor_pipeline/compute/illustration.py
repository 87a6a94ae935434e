"""A widely quoted illustration of factor investing beside what the data say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import polars as pl

from factor_pipeline.compute.performance import summary
from factor_pipeline.compute.strategies import BENCHMARK

ILLUSTRATION_SCHEMA = pl.Schema(
    {
        "subject": pl.String(),
        "metric": pl.String(),
        "quoted": pl.Float64(),
        "ours": pl.Float64(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "explanation": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Quote:
    """What the illustration says of one subject: decimals, and a ratio."""

    annual_return: float
    volatility: float
    max_drawdown: float
    ratio: float

    def of(self, metric: str) -> float:
        """Return the figure ``metric`` of the summary is compared with."""
        figures = {
            "cagr": self.annual_return,
            "volatility": self.volatility,
            "max_drawdown": self.max_drawdown,
            "max_drawdown_daily": self.max_drawdown,
            "return_to_risk": self.ratio,
        }
        return figures[metric]


_BENCHMARK_QUOTE = Quote(0.075, 0.150, -0.568, 0.50)
_VALUE_QUOTE = Quote(0.082, 0.148, -0.501, 0.55)
_MOMENTUM_QUOTE = Quote(0.105, 0.172, -0.453, 0.61)
_COMBINED_QUOTE = Quote(0.123, 0.139, -0.406, 0.88)

STRATEGY_QUOTES: Mapping[str, Quote] = MappingProxyType(
    {
        BENCHMARK: _BENCHMARK_QUOTE,
        "value": _VALUE_QUOTE,
        "momentum": _MOMENTUM_QUOTE,
        "value_momentum": _COMBINED_QUOTE,
    }
)
FACTOR_QUOTES: Mapping[str, Quote] = MappingProxyType(
    {"hml": _VALUE_QUOTE, "umd": _MOMENTUM_QUOTE, "hml_umd": _COMBINED_QUOTE}
)

_MONTHLY = ("cagr", "volatility", "max_drawdown", "return_to_risk")
_METRICS = ("cagr", "volatility", "max_drawdown", "max_drawdown_daily", "return_to_risk")

_RATIO = (
    "Quoted as a Sharpe ratio, but it is the quoted return over the quoted volatility, without a "
    "risk-free rate; ours is return_to_risk, 12 x mean / volatility. The Sharpe ratio proper is in "
    "backtest.summary."
)
_OF_BENCHMARK: Mapping[str, str] = MappingProxyType(
    {
        "cagr": "The quote names neither its years nor whether dividends are in it; ours is the "
        "compound total return of the benchmark over the window.",
        "volatility": "Both from returns of a benchmark; ours is monthly, annualised by sqrt(12).",
        "max_drawdown": "The quote is the fall of daily closes of the S&P 500 price index from "
        "2007-10-09 to 2009-03-09; ours is that of month-end values with dividends.",
        "max_drawdown_daily": "The quote is the fall of daily closes of the S&P 500 price index "
        "from 2007-10-09 to 2009-03-09; ours has dividends and covers the window.",
        "return_to_risk": _RATIO,
    }
)
_OF_STRATEGY: Mapping[str, str] = MappingProxyType(
    {
        "cagr": "The quote names neither its years nor its costs and calls a long-only portfolio "
        "by the name of a long-short factor; ours is compound, net of costs, of the universe on "
        "the formation date.",
        "volatility": "The quote lies near the market's, as of a long-only portfolio; ours is of "
        "monthly net returns, annualised by sqrt(12).",
        "max_drawdown": "The quote does not say daily or monthly; ours is of month-end values.",
        "max_drawdown_daily": "The quote does not say daily or monthly; ours is of daily values of "
        "holdings that drift within the month.",
        "return_to_risk": _RATIO,
    }
)
_OF_FACTOR: Mapping[str, str] = MappingProxyType(
    {
        "cagr": "The quote is labelled with this factor, which is long one portfolio and short "
        "another, before costs, and earns no return on collateral; a long-only portfolio earns the "
        "market's return too.",
        "volatility": "A long-short factor has not the market's risk, as the quoted figure has; "
        "hml_umd is half of each, rebalanced monthly.",
        "max_drawdown": "Of month-end values of the long-short factor; the quoted fall is that of "
        "a portfolio that falls with the market.",
        "return_to_risk": "Quoted as a Sharpe ratio; for a long-short factor, which is an excess "
        "return, return over volatility is its Sharpe ratio.",
    }
)
_QUOTED_PEAK, _QUOTED_TROUGH = date(2007, 10, 31), date(2009, 3, 31)
_ABSENT = "There is no such series in the backtest."
_SIMULATED = "Simulated market: the figure says nothing about real stocks. "


def illustration(
    returns: pl.DataFrame,
    daily: pl.DataFrame,
    factors: pl.DataFrame,
    *,
    simulated: bool,
) -> pl.DataFrame:
    """Compare the quoted figures with those of the longest window all series have.

    Parameters
    ----------
    returns
        Unique ``strategy``, ``month_end`` with ``gross``, ``net``, ``turnover`` (decimals).
    daily
        As from `daily_values.daily_values`.
    factors
        Unique ``month_end``, ``factor`` with ``ret`` (decimal); HML and UMD count.
    simulated
        Whether the data are a simulated market, which the explanation then says.

    Returns
    -------
    pl.DataFrame
        ``subject`` (a strategy, or a factor: hml, umd, hml_umd), ``metric`` (of the summary),
        ``quoted``, ``ours`` (null where there is no such series or fewer than 12 months),
        ``first_month``, ``last_month`` (window, month ends), ``explanation``. Factors have a window
        of their own: months of the strategies' window the library has.
    """
    subjects = [name for name in STRATEGY_QUOTES if name in set(returns["strategy"])]
    own = _common(returns.filter(pl.col("net").is_not_null()), subjects)
    in_window = daily.join(own.select("strategy", "month_end"), on=["strategy", "month_end"])
    library = _as_strategies(factors, own)
    note = _SIMULATED if simulated else ""
    return pl.concat(
        [
            _rows(STRATEGY_QUOTES, _METRICS, own, in_window, note),
            _rows(FACTOR_QUOTES, _MONTHLY, library, None, note),
        ]
    )


def _common(returns: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Rows of the strategies in the months that all of them have."""
    mine = returns.filter(pl.col("strategy").is_in(names)).select(
        "strategy", "month_end", "gross", "net", "turnover"
    )
    return mine.filter(pl.len().over("month_end") == len(names)).sort("strategy", "month_end")


def _as_strategies(factors: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """HML, UMD and half of each in the form of strategies, without costs."""
    months = own.select(pl.col("month_end").unique())
    wide = {
        name: factors.filter(pl.col("factor") == name.upper(), pl.col("ret").is_not_null()).select(
            "month_end", pl.col("ret").alias(name)
        )
        for name in ("hml", "umd")
    }
    both = wide["hml"].join(wide["umd"], on="month_end")
    if not months.is_empty():
        both = both.join(months, on="month_end")
    halves = both.with_columns(hml_umd=pl.col("hml") * 0.5 + pl.col("umd") * 0.5)
    long = halves.unpivot(index="month_end", variable_name="strategy", value_name="net")
    return long.select("strategy", "month_end", gross="net", net="net", turnover=pl.lit(0.0)).sort(
        "strategy", "month_end"
    )


def _rows(
    quotes: Mapping[str, Quote],
    metrics: Sequence[str],
    returns: pl.DataFrame,
    daily: pl.DataFrame | None,
    note: str,
) -> pl.DataFrame:
    figures = {
        (name, metric): value for name, metric, value in summary(returns, daily=daily).iter_rows()
    }
    ends = returns["month_end"].unique().sort().to_list()
    window = (ends[0], ends[-1]) if ends else (date.min, date.min)
    present = set(returns["strategy"])
    rows = [
        (
            subject,
            metric,
            quote.of(metric),
            figures.get((subject, metric)),
            *(window if subject in present else (None, None)),
            note + _explained(subject, metric, window) if subject in present else _ABSENT,
        )
        for subject, quote in quotes.items()
        for metric in metrics
    ]
    return pl.DataFrame(rows, schema=ILLUSTRATION_SCHEMA, orient="row")


def _explained(subject: str, metric: str, window: tuple[date, date]) -> str:
    if subject in FACTOR_QUOTES:
        return _OF_FACTOR[metric]
    if subject != BENCHMARK:
        return _OF_STRATEGY[metric]
    first, last = window
    covers = first <= _QUOTED_PEAK and last >= _QUOTED_TROUGH
    outside = "" if covers or "drawdown" not in metric else " That fall lies outside the window."
    return _OF_BENCHMARK[metric] + outside
