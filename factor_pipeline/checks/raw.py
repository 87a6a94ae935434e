"""Checks of raw data sets: keys, rejected rows, restatements, age; one step for each data set."""

from functools import partial

import dagster as dg

from factor_pipeline.assets.common import markdown
from factor_pipeline.assets.raw import raw_key
from factor_pipeline.checks.freshness import freshness
from factor_pipeline.checks.restatements import restated_rows
from factor_pipeline.checks.results import Finding, Question, warehouse_checks
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

_SHOWN_ROWS = 20


def raw_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [warehouse_checks(raw_key(name), _questions(name, settings)) for name in DATA_SETS]


def _questions(data_set: str, settings: Settings) -> list[Question]:
    share = settings.quality.max_changed_share
    return [
        Question(
            "grain",
            "error",
            f"One row per ({', '.join(DATA_SETS[data_set].key)}).",
            partial(raw_grain, data_set=data_set),
        ),
        Question(
            "quarantine_is_empty",
            "warn",
            "Every file and row was usable.",
            partial(quarantined, data_set=data_set),
        ),
        Question(
            "few_rows_restated",
            "warn",
            f"New versions of files change at most {100 * share:g} % of the rows known before.",
            partial(restated_rows, data_set=data_set, max_share=share),
        ),
        Question(
            "is_up_to_date",
            "warn",
            "The source delivered all its files, and the newest day is within "
            "quality.max_age_days.",
            partial(freshness, data_set=data_set),
        ),
    ]


def raw_grain(warehouse: Warehouse, data_set: str) -> Finding:
    """Look for keys that the raw table of ``data_set`` has twice."""
    table = DATA_SETS[data_set]
    name, key = table.qualified_name, ", ".join(table.key)
    # As many different hashes as rows: no key is there twice. Five times as fast as grouping.
    alike = f"select count(*) - count(distinct hash({key})) from {name}"  # noqa: S608
    grouped = (
        f"select {key}, count(*) as copies, min(file) as first_file, max(file) as last_file "  # noqa: S608
        f"from {name} group by {key} having count(*) > 1 order by {key} limit {_SHOWN_ROWS}"
    )
    repeated = warehouse.read(grouped) if warehouse.read(alike).item() else table.empty()
    return Finding(
        passed=repeated.is_empty(),
        failing_rows=repeated.height,
        observed=f"{repeated.height} repeated keys ({key})",
        metadata={"repeated": markdown(repeated)},
    )


def quarantined(warehouse: Warehouse, data_set: str) -> Finding:
    """Show what of ``data_set`` did not enter its raw table."""
    rows = warehouse.read(
        'select file, "row", rule, reason, value from quality.quarantine '
        'where data_set = $data_set order by file, "row"',
        data_set=data_set,
    )
    return Finding(
        passed=rows.is_empty(),
        failing_rows=rows.height,
        observed=f"{rows.height} entries in quarantine",
        metadata={"quarantine": markdown(rows.head(_SHOWN_ROWS))},
    )
