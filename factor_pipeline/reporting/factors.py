"""Sections on factors: ours, the library's, their statistics and regimes."""

from collections.abc import Sequence

import polars as pl

from factor_pipeline.reporting import formats, tables
from factor_pipeline.reporting.blocks import Block, Cell, Chart, Group, Part, Section, Table
from factor_pipeline.reporting.charts import Bar, Line, Scale, bar_chart, from_one, line_chart
from factor_pipeline.reporting.performance import legend_of
from factor_pipeline.reporting.published import Published

_FACTORS = ("MKT", "SMB", "SMB_FF5", "HML", "RMW", "CMA", "UMD", "UMD_EW")
_REGIMES = ("expansion", "late cycle", "recession", "recovery")
_CORRELATION_STEPS = (0.1, 0.3, 0.5, 0.7)
_LOADING_STEPS = (0.1, 0.3, 0.6, 1.0)
_T_NOTABLE = 1.96
_NOTABLE, _FAINT = "s1", "muted"


def _comparison(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Own factor", "factor"),
        tables.name("Library factor", "library_factor"),
        tables.name("Vintage", "vintage"),
        tables.window(),
        tables.count("Months", "months"),
        tables.number("Correlation", "correlation", 3),
        tables.number("Slope", "slope"),
        tables.number("R²", "r2"),
        tables.percent("Own − library p.a.", "annual_difference"),
    ]
    frame = published.rows("factor_comparison")
    return [tables.table("Own factors against the library", frame, fields)]


def growth_chart(factor: str, rows: pl.DataFrame, *, legend: bool = False) -> Chart:
    """Growth of 1 in our factor and in the library's.

    Parameters
    ----------
    factor
        Our factor.
    rows
        ``month_end``, ``vintage``, ``library_factor``, ``own_growth``, ``library_growth`` of one
        vintage, ascending.
    legend
        Whether the chart has a legend of its own.
    """
    library = f"library {rows['library_factor'][0]}, {rows['vintage'][0]}"
    lines = [Line("own", 1, rows["own_growth"]), Line(library, 2, rows["library_growth"])]
    window = formats.window(rows["month_end"][0], rows["month_end"][-1])
    scale = Scale("Growth of 1 (log)", ".2f", log=True)
    return Chart(
        name=f"chart-factor-{factor}",
        title=f"{factor}, {window}",
        alt=f"Lines: growth of 1 in our {factor} and in {library}, {window}.",
        spec=line_chart(*from_one(rows["month_end"], lines), scale, height=180, legend=legend),
        keys=legend_of(lines),
    )


def _growth(published: Published) -> Sequence[Block]:
    frame = published.rows("factor_growth")
    charts = []
    for factor in tables.in_order(frame["factor"], _FACTORS):
        rows = frame.filter(pl.col("factor") == factor)
        charts.append(
            growth_chart(factor, rows.filter(pl.col("vintage") == published.vintage(rows)))
        )
    return [Group(charts, narrow=True)]


def _statistics(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Factor", "factor"),
        tables.Field("Source", _source, numeric=False),
        tables.window(),
        tables.percent("Mean p.a.", "annual_return"),
        tables.percent("Volatility", "volatility"),
        tables.number("Sharpe", "sharpe"),
        tables.number("t", "t_newey_west", 1),
        tables.percent("Drawdown", "max_drawdown"),
        tables.number("p adjusted", "p_adjusted", 3),
        tables.name("Verdict", "verdict"),
    ]
    note = (
        "t is Newey-West's; p is adjusted for the number of factors tested (Benjamini and "
        "Hochberg). Factors are differences of returns: the Sharpe ratio subtracts no rate. "
        "Other vintages are in factor.statistics."
    )
    frame = published.rows("factor_statistics")
    is_shown = (pl.col("source") == "own") | pl.col("vintage").eq_missing(published.vintage(frame))
    shown = frame.filter(is_shown)
    return [tables.table("Statistics of factors, all months", shown, fields, note=note)]


def _source(row: tables.Row) -> str:
    if row["source"] == "own":
        return "own"
    return f"library {row['vintage']}" if row["vintage"] else "library"


def _correlations(published: Published) -> Sequence[Block]:
    frame = published.rows("factor_correlation")
    library = frame.filter(pl.col("source") == "library")
    groups = {"own": frame.filter(pl.col("source") == "own")}
    vintage = published.vintage(library)
    groups[f"library {vintage}"] = library.filter(pl.col("vintage").eq_missing(vintage))
    return [Group([_correlation(title, rows) for title, rows in groups.items() if rows.height])]


def _correlation(title: str, rows: pl.DataFrame) -> Table:
    cells = {}
    for row in rows.iter_rows(named=True):
        cell = Cell(
            formats.number(row["correlation"]),
            tables.level(row["correlation"], _CORRELATION_STEPS),
            short=formats.number(row["correlation"], 1),
        )
        cells[row["factor_a"], row["factor_b"]] = cells[row["factor_b"], row["factor_a"]] = cell
    names = tables.in_order([*rows["factor_a"], *rows["factor_b"]], _FACTORS)
    cells |= {(one, one): Cell("1") for one in names}
    return tables.matrix(f"Correlations, {title}", tables.headings("", names), names, cells)


def _regimes(published: Published) -> Sequence[Block]:
    frame = published.rows("regime_performance")
    charts = []
    for factor in tables.in_order(frame["factor"], _FACTORS):
        rows = frame.filter(pl.col("factor") == factor)
        library = rows.filter(pl.col("source") == "library")
        shown = library.filter(pl.col("vintage").eq_missing(published.vintage(library)))
        charts.append(_regime_chart(factor, shown if shown.height else rows))
    return [Group(charts, narrow=True)]


def _regime_chart(factor: str, rows: pl.DataFrame) -> Chart:
    by_regime = {row["regime"]: row for row in rows.iter_rows(named=True)}
    found = [by_regime[one] for one in tables.in_order(by_regime, _REGIMES)]
    bars = [
        Bar(
            row["regime"],
            row["annual_mean"],
            _NOTABLE if abs(row["difference_t"] or 0.0) > _T_NOTABLE else _FAINT,
            {
                "t": formats.number(row["t"], 1),
                "t of the difference": formats.number(row["difference_t"], 1),
                "Months": formats.count(row["months"]),
            },
        )
        for row in found
    ]
    said = ", ".join(f"{row['regime']} {formats.percent(row['annual_mean'])}" for row in found)
    return Chart(
        name=f"chart-regime-{factor}",
        title=f"{factor}, {_source(found[0])}",
        alt=f"Bars: mean annual return of {factor} by regime: {said}.",
        spec=bar_chart(bars, Scale("Mean return p.a.", ".0%")),
        note=tables.window_of(rows),
    )


def _claims(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Regime", "regime"),
        tables.name("Said to", "effect"),
        tables.name("Exposure", "exposure"),
        tables.name("Factor", "factor"),
        tables.Field("Source", _source, numeric=False),
        tables.count("Months", "months"),
        tables.percent("Difference p.a.", "annual_difference"),
        tables.number("t", "difference_t", 1),
        tables.name("Verdict", "verdict"),
    ]
    frame = published.rows("regime_claim")
    return [tables.table("Common claims, and these data", frame, fields, fold=True)]


def _etf_loadings(published: Published) -> Sequence[Block]:
    frame = published.rows("etf_loading")
    return [
        Group(
            [
                _loadings(str(model), rows)
                for (model,), rows in frame.group_by("model", maintain_order=True)
            ]
        )
    ]


def _loadings(model: str, rows: pl.DataFrame) -> Table:
    cells = {}
    for row in rows.iter_rows(named=True):
        sign = "" if abs(row["t"] or 0.0) > _T_NOTABLE else "°"
        cells[row["ticker"], row["factor"]] = Cell(
            f"{formats.number(row['beta'])}{sign}", tables.level(row["beta"], _LOADING_STEPS)
        )
        cells[row["ticker"], "R²"] = Cell(formats.number(row["r2"]))
    factors = tables.in_order(rows["factor"], _FACTORS)
    for name, cell in tables.windows(rows, "ticker"):
        cells[name, tables.MONTHS] = cell
    return tables.matrix(
        f"{model}, vintage {_vintages(rows)}",
        tables.headings("Fund", [*factors, "R²", tables.MONTHS]),
        sorted(set(rows["ticker"])),
        cells,
        note="° |t| below 1.96 (Newey-West).",
    )


def _vintages(rows: pl.DataFrame) -> str:
    """All vintages of ``rows``, as text."""
    return ", ".join(rows["vintage"].drop_nulls().unique().sort().to_list()) or formats.MISSING


def _etf_checks(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Fund", "ticker"),
        tables.name("Promise", "promise"),
        tables.Field(
            "Loading",
            lambda row: f"{row['factor']} {row['relation']} {formats.number(row['level'], 1)}",
            numeric=False,
        ),
        tables.name("Model", "model"),
        tables.number("Estimate", "estimate"),
        tables.number("t", "t", 1),
        tables.count("Months", "months"),
        tables.name("Verdict", "verdict"),
    ]
    frame = published.rows("etf_check")
    return [tables.table("Do funds load on what their names promise?", frame, fields)]


LIBRARY = Section(
    "library",
    "Own factors against the library",
    "Our factors are built from these stocks, the library's from all of CRSP: closeness is "
    "expected, equality is not. Charts show the library vintage of the settings.",
    (Part("growth of factors", _growth), Part("factor.comparison", _comparison)),
)
STATISTICS = Section(
    "statistics",
    "Factors",
    "What each factor paid, how sure that is, and how factors move together.",
    (Part("factor.statistics", _statistics), Part("factor.correlation", _correlations)),
)
REGIMES = Section(
    "regimes",
    "Regimes of the business cycle",
    "Mean return per year in each regime, as known afterwards. Blue bars differ from the other "
    "months with |t| above 1.96.",
    (Part("factor.regime_performance", _regimes), Part("factor.regime_claim", _claims)),
)
FUNDS = Section(
    "funds",
    "Exchange-traded funds",
    "Loadings of funds' monthly excess returns on the library's factors.",
    (Part("factor.etf_loading", _etf_loadings), Part("factor.etf_check", _etf_checks)),
)
