"""Each fault is seen by the rule meant for it, and changes what the corpus says and no more."""

from datetime import date

import polars as pl

from factor_pipeline.months import add_months
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.rules import RULES
from tests.faults.fault import Injected
from tests.faults.trial import Content, Trial
from tests.faults.vendor import month_end

Row = tuple[str, date]
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


def not_in(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return frame.join(other, on=frame.columns, how="anti", nulls_equal=True)


def differing(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows that are in one alone, or more often than in the other."""
    counts = [frame.group_by(frame.columns).len() for frame in (one, other)]
    return pl.concat([not_in(*counts), not_in(*reversed(counts))])


def expect_what_is_said(trial: Trial) -> None:
    """Hold a trial against its fault."""
    expect_rejected(trial)
    expect_raw_rows(trial)
    expect_panel(trial)
    expect_panel_flags(trial)
    expect_library(trial)
    expect_earlier_months(trial)
    expect_flagged(trial)


def expect_rejected(trial: Trial) -> None:
    fault, injected = trial.fault, trial.injected
    new = not_in(trial.faulty.quarantine, trial.clean.quarantine)
    rejected = fault.by in {"quarantine", "outage"}
    assert set(new["rule"]) == ({fault.rule} if rejected else set())
    assert new.height == 1 if injected.lines is None else tuple(new["row"].sort()) == injected.lines
    assert bool(trial.report.outage) == (fault.by == "outage")
    if trial.report.outage:
        assert "max_bad_file_share" in trial.report.advice
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
        assert set(found["fault_date"]) == set(injected.flagged)
        if injected.called:
            assert found["subject"].str.starts_with(injected.called).all()
        elif injected.subject:
            assert set(found["subject"]) == {injected.subject}
    assert set(new["rule"]) - {fault.rule} == fault.also
    # A flag goes with its row, and else never.
    assert set(gone["fault_date"]) <= injected.days


def expect_raw_rows(trial: Trial) -> None:
    subject, day = SUBJECT[trial.fault.data_set]
    rows = differing(trial.clean.raw, trial.faulty.raw)
    assert set(rows[day]) == trial.injected.days
    if trial.injected.subject:
        assert set(rows[subject]) <= {trial.injected.subject}
    assert trial.failed_checks == ([trial.fault.rule] if trial.fault.by == "check" else [])
    if not trial.failed_checks:
        assert trial.faulty.raw.select(DATA_SETS[trial.fault.data_set].key).is_unique().all()


def expect_panel(trial: Trial) -> None:
    """Panel rows differ in the columns, the months and the stock that the fault names alone."""
    fault, injected, months = trial.fault, trial.injected, trial.injected.months
    before, after = panel(trial.clean), panel(trial.faulty)
    came, went = differences_of_keys(after, before), differences_of_keys(before, after)
    assert (came.height > 0, went.height > 0) == (fault.adds, fault.drops)
    columns: set[str] = set()
    altered = [came, went]
    for name in before.columns:
        if name in {*_KEY, "flags"}:
            continue
        changed = altered_cells(before, after, name, injected)
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


def expect_panel_flags(trial: Trial) -> None:
    """Panel rows show the flags that became known in their month, and change no other name."""
    before, after = names_in_panel(trial.clean), names_in_panel(trial.faulty)
    known_before, known_after = known_flags(trial.clean), known_flags(trial.faulty)
    rules = {name for name, rule in RULES.items() if rule.enters_panel}
    for row, names in after.items():
        assert names & rules == known_after.get(row, set()), row
        own = (names ^ before.get(row, set())) - rules
        if own:
            ticker, day = row
            first, last = trial.injected.months or (date.max, date.min)
            assert ticker == (trial.injected.subject or ticker), own
            assert first <= day <= last, own
    for row, names in before.items():
        assert names & rules == known_before.get(row, set()), row


def names_in_panel(content: Content) -> dict[Row, set[str]]:
    rows = panel(content).select(*_KEY, "flags").iter_rows()
    return {(ticker, day): set(flags.split(",") if flags else ()) for ticker, day, flags in rows}


def known_flags(content: Content) -> dict[Row, set[str]]:
    """Rules of ``quality.flag`` that enter the panel, by stock and month of the known day.

    What was known before a stock had a price is of no month of it.
    """
    rows: dict[Row, set[str]] = {}
    securities = content.tables[SECURITY.qualified_name]
    first = dict(securities.group_by("vendor_id").agg(pl.col("valid_from").min()).iter_rows())
    flags = content.flags.select("subject", "known_date", "rule")
    for subject, day, rule in flags.iter_rows():
        if RULES[rule].enters_panel and first.get(subject, date.max) <= day:
            rows.setdefault((subject, month_end(day)), set()).add(rule)
    return rows


def differences_of_keys(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return frame.select(_KEY).join(other, on=_KEY, how="anti")


def altered_cells(
    before: pl.DataFrame, after: pl.DataFrame, name: str, injected: Injected
) -> pl.DataFrame:
    """Cells of a column that differ: outside of the declared stock and months in any bit."""
    both = before.select(*_KEY, before=name).join(
        after.select(*_KEY, after=name), on=_KEY, nulls_equal=True
    )
    differs = pl.col("before").ne_missing(pl.col("after"))
    if before.schema[name] == pl.Float64 and injected.months:
        close = (pl.col("after") - pl.col("before")).abs() <= ROUNDING * pl.col("before").abs()
        inside = pl.col("month_end").is_between(*injected.months)
        if injected.subject:
            inside &= pl.col("ticker") == injected.subject
        differs &= ~(inside & close.fill_null(value=False))
    return both.filter(differs)


def expect_library(trial: Trial) -> None:
    """The library's factors differ in the months that the fault touched, and in its edition."""
    tables = trial.clean.tables, trial.faulty.tables
    clean, faulty = (
        t[FACTOR_RETURN.qualified_name].filter(pl.col("source") == "library") for t in tables
    )
    changed = differing(clean, faulty)
    touched = set(map(month_end, trial.injected.days)) if trial.fault.data_set == "library" else ()
    assert set(changed["month_end"]) <= set(touched)
    assert changed["vintage"].n_unique() <= 1


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
