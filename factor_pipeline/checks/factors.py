"""Check of our own factors: each is there, or it is said why not."""

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import markdown
from factor_pipeline.checks.results import Finding, run_check
from factor_pipeline.compute.betting_against_beta import BAB
from factor_pipeline.compute.factors import FORMULAS
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.settings import PortfolioSettings, Settings
from factor_pipeline.warehouse.store import Warehouse

OWN_FACTORS = (*(formula.factor for formula in FORMULAS), BAB)


def factor_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [
        run_check(
            FACTOR_RETURN,
            "own_factors_are_there",
            "warn",
            f"Each of {', '.join(OWN_FACTORS)} has returns.",
            own_factors,
        )
    ]


def own_factors(warehouse: Warehouse, settings: Settings, _: MonthRange) -> Finding:
    """Count the months of each own factor; where there are none, say which signal is missing."""
    months = dict(
        warehouse.read(
            "select factor, count(*) as months from factor.factor_return "
            "where source = 'own' group by factor order by factor"
        ).iter_rows()
    )
    needed = _signals_of_factors(settings.portfolios)
    signals = sorted({signal for of_factor in needed.values() for signal in of_factor})
    counts = ", ".join(f"count({signal}) as {signal}" for signal in signals)
    known = warehouse.read(f"select {counts} from signal.characteristic").row(0, named=True)  # noqa: S608
    missing = {
        factor: [signal for signal in needed[factor] if not known[signal]]
        for factor in OWN_FACTORS
        if not months.get(factor)
    }
    otherwise = "too few stocks or no risk-free rate"
    reasons = [
        f"{factor} ({'no ' + ', '.join(absent) if absent else otherwise})"
        for factor, absent in missing.items()
    ]
    return Finding(
        passed=not missing,
        failing_rows=len(missing),
        observed=f"without a return in any month: {'; '.join(reasons)}"
        if reasons
        else f"{len(OWN_FACTORS)} factors, all with returns",
        metadata={
            "months": markdown(
                pl.DataFrame(
                    {"factor": OWN_FACTORS, "months": [months.get(f, 0) for f in OWN_FACTORS]}
                )
            )
        },
    )


def _signals_of_factors(settings: PortfolioSettings) -> dict[str, list[str]]:
    sorts = {sort.name: sort for sort in settings.all_sorts()}
    needed = {
        formula.factor: [
            dimension.signal
            for name in dict.fromkeys(leg.sort for leg in (*formula.long, *formula.short))
            for dimension in sorts[name].dimensions
        ]
        for formula in FORMULAS
    }
    return {factor: list(dict.fromkeys(signals)) for factor, signals in needed.items()} | {
        BAB: ["beta"]
    }
