"""The beta asset and its checks on a work file of a few stocks."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.assets.common import Run
from factor_pipeline.assets.risk import rolling_beta, with_factors_of
from factor_pipeline.checks import betas as checks
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.compute.betas.shrinkage import with_shrunk_market_betas
from factor_pipeline.errors import SettingsError
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.risk import ROLLING_BETA
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import Settings, parse_settings
from factor_pipeline.warehouse.store import Warehouse

MONTHS = MonthRange.of_months(date(2000, 1, 1), date(2006, 12, 1))
LATER = MonthRange.of_months(date(2006, 6, 1), date(2006, 12, 1))
ENDS = pl.date_range(MONTHS.start, MONTHS.end, "1mo", closed="left", eager=True).dt.month_end()
STOCKS = 120
SERIES = {
    "MKT": "mkt",
    "SMB": "smb",
    "SMB_FF5": "smb_ff5",
    "HML": "hml",
    "UMD": "umd",
    "RMW": "rmw",
    "CMA": "cma",
    "RF": "rf",
}
_FILLED = {
    pl.String: "x",
    pl.Int64: 1,
    pl.Int32: 1,
    pl.Boolean: False,
    pl.Date: date(2000, 1, 31),
    pl.Datetime: datetime(2000, 1, 31),  # noqa: DTZ001 - the warehouse has UTC without saying so
}
OWN = tuple(name for name in SERIES if name != "RF")


def padded(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Complete ``frame`` with nulls, or anything where a value must be."""
    absent = [column for column in table.columns if column.name not in frame.columns]
    return frame.with_columns(
        pl.lit(None if c.nullable else _FILLED[c.dtype], dtype=c.dtype).alias(c.name)
        for c in absent
    )


def factor_rows(source: str, vintage: str | None, seed: int, names=tuple(SERIES)) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.concat(
        pl.DataFrame({"month_end": ENDS, "ret": 0.004 + 0.04 * rng.standard_normal(len(ENDS))})
        .with_columns(
            factor=pl.lit(name), source=pl.lit(source), vintage=pl.lit(vintage, pl.String)
        )
        .with_columns(ret=pl.lit(0.002) if name == "RF" else pl.col("ret"))
        for name in names
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Two library vintages, the newer one without momentum, own factors, 120 stocks of beta 1."""
    store = Warehouse(tmp_path / "warehouse.duckdb")
    store.prepare([SECURITY_MONTH, FACTOR_RETURN, ROLLING_BETA])
    complete = factor_rows("library", "200512", 1)
    newer = factor_rows("library", "200612", 2, tuple(n for n in SERIES if n != "UMD"))
    own = factor_rows("own", None, 3, OWN)
    store.replace(FACTOR_RETURN, pl.concat([complete, newer, own]))
    market = complete.filter(pl.col("factor") == "MKT")["ret"].to_numpy() + 0.002
    noise = np.random.default_rng(4).normal(0, 0.08, (STOCKS, len(ENDS)))
    panel = pl.concat(
        pl.DataFrame({"month_end": ENDS, "ret": market + noise[stock]}).with_columns(
            security_id=pl.lit(stock, pl.Int64), market_equity=pl.lit(1e9 + stock)
        )
        for stock in range(STOCKS)
    )
    store.replace(SECURITY_MONTH, padded(SECURITY_MONTH, panel))
    return store


def settings_of(**sections: object) -> Settings:
    return parse_settings(dict(sections), base=Path())


def built(warehouse: Warehouse, months: MonthRange, **sections: object) -> pl.DataFrame:
    (frame,) = rolling_beta.build(Run(warehouse, settings_of(**sections), months))
    return frame


def wide(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.pivot(on="factor", index="month_end", values="ret").rename(SERIES, strict=False)


def test_the_asset_gives_the_declared_columns_and_takes_all_factors_of_one_vintage(warehouse):
    frame = built(warehouse, LATER)
    assert set(frame.columns) == set(ROLLING_BETA.column_names)
    # The newer vintage has no momentum.
    complete = factor_rows("library", "200512", 1)
    panel = warehouse.table(SECURITY_MONTH)
    direct = rolling_betas(panel, wide(complete), LATER)
    assert_frame_equal(frame, with_shrunk_market_betas(direct), check_exact=True)
    assert frame["reason"].null_count() == frame.height == 4 * STOCKS * len(LATER)


def test_a_named_vintage_is_not_mixed_with_another(warehouse):
    newer = built(warehouse, LATER, library={"vintage": "200612"})
    counts = dict(newer.group_by("model").agg(pl.col("n").max()).iter_rows())
    assert counts == {"CAPM": 60, "FF3": 60, "Carhart": 0, "FF5": 60}
    older = built(warehouse, LATER, library={"vintage": "200512"})
    assert older["n"].min() == 60
    assert not older["beta_mkt"].equals(newer["beta_mkt"])


def test_months_built_one_by_one_equal_the_range_bit_for_bit(warehouse):
    parts = [
        built(warehouse, MonthRange.of_months(end, end))
        for end in ENDS.filter(LATER.start <= ENDS).to_list()
    ]
    order = ["model", "month_end", "security_id"]
    assert_frame_equal(pl.concat(parts).sort(order), built(warehouse, LATER), check_exact=True)


def test_own_factors_are_a_setting_with_the_librarys_risk_free_rate(warehouse):
    frame = built(warehouse, LATER, betas={"factors": "own"})
    risk_free = factor_rows("library", "200612", 2, ("RF",))
    own = factor_rows("own", None, 3, OWN)
    known = wide(pl.concat([own, risk_free]))
    direct = rolling_betas(warehouse.table(SECURITY_MONTH), known, LATER, models=MODELS)
    assert_frame_equal(frame, with_shrunk_market_betas(direct), check_exact=True)


def test_betas_wait_for_our_own_factors_only_when_they_are_made_from_them():
    own = settings_of(betas={"factors": "own", "models": ["FF3"]})
    default, waiting = (with_factors_of(rolling_beta, s) for s in (settings_of(), own))
    assert [u.asset for u in default.reads if u.table is FACTOR_RETURN] == ["library_factor"]
    assert [u.asset for u in waiting.reads if u.table is FACTOR_RETURN] == ["library_factor", None]


def test_settings_that_cannot_be_estimated_are_refused():
    with pytest.raises(SettingsError, match="min_months is more than window_months"):
        settings_of(betas={"window_months": 36, "min_months": 37})


def findings(warehouse: Warehouse) -> dict[str, tuple[bool, int]]:
    looks = {"agree": checks.agreement, "regular": checks.regularity, "market": checks.market_beta}
    found = {name: look(warehouse, settings_of(), LATER) for name, look in looks.items()}
    return {name: (finding.passed, finding.failing_rows) for name, finding in found.items()}


def test_checks_pass_on_what_the_asset_built_and_see_what_was_changed(warehouse):
    frame = built(warehouse, LATER)
    warehouse.replace_months(ROLLING_BETA, frame, LATER)
    assert findings(warehouse) == {"agree": (True, 0), "regular": (True, 0), "market": (True, 0)}
    # Off by a bit more than rounding; one more observation; higher betas; a reason.
    nudged = frame.with_columns(pl.col("se_mkt") + 2e-9)
    warehouse.replace_months(ROLLING_BETA, nudged, LATER)
    assert findings(warehouse)["agree"] == (False, checks.SAMPLE)
    warehouse.replace_months(ROLLING_BETA, frame.with_columns(pl.col("n") - 1), LATER)
    assert findings(warehouse)["agree"] == (False, checks.SAMPLE)
    warehouse.replace_months(ROLLING_BETA, frame.with_columns(pl.col("beta_mkt") * 1.2), LATER)
    assert findings(warehouse)["market"] == (False, len(LATER))
    reason = pl.when(pl.col("security_id") == 0).then(pl.lit("collinear_factors"))
    warehouse.replace_months(ROLLING_BETA, frame.with_columns(reason=reason), LATER)
    assert findings(warehouse)["regular"] == (False, 4 * len(LATER))
