"""Tables of evidence: statistics of factors, signals and spreads, and tests of factor models."""

from collections.abc import Sequence

import polars as pl

from factor_pipeline.compute.betas.models import LOADINGS, MODELS
from factor_pipeline.compute.statistics.verdicts import NOT_SIGNIFICANT, SIGNIFICANT, TOO_FEW
from factor_pipeline.schemas.panel import MONTH_END
from factor_pipeline.schemas.table import Column, Table

_FACTOR = Column("factor", pl.String, "name", "Factor, as in factor.factor_return; RF is none.")
_SOURCE = Column("source", pl.String, "name", "Who computed it.", values=("own", "library"))
_VINTAGE = Column("vintage", pl.String, "YYYYMM", "Library vintage; NULL for own.", nullable=True)
_SORT = Column("sort", pl.String, "name", "Sort, as in portfolio.portfolio_return.")
_CELL = Column("cell", pl.String, "name", "Cell of it, or spread between two.")
_WEIGHTING = Column(
    "weighting",
    pl.String,
    "name",
    "How stocks are weighted in it.",
    values=("value", "equal", "capped"),
)
_MODEL = Column(
    "model", pl.String, "name", "Factor model.", values=tuple(model.name for model in MODELS)
)
_SIGNAL = Column("signal", pl.String, "name", "Column of signal.characteristic.")
_LAG = Column(
    "nw_lag", pl.Int64, "months", "Lags of t: floor(4 (T/100)^(2/9)).", nullable=True, minimum=0
)


def _number(
    name: str, unit: str, description: str, low: float | None = None, high: float | None = None
) -> Column:
    return Column(name, pl.Float64, unit, description, nullable=True, minimum=low, maximum=high)


def _date(name: str, description: str) -> Column:
    return Column(name, pl.Date, "date", description, nullable=True)


def _months(description: str) -> Column:
    return Column("months", pl.Int64, "count", description, minimum=0)


def _verdict(family: str) -> tuple[Column, ...]:
    return (
        _number("p_value", "decimal", "Two-sided p-value of t_newey_west (normal).", 0.0, 1.0),
        _number(
            "p_adjusted",
            "decimal",
            f"False-discovery rate at which it is a discovery among {family} (Benjamini and "
            "Hochberg 1995).",
            0.0,
            1.0,
        ),
        Column(
            "verdict",
            pl.String,
            "name",
            "significant: p_adjusted is at most 5 %.",
            values=(SIGNIFICANT, NOT_SIGNIFICANT, TOO_FEW),
        ),
    )


def _description(key: Sequence[Column], family: str) -> tuple[Column, ...]:
    """Columns of `compute.statistics.description.describe`."""
    return (
        *key,
        Column(
            "period", pl.String, "name", "full, first_half, second_half or a decade, e.g. 1990s."
        ),
        Column("first_month", pl.Date, "date", "First month with a return in it."),
        Column("last_month", pl.Date, "date", "Last month with a return in it."),
        _months("Months with a return; with fewer than 24 all statistics are NULL."),
        _number("mean", "decimal/month", "Mean return."),
        _number("t_iid", "ratio", "t of the mean, mean / (sd / sqrt(n))."),
        _number("t_newey_west", "ratio", "t of the mean, Newey-West with nw_lag lags."),
        _LAG,
        _number("annual_return", "decimal/year", "12 x mean."),
        _number("cagr", "decimal/year", "Compound return, prod(1 + r)^(12/n) - 1.", -1.0),
        _number("volatility", "decimal/year", "sd x sqrt(12), with n - 1.", 0.0),
        _number("sharpe", "ratio", "mean / sd x sqrt(12): self-financing, nothing to deduct."),
        _number("skewness", "ratio", "Third standardised moment (over n)."),
        _number("excess_kurtosis", "ratio", "Fourth standardised moment (over n) minus 3."),
        _number("autocorrelation", "ratio", "Correlation with the month before.", -1.0, 1.0),
        _number("hit_rate", "share", "Months above 0.", 0.0, 1.0),
        _number("best_month", "decimal", "Largest return."),
        _number("worst_month", "decimal", "Smallest return."),
        _number("max_drawdown", "decimal", "Deepest fall of the compounded returns.", None, 0.0),
        _date("drawdown_peak", "Last month-end at the high before it."),
        _date("drawdown_trough", "Month-end at the bottom of it."),
        _date("drawdown_recovery", "Month-end back at the high; NULL if not in the period."),
        *_verdict(family),
    )


INFORMATION_COEFFICIENT = Table(
    layer="signal",
    name="information_coefficient",
    description=(
        "Rank correlation (Spearman) of each signal, known before the month, with the returns of "
        "the month; known at its end."
    ),
    key=("signal", "month_end"),
    columns=(
        _SIGNAL,
        MONTH_END,
        _number("coefficient", "decimal", "Correlation; NULL below 10 stocks.", -1.0, 1.0),
        Column("stocks", pl.Int64, "count", "Stocks with the signal and a return.", minimum=1),
    ),
)

INFORMATION_SUMMARY = Table(
    layer="signal",
    name="information_summary",
    description="Mean information coefficient of each signal, and whether it is more than chance.",
    key=("signal",),
    columns=(
        _SIGNAL,
        _date("first_month", "First month with a coefficient."),
        _date("last_month", "Last month with a coefficient."),
        _months("Months with a coefficient; with fewer than 24 all statistics are NULL."),
        _number("average_stocks", "count", "Mean of the stocks in these months."),
        _number("mean", "decimal", "Mean coefficient.", -1.0, 1.0),
        _number("deviation", "decimal", "Standard deviation over months.", 0.0),
        _number("t_newey_west", "ratio", "t of the mean, Newey-West with nw_lag lags."),
        _LAG,
        _number("information_ratio", "ratio", "mean / deviation x sqrt(12)."),
        _number("share_positive", "share", "Months above 0.", 0.0, 1.0),
        *_verdict("all signals"),
    ),
)

SPREAD_STATISTICS = Table(
    layer="portfolio",
    name="spread_statistics",
    description=(
        "What the top-minus-bottom spread of each sort earned, over all months and parts of them. "
        "Spreads are self-financing."
    ),
    key=("sort", "weighting", "period"),
    columns=_description(
        (_SORT, _CELL, _WEIGHTING), "the spreads of the same weighting and period"
    ),
)

STATISTICS = Table(
    layer="factor",
    name="statistics",
    description=(
        "What each factor earned, over all months and parts of them. Factors are self-financing: "
        "excess returns, or long minus short."
    ),
    key=("source", "vintage", "factor", "period"),
    columns=_description(
        (_SOURCE, _VINTAGE, _FACTOR), "the factors of the same source, vintage and period"
    ),
)

CORRELATION = Table(
    layer="factor",
    name="correlation",
    description="Correlation of each pair of factors of one source and vintage.",
    key=("source", "vintage", "factor_a", "factor_b"),
    columns=(
        _SOURCE,
        _VINTAGE,
        Column("factor_a", pl.String, "name", "Factor that comes first in the alphabet."),
        Column("factor_b", pl.String, "name", "The other factor."),
        _date("first_month", "First month both have."),
        _date("last_month", "Last month both have."),
        _months("Months both have."),
        _number("correlation", "decimal", "NULL with fewer than 24 months.", -1.0, 1.0),
    ),
)

ROLLING_MEAN = Table(
    layer="factor",
    name="rolling_mean",
    description=(
        "Mean factor return of the 36 months that END with month_end, for windows without a "
        "missing month. Neighbours share 35 months: a smooth line is no evidence."
    ),
    key=("source", "vintage", "factor", "month_end"),
    columns=(
        _SOURCE,
        _VINTAGE,
        _FACTOR,
        MONTH_END,
        _number("mean", "decimal/month", "Mean return of the window."),
        _number("t_newey_west", "ratio", "t of it, Newey-West with nw_lag lags."),
        _LAG,
    ),
)

SPANNING = Table(
    layer="factor",
    name="spanning",
    description=(
        "Regressions of each factor on others of its source and vintage: alpha is what they do not "
        "explain. Full sample."
    ),
    key=("source", "vintage", "factor", "factor_set", "term"),
    columns=(
        _SOURCE,
        _VINTAGE,
        _FACTOR,
        Column(
            "factor_set", pl.String, "name", "Which others: a model's, or all but its versions."
        ),
        Column("term", pl.String, "name", "alpha, or the other factor."),
        _number("coefficient", "ratio", "Slope; of alpha the intercept, in decimal per month."),
        _number("t_newey_west", "ratio", "t of it, Newey-West with nw_lag lags."),
        _LAG,
        _number("r2", "decimal", "R-squared of the regression.", 0.0, 1.0),
        _months("Months all of them have; with fewer than 24 estimates are NULL."),
    ),
)

ALPHA = Table(
    layer="factor",
    name="alpha",
    description=(
        "Full-sample regressions of own portfolios (cells in excess of RF, spreads as they are) on "
        "the models of the library vintage in use."
    ),
    key=("sort", "weighting", "cell", "model"),
    columns=(
        _SORT,
        _WEIGHTING,
        _CELL,
        _MODEL,
        _number("alpha", "decimal/month", "Mean return the factors do not explain."),
        _number("t_alpha", "ratio", "t of alpha, Newey-West with nw_lag lags."),
        *(_number(f"beta_{name}", "ratio", f"Slope on {name}.") for name in LOADINGS),
        _number("r2", "decimal", "R-squared.", 0.0, 1.0),
        _LAG,
        _months("Months with all returns; with fewer than 24 estimates are NULL."),
    ),
)

GRS = Table(
    layer="factor",
    name="grs",
    description=(
        "Whether the alphas of all cells of a sort are zero together (Gibbons, Ross and Shanken "
        "1989), by model of the library vintage in use."
    ),
    key=("sort", "weighting", "model"),
    columns=(
        _SORT,
        _WEIGHTING,
        _MODEL,
        _number("statistic", "ratio", "F of the test.", 0.0),
        _number("p_value", "decimal", "Its p-value, N and T - N - K degrees.", 0.0, 1.0),
        Column("portfolios", pl.Int64, "count", "Cells, N.", minimum=2),
        _months("Months in which all have returns, T."),
        Column("factors", pl.Int64, "count", "Factors of the model, K.", minimum=1),
        _number("mean_absolute_alpha", "decimal/month", "Mean of the absolute alphas.", 0.0),
        _number("mean_r2", "decimal", "Mean R-squared of the cells.", None, 1.0),
    ),
)

FAMA_MACBETH = Table(
    layer="factor",
    name="fama_macbeth",
    description=(
        "Average slopes of monthly cross-sectional regressions (Fama and MacBeth 1973): of stocks "
        "on the ranks of signals known before, of the cells of a sort on full-sample betas."
    ),
    key=("assets", "weighting", "specification", "term"),
    columns=(
        Column("assets", pl.String, "name", "stocks, or the sort whose cells are regressed."),
        Column(
            "weighting",
            pl.String,
            "name",
            "Weighting of the cells; NULL for stocks.",
            nullable=True,
            values=("value", "equal", "capped"),
        ),
        Column("specification", pl.String, "name", "Signals, or factor model, regressed on."),
        Column("term", pl.String, "name", "intercept, signal or factor."),
        _number(
            "mean", "decimal/month", "Mean slope: highest minus lowest rank, or price of risk."
        ),
        _number("t_iid", "ratio", "t of the mean, mean / (sd / sqrt(n))."),
        _number("t_newey_west", "ratio", "t of the mean, Newey-West with nw_lag lags."),
        _LAG,
        _number("t_shanken", "ratio", "t for estimated betas (Shanken 1992); NULL of signals."),
        _months("Months with a regression; with fewer than 24 statistics are NULL."),
        _number("average_r2", "decimal", "Mean R-squared of the months.", None, 1.0),
        _number("average_assets", "count", "Mean number of stocks or cells."),
    ),
)
