"""The assets on betas, on a work file of sixty stocks: which month takes whose betas."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.assets.common import Run, TableAsset
from factor_pipeline.assets.exposures import ASSETS as RISK_ASSETS
from factor_pipeline.assets.exposures import beta_portfolio_return, exposure
from factor_pipeline.assets.strategy_exposures import ASSETS as STRATEGY_ASSETS
from factor_pipeline.assets.strategy_exposures import exposure as strategy_exposure
from factor_pipeline.assets.strategy_exposures import loading
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.backtest import BACKTEST_RETURN, HOLDING
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.risk import ROLLING_BETA
from factor_pipeline.settings import parse_settings
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.test_betas_in_the_warehouse import padded

STOCKS = 60
MONTHS = MonthRange.of_months(date(2000, 1, 1), date(2004, 12, 1))
ENDS = pl.date_range(MONTHS.start, MONTHS.end, "1mo", closed="left", eager=True).dt.month_end()
FIRST, SECOND, LAST = ENDS[0], ENDS[1], ENDS[-1]
CHANGED = ENDS[30]

# Means of a dozen numbers, added up in another order.
ROUNDING = 1e-14


def betas() -> pl.DataFrame:
    """Betas that are drawn anew each month, so that a month's are no other month's."""
    rng = np.random.default_rng(11)
    rows = len(ENDS) * STOCKS
    drawn = {f"beta_{name}": rng.normal(0.5, 1, rows) for name in ("mkt", "smb", "hml")}
    ff3 = pl.DataFrame(drawn).with_columns(
        security_id=pl.Series(np.tile(np.arange(STOCKS), len(ENDS))),
        month_end=ENDS.gather(np.repeat(np.arange(len(ENDS)), STOCKS)),
        model=pl.lit("FF3"),
    )
    capm = ff3.with_columns(pl.lit("CAPM").alias("model"), -pl.col("beta_mkt"))
    return padded(ROLLING_BETA, pl.concat([ff3, capm])).select(ROLLING_BETA.column_names)


def stock_months(known: pl.DataFrame) -> pl.DataFrame:
    """Returns that are a tenth of the beta_hml of the month before; stock 7 leaves in month 10."""
    ff3 = known.filter(pl.col("model") == "FF3").sort("security_id", "month_end")
    frame = ff3.select(
        "security_id",
        "month_end",
        ret=(pl.col("beta_hml") / 10).shift().over("security_id"),
        price=pl.lit(10.0),
        market_equity=(1e9 + pl.col("security_id")).cast(pl.Float64),
        index_member=pl.col("security_id") < STOCKS // 2,
        flags=pl.when(pl.col("security_id") == 7, pl.col("month_end") == ENDS[9]).then(
            pl.lit("partial_month,delisted")
        ),
    ).filter((pl.col("security_id") != 7) | (pl.col("month_end") <= ENDS[9]))
    return padded(SECURITY_MONTH, frame).with_columns(
        # A return of -300 % is none; all that matters here is that betas can be read from it.
        ret=pl.col("ret").clip(-1.0)
    )


def holdings() -> pl.DataFrame:
    """Stock 1 with 60 % and stock 2 with 40 % of the capital, in every month."""
    rows = pl.concat(
        pl.DataFrame({"month_end": ENDS}).with_columns(
            security_id=pl.lit(security, pl.Int64), weight=pl.lit(weight)
        )
        for security, weight in ((1, 0.6), (2, 0.4), (3, 0.0))
    ).with_columns(
        *(pl.lit(0.0).alias(name) for name in ("drifted_weight", "traded", "closing_weight")),
        strategy=pl.lit("value"),
        status=pl.lit("held"),
    )
    return padded(HOLDING, rows)


def filled(folder: Path, known: pl.DataFrame) -> Warehouse:
    store = Warehouse(folder / "warehouse.duckdb")
    store.prepare([SECURITY_MONTH, ROLLING_BETA, HOLDING, BACKTEST_RETURN, FACTOR_RETURN])
    store.replace(ROLLING_BETA, known)
    panel = stock_months(known)
    store.replace(SECURITY_MONTH, panel.select(SECURITY_MONTH.column_names))
    store.replace(HOLDING, holdings().select(HOLDING.column_names))
    rng = np.random.default_rng(5)
    market = {source: rng.normal(0.01, 0.04, len(ENDS)) for source in ("library", "own")}
    factors = [
        pl.DataFrame({"month_end": ENDS, "ret": values}).with_columns(
            factor=pl.lit(factor), source=pl.lit(source), vintage=pl.lit(vintage, pl.String)
        )
        for factor, source, vintage, values in (
            ("MKT", "library", "200412", market["library"]),
            ("RF", "library", "200412", np.full(len(ENDS), 0.002)),
            ("MKT", "own", None, market["own"]),
        )
    ]
    store.replace(FACTOR_RETURN, pl.concat(factors).select(FACTOR_RETURN.column_names))
    net = pl.DataFrame({"month_end": ENDS, "net": 0.002 + 0.5 * market["library"]})
    named = padded(BACKTEST_RETURN, net).with_columns(strategy=pl.lit("value"))
    store.replace(BACKTEST_RETURN, named.select(BACKTEST_RETURN.column_names))
    return store


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    return filled(tmp_path_factory.mktemp("betas"), betas())


def built(store: Warehouse, asset: TableAsset, months=MONTHS, **sections) -> list[pl.DataFrame]:
    settings = parse_settings({"portfolios": {"breakpoints": "all"}} | sections, base=Path())
    frames = asset.build(Run(store, settings, months))
    return [conformed(t, f) for t, f in zip(asset.tables, frames, strict=True)]


def hml_of(known: pl.DataFrame, end: date) -> np.ndarray:
    rows = known.filter(pl.col("model") == "FF3", pl.col("month_end") == end)
    return rows.sort("security_id")["beta_hml"].to_numpy()


def test_quintiles_of_a_month_are_those_of_the_betas_of_the_month_before(warehouse):
    (frame,) = built(warehouse, beta_portfolio_return)
    ret = frame.filter(
        pl.col("month_end") == SECOND,
        pl.col("loading") == "beta_hml",
        pl.col("weighting") == "equal",
    )
    earned = dict(ret["cell", "ret"].rows())
    # Twelve stocks each; a return is a tenth of the beta it was sorted on.
    ranked = np.maximum(np.sort(hml_of(betas(), FIRST)) / 10, -1)
    assert earned["Q1"] == pytest.approx(ranked[:12].mean(), abs=ROUNDING)
    assert earned["Q5"] == pytest.approx(ranked[-12:].mean(), abs=ROUNDING)
    assert earned["Q5-Q1"] == earned["Q5"] - earned["Q1"]
    # In the first month no betas are known yet.
    assert frame["month_end"].min() == SECOND


def test_a_change_of_betas_changes_the_ranks_of_its_month_and_the_returns_of_the_next(
    warehouse, tmp_path
):
    changed = filled(tmp_path, betas())
    other = betas().with_columns(
        pl.when(pl.col("month_end") == CHANGED)
        .then(-pl.col("beta_hml"))
        .otherwise("beta_hml")
        .alias("beta_hml")
    )
    changed.replace(ROLLING_BETA, other)
    seen = {}
    for name, asset in (
        ("ranks", exposure),
        ("returns", beta_portfolio_return),
        ("held", strategy_exposure),
    ):
        before, after = built(warehouse, asset)[0], built(changed, asset)[0]
        rows = before.join(after, on=before.columns, how="anti", nulls_equal=True)
        seen[name] = rows["month_end"].unique().to_list()
    assert seen == {"ranks": [CHANGED], "returns": [ENDS[31]], "held": [ENDS[31]]}


def test_a_stock_that_left_is_ranked_and_sorted_no_more(warehouse):
    ranked, picked = built(warehouse, exposure)
    last = ranked.filter(pl.col("security_id") == 7)["month_end"].max()
    assert last == ENDS[8]
    assert ranked.filter(pl.col("month_end") == ENDS[8])["stocks"].unique().to_list() == [STOCKS]
    assert ranked.filter(pl.col("month_end") == ENDS[9])["stocks"].unique().to_list() == [59]
    assert picked.filter(pl.col("security_id") == 7)["month_end"].max() <= ENDS[8]
    (frame,) = built(warehouse, beta_portfolio_return)
    members = frame.filter(pl.col("cell") != "Q5-Q1", pl.col("weighting") == "equal")
    counts = dict(
        members.filter(pl.col("loading") == "beta_mkt")
        .group_by("month_end")
        .agg(pl.col("stocks").sum() + pl.col("missing").sum())
        .rows()
    )
    assert (counts[ENDS[9]], counts[ENDS[10]]) == (STOCKS, 59)


def test_holdings_take_the_betas_of_the_month_before(warehouse):
    (frame,) = built(warehouse, strategy_exposure)
    first, second = frame.sort("month_end")[:2].iter_rows(named=True)
    assert (first["beta_hml"], first["covered"], first["holdings"]) == (None, 0.0, 2)
    hml = hml_of(betas(), FIRST)
    assert second["beta_hml"] == pytest.approx(0.6 * hml[1] + 0.4 * hml[2], abs=ROUNDING)
    assert second["covered"] == 1.0


@pytest.mark.parametrize(
    "asset",
    [asset for asset in (*RISK_ASSETS, *STRATEGY_ASSETS) if asset.monthly],
    ids=lambda asset: asset.tables[0].qualified_name,
)
def test_months_built_one_by_one_equal_the_range_bit_for_bit(warehouse, asset):
    some = ENDS[20:32].to_list()
    whole = built(warehouse, asset, MonthRange.of_months(some[0], some[-1]))
    single = [built(warehouse, asset, MonthRange.of_months(end, end)) for end in some]
    for i, table in enumerate(asset.tables):
        parts = pl.concat(frames[i] for frames in single).sort(table.key)
        assert_frame_equal(whole[i].sort(table.key), parts, check_exact=True)
        assert parts["month_end"].n_unique() == 12


def test_history_cut_short_gives_the_same_rows_up_to_the_cut(warehouse, tmp_path):
    shorter = filled(tmp_path, betas().filter(pl.col("month_end") <= CHANGED))
    until = MonthRange.of_months(MONTHS.start, CHANGED)
    for asset in (exposure, beta_portfolio_return):
        for full, cut in zip(built(warehouse, asset), built(shorter, asset, until), strict=True):
            kept = full.filter(pl.col("month_end") <= CHANGED)
            assert_frame_equal(kept, cut, check_exact=True)


def test_the_universe_of_portfolios_can_be_the_index(warehouse):
    (frame,) = built(
        warehouse, beta_portfolio_return, portfolios={"breakpoints": "all", "universe": "index"}
    )
    cells = frame.filter(
        pl.col("month_end") == SECOND,
        pl.col("loading") == "beta_mkt",
        pl.col("weighting") == "equal",
        pl.col("cell") != "Q5-Q1",
    )
    assert cells["stocks"].sum() == STOCKS // 2


def test_another_model_is_a_setting(warehouse):
    capm = {"models": ["CAPM", "FF3"], "exposure_model": "CAPM"}
    ranked, picked = built(warehouse, exposure, betas=capm)
    ff3_ranked, ff3_picked = built(warehouse, exposure)
    assert ranked["model"].unique().to_list() == ["CAPM"]
    # Betas of CAPM are those of FF3 with the other sign: the highest is the lowest.
    reverse = ff3_ranked["stocks"] - ff3_ranked["rank_mkt"] + 1
    assert ranked["rank_mkt"].equals(reverse.alias("rank_mkt"))
    assert_frame_equal(picked, ff3_picked)
    mine = {"name": "mine", "model": "CAPM", "above": {"beta_mkt": 0}, "rank_by": ["beta_mkt"]}
    (_, both) = built(warehouse, exposure, tilts=[mine], betas={"models": ["CAPM", "FF3"]})
    negative = betas().filter(pl.col("model") == "FF3", pl.col("beta_mkt") < 0)
    in_second = pl.col("month_end") == SECOND
    assert both.filter(in_second).height == negative.filter(in_second).height > 0
    assert set(both["tilt"]) == {"mine"}


@pytest.mark.parametrize(("source", "exact"), [("library", True), ("own", False)])
def test_strategies_are_regressed_on_the_factors_betas_are_of(warehouse, source, exact):
    chosen = {"models": ["CAPM"], "exposure_model": "CAPM", "factors": source}
    (frame,) = built(warehouse, loading, betas=chosen)
    (row,) = frame.filter(pl.col("coefficient") == "beta_mkt").to_dicts()
    assert row["months"] == len(ENDS)
    assert (abs(row["estimate"] - 0.5) < ROUNDING) == exact
    assert (row["t"] is None) == exact
