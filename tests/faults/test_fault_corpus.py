"""Each fault of the corpus is seen by the rule meant for it, and changes what it says and no more."""

from datetime import date

import polars as pl
import pytest

from factor_pipeline.months import add_months
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.rules import RULES
from tests.faults.corpus import CORPUS
from tests.faults.fault import Fault
from tests.faults.trial import Bench, Content, Trial

SUBJECT = {
    "prices": ("vendor_id", "date"),
    "fundamentals": ("vendor_id", "period_end"),
    "library": ("data_set", "date"),
    "membership": ("ticker", "start_date"),
    "benchmark": ("symbol", "date"),
    "etf": ("symbol", "date"),
    "macro": ("series", "date"),
    "listing": ("vendor_id", "valid_from"),
    "delisting": ("vendor_id", "date"),
}
_KEY = ("ticker", "month_end")
# Days compounded over a lost one give the month's return but for rounding.
ROUNDING = 1e-9


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("faults"))


def not_in(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return frame.join(other, on=frame.columns, how="anti", nulls_equal=True)


def differing(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([not_in(one, other), not_in(other, one)])


@pytest.mark.parametrize("fault", CORPUS, ids=[fault.name for fault in CORPUS])
def test_a_fault_is_seen_and_changes_nothing_beyond_what_is_said(bench: Bench, fault: Fault):
    trial = bench.trial(fault)
    expect_rejected(trial)
    expect_raw_rows(trial)
    expect_panel(trial)
    expect_earlier_months(trial)
    expect_flagged(trial)


def expect_rejected(trial: Trial) -> None:
    fault, injected = trial.fault, trial.injected
    new = not_in(trial.faulty.quarantine, trial.clean.quarantine)
    rejected = fault.by in {"quarantine", "refusal"}
    assert set(new["rule"]) == ({fault.rule} if rejected else set())
    assert new.height == 1 if injected.lines is None else tuple(new["row"].sort()) == injected.lines
    assert (trial.refusal is not None) == (fault.by == "refusal")
    if trial.refusal:
        assert "max_bad_file_share" in trial.refusal
    if injected.lines is None:
        changed = not_in(trial.faulty.log, trial.clean.log)
        assert changed["file"].to_list() == [injected.subject]
        assert changed["status"].to_list() == ["stale"]


def expect_flagged(trial: Trial) -> None:
    fault, injected = trial.fault, trial.injected
    key = ["rule", "subject", "fault_date"]
    before, after = trial.clean.flags.select(key), trial.faulty.flags.select(key)
    new, gone = not_in(after, before), not_in(before, after)
    assert bool(injected.flagged) == (fault.by == "flag")
    if injected.flagged:
        found = new.filter(pl.col("rule") == fault.rule)
        assert tuple(found["fault_date"].sort()) == injected.flagged
        if injected.called:
            assert found["subject"].str.starts_with(injected.called).all()
        else:
            assert set(found["subject"]) == {injected.subject}
    others = set(new["rule"]) | set(gone["rule"])
    assert others - {fault.rule} == fault.also & RULES.keys()


def expect_raw_rows(trial: Trial) -> None:
    subject, day = SUBJECT[trial.fault.data_set]
    rows = differing(trial.clean.raw, trial.faulty.raw)
    assert set(rows[day]) == trial.injected.days
    if trial.injected.subject:
        assert set(rows[subject]) <= {trial.injected.subject}


def expect_panel(trial: Trial) -> None:
    """Panel rows differ in the columns, the months and the stock that the fault names alone."""
    fault, months = trial.fault, trial.injected.months
    before, after = panel(trial.clean), panel(trial.faulty)
    came, went = differences_of_keys(after, before), differences_of_keys(before, after)
    assert (came.height > 0, went.height > 0) == (fault.adds, fault.drops)
    columns: set[str] = set()
    altered = [came, went]
    for name in before.columns:
        if name in {*_KEY, "flags"}:
            continue
        changed = altered_cells(before, after, name, within=months)
        if not changed.is_empty():
            columns.add(name)
            altered.append(changed.select(_KEY))
            if name in fault.nulls:
                assert changed["after"].null_count() == changed.height, name
    assert columns == fault.nulls | fault.alters
    where = pl.concat(altered)
    if trial.injected.subject:
        assert set(where["ticker"]) <= {trial.injected.subject}
    if months or not where.is_empty():
        assert (where["month_end"].min(), where["month_end"].max()) == months


def panel(content: Content) -> pl.DataFrame:
    return content.tables[SECURITY_MONTH.qualified_name]


def differences_of_keys(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return frame.select(_KEY).join(other, on=_KEY, how="anti")


def altered_cells(
    before: pl.DataFrame, after: pl.DataFrame, name: str, *, within: tuple[date, date] | None
) -> pl.DataFrame:
    """Cells of a column that differ: outside of the declared months in any bit."""
    both = before.select(*_KEY, before=name).join(
        after.select(*_KEY, after=name), on=_KEY, nulls_equal=True
    )
    differs = pl.col("before").ne_missing(pl.col("after"))
    if before.schema[name] == pl.Float64 and within:
        close = (pl.col("after") - pl.col("before")).abs() <= ROUNDING * pl.col("before").abs()
        inside = pl.col("month_end").is_between(*within)
        differs &= ~(inside & close.fill_null(value=False))
    return both.filter(differs)


def expect_earlier_months(trial: Trial) -> None:
    """Months before the first changed day are the same bits, in every table of the build."""
    since = trial.report.changed_from
    for name, before in trial.clean.tables.items():
        if "month_end" not in before.columns:
            continue
        after = trial.faulty.tables[name]
        if since is None:
            assert after.equals(before), name
            continue
        earlier = pl.col("month_end") < add_months(since, 0)
        assert after.filter(earlier).equals(before.filter(earlier)), name
    if trial.injected.months and since:
        assert add_months(since, 0) <= trial.injected.months[0]


def test_names_of_faults_are_unique():
    names = [fault.name for fault in CORPUS]
    assert len(set(names)) == len(names)


def test_every_data_set_has_faults():
    assert {fault.data_set for fault in CORPUS} == set(DATA_SETS)
