"""Of clean markets the rules flag what is odd in them, rarely, and nothing as an error."""

from collections import Counter

import polars as pl
import pytest

from factor_pipeline.checks.suites import error_suite
from factor_pipeline.checks.validation import validate
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.quality import QUARANTINE
from factor_pipeline.settings import Settings, parse_settings
from factor_pipeline.sources.simulated import SimulationParameters
from factor_pipeline.warehouse.store import Warehouse
from tests.faults.clean import BOUNDS, FILE_SEEDS, SEEDS, STOCKS, YEARS
from tests.faults.trial import CHOICES, filled_assets, new_warehouse, settings_for
from tests.faults.vendor import Vendor

# Raised once, when Great Expectations is imported.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")


def embedded(seed, folder) -> Settings:
    market = {"stocks": STOCKS, "years": YEARS, "seed": seed}
    return parse_settings({"simulation": market, **CHOICES}, base=folder)


def in_files(seed, folder) -> Settings:
    parameters = SimulationParameters(stocks=STOCKS, years=YEARS, seed=seed)
    return settings_for(Vendor.written(folder / "files", parameters).paths, folder)


def broken_rules(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Rules whose failure stops a build, of all tables that were filled."""
    broken = []
    for table in dict.fromkeys(t for asset in filled_assets(whole=False) for t in asset.tables):
        known = {
            reference.column: warehouse.read(
                f"select distinct {reference.column} from {reference.table}"  # noqa: S608
            )[reference.column].to_list()
            for reference in table.references
        }
        rows = warehouse.table(table).with_columns(pl.col(pl.String).cast(pl.Categorical))
        outcomes = validate(table, rows, error_suite(table, known=known, months=None))
        broken += [(table.qualified_name, o.rule) for o in outcomes if not o.passed]
    return broken


@pytest.mark.parametrize(
    ("settings_of", "seeds", "bounds"),
    [
        (embedded, SEEDS, {rule: bound.embedded for rule, bound in BOUNDS.items()}),
        (in_files, FILE_SEEDS, {rule: bound.files for rule, bound in BOUNDS.items()}),
    ],
)
def test_clean_markets_have_no_errors_and_few_flags(settings_of, seeds, bounds, tmp_path):
    flags, stock_months = Counter(), 0
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        warehouse = new_warehouse(settings_of(seed, folder), folder)
        with warehouse.held() as held:
            assert held.table(QUARANTINE).is_empty()
            found = held.table(FLAG)
            assert not (found["severity"] == "error").any()
            flags += Counter(found["rule"])
            stock_months += held.table(SECURITY_MONTH).height
            if seed == seeds[0]:
                assert broken_rules(held) == []
    assert set(flags) == {rule for rule, bound in bounds.items() if bound}
    too_many = {
        rule: count for rule, count in flags.items() if 1000 * count > bounds[rule] * stock_months
    }
    assert too_many == {}, f"of {stock_months} stock-months"
