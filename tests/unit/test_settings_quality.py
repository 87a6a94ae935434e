from pathlib import Path

import pytest

from factor_pipeline.errors import SettingsError
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.rules import RULES
from factor_pipeline.settings import parse_settings

ONE = {"ticker": "FMC", "first_day": "2002-01-02", "last_day": "2002-01-31", "reason": "spin-off"}


def quality(**keys: object):
    return parse_settings({"quality": keys}, base=Path()).quality


def refusal(**keys: object) -> str:
    with pytest.raises(SettingsError) as error:
        quality(**keys)
    (line,) = str(error.value).splitlines()
    return line


def test_rules_to_exclude_are_a_set():
    names = ["ticker_splice", "spike_reversal", "ticker_splice"]
    assert quality(exclude=names).exclude == ("spike_reversal", "ticker_splice")


def test_an_unknown_rule_is_refused_with_the_accepted_names():
    line = refusal(exclude=["ticker_splise"])
    assert "did you mean ticker_splice? accepted here: " in line
    assert "spike_reversal" in line


def test_a_rule_about_the_data_of_today_is_refused_with_the_reason():
    line = refusal(exclude=["ends_early"])
    assert '"ends_early" describes the data as they are today' in line
    assert "ends_early" not in line.split("accepted here")[1]


def test_an_exclusion_names_a_security_once_and_a_range():
    (exclusion,) = quality(exclusions=[ONE]).exclusions
    assert (exclusion.ticker, exclusion.vendor_id) == ("FMC", None)
    assert "by vendor_id or by ticker" in refusal(exclusions=[ONE | {"vendor_id": "FMC"}])
    nobody = {key: value for key, value in ONE.items() if key != "ticker"}
    assert "by vendor_id or by ticker" in refusal(exclusions=[nobody])
    assert "is before first_day" in refusal(exclusions=[ONE | {"last_day": "2001-01-01"}])
    assert "reason" in refusal(exclusions=[ONE | {"reason": ""}])


def test_no_rule_has_the_name_of_another_flag_of_the_panel():
    column = next(column for column in SECURITY_MONTH.columns if column.name == "flags")
    listed = column.description.split(": ")[1].split("; ")[0].split(", ")
    flags = {name.removesuffix(" (by settings)") for name in listed}
    assert len(flags) > 5
    assert not flags & set(RULES)
