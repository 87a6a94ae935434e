import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from factor_pipeline.assets.exposures import tilts_of
from factor_pipeline.errors import SettingsError
from factor_pipeline.settings import (
    CONFIG_VARIABLE,
    DATA_SETS,
    HOME_VARIABLE,
    Settings,
    home,
    load_settings,
    parse_settings,
)
from factor_pipeline.sources.registry import simulation_of
from factor_pipeline.sources.simulated import Premia, SimulationParameters

EXAMPLE = Path(__file__).parents[2] / "examples" / "vendor_files.toml"
VENDOR = {
    "first_month": "1999-11",
    "prices": {"source": "alphavantage", "path": "."},
    "library": {"source": "ken_french", "path": "."},
    "backtest": {"universe": "all"},
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    monkeypatch.delenv(HOME_VARIABLE, raising=False)


def complaint(document: dict[str, object], base: Path = Path()) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_settings(document, base=base, name="my.toml")
    text = str(caught.value)
    assert text.startswith("my.toml: ")
    assert "\n" not in text
    return text.removeprefix("my.toml: ")


def sections() -> dict[str, type[BaseModel]]:
    fields = Settings.model_fields.items()
    return {
        name: field.annotation
        for name, field in fields
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def lists_of_sections() -> dict[str, type[BaseModel]]:
    """Sections that a file can have several of, written ``[[name]]``."""
    return {
        name: get_args(field.annotation)[0]
        for name, field in Settings.model_fields.items()
        if get_origin(field.annotation) is tuple
    }


def test_without_a_file_everything_is_simulated():
    settings = load_settings()
    assert settings.is_simulated
    assert {settings.source_of(data_set) for data_set in DATA_SETS} == {"simulated"}
    assert settings.start_month == date(2004, 1, 1)
    assert settings.final_month == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"prces": {}}, "unknown key prces; did you mean prices? accepted here: backtest, "),
        (
            {"prices": {"sorce": "simulated"}},
            "unknown key prices.sorce; did you mean source? accepted here: exclude, path, source",
        ),
        (
            {"panel": {"splices": [{"vendor_id": "A", "date": date(2001, 1, 1), "to": 1}]}},
            "unknown key panel.splices[0].to; accepted here: date, vendor_id",
        ),
        (
            {"prices": {"source": "alphavntage"}},
            'prices.source: "alphavntage" is not accepted; write "simulated" or "alphavantage"',
        ),
        ({"prices": 3}, "prices: 3 is not accepted; write it as a section with keys of its own"),
        (
            {"prices": {"path": "."}},
            'prices: path is set, but source "simulated" reads no files: name the source of ',
        ),
        (
            {"prices": {"source": "alphavantage"}},
            'prices: source "alphavantage" reads files: set path to their folder',
        ),
        (
            {"betas": {"models": ["FF4"]}},
            'betas.models[0]: "FF4" is not accepted; write a list of "CAPM", "FF3", "Carhart" or ',
        ),
        (
            {"prices": {"exclude": "BF.B.csv"}},
            'prices.exclude: "BF.B.csv" is not accepted; write a list such as ["...", "..."]',
        ),
        (
            {"simulation": {"stocks": 5}},
            "simulation.stocks: 5 is not accepted; write a whole number from 20 to 50000",
        ),
        (
            {"simulation": {"stocks": "1000"}},
            'simulation.stocks: "1000" is not accepted; write a whole number from 20 to 50000',
        ),
        (
            {"simulation": {"years": True}},
            "simulation.years: true is not accepted; write a whole number from 3 to 100",
        ),
        (
            {"simulation": {"premia": {"hml": 0.51}}},
            "simulation.premia.hml: 0.51 is not accepted; write a number from -0.5 to 0.5",
        ),
        (
            {"simulation": {"premia": {"umd": float("nan")}}},
            "simulation.premia.umd: nan is not accepted; write a number from -0.5 to 0.5",
        ),
        (
            {"simulation": {"premia": {"mkt": "7 %"}}},
            'simulation.premia.mkt: "7 %" is not accepted; write a number from -0.5 to 0.5',
        ),
        (
            {"simulation": {"premia": {"mom": 0.07}}},
            "unknown key simulation.premia.mom; accepted here: cma, hml, mkt, rmw, smb, umd",
        ),
        (
            {"simulation": {"premia": 0.05}},
            "simulation.premia: 0.05 is not accepted; write it as a section with keys of its own",
        ),
        (
            {"simulation": {"constant_betas": "yes"}},
            'simulation.constant_betas: "yes" is not accepted; write true or false',
        ),
        (
            {"simulation": {"constant_betas": 1}},
            "simulation.constant_betas: 1 is not accepted; write true or false",
        ),
        (
            {"backtest": {"min_names": 0}},
            "backtest.min_names: 0 is not accepted; write a whole number from 1 on",
        ),
        (
            {"backtest": {"top_share": 0.0}},
            "backtest.top_share: 0.0 is not accepted; write a number above 0 and up to 0.5",
        ),
        (
            {"quality": {"max_bad_file_share": float("nan")}},
            "quality.max_bad_file_share: nan is not accepted; write a number from 0 to 1",
        ),
        (
            {"backtest": {"rebalance_months": 5}},
            "backtest.rebalance_months: 5 is not accepted; write 1, 2, 3, 4, 6 or 12",
        ),
        (
            {"backtest": {"rebalance_months": True}},
            "backtest.rebalance_months: True is not a whole number; write 1, 2, 3, 4, 6 or 12",
        ),
        (
            {"library": {"vintage": "2024"}},
            "library.vintage: '2024' is not a vintage; write \"latest\", or year and month as in ",
        ),
        (
            {"library": {"vintage": 202412}},
            "library.vintage: 202412 is not accepted; write a text in quotes",
        ),
        (
            {"panel": {"splices": [{"vendor_id": "ANTM"}]}},
            "panel.splices[0].date: is missing; write a day such as 2001-10-30",
        ),
        (
            {"panel": {"splices": [{"vendor_id": "ANTM", "date": "October"}]}},
            "panel.splices[0].date: October is not a day; write it as 2001-10-30",
        ),
        (
            {"panel": {"splices": [{"vendor_id": "A", "date": date(2001, m, 1)} for m in (1, 2)]}},
            "panel: splices names A twice; a series can be spliced once",
        ),
        (
            {"schedule": {"cron": "nightly"}},
            "schedule.cron: 'nightly' is not a cron line of five fields, such as \"30 2 * * *\"",
        ),
        (
            {"schedule": {"timezone": "New York"}},
            "schedule.timezone: 'New York' is not a time zone; write \"UTC\" or a name such as ",
        ),
        ({"last_month": "2003-12"}, "last_month 2003-12 is before the first month, 2004-01"),
        (
            {"betas": {"models": ["CAPM", "FF5"]}},
            'betas: exposure_model "FF3" is not one of models; write "CAPM" or "FF5"',
        ),
        (
            {"betas": {"exposure_model": "FF4"}},
            'betas.exposure_model: "FF4" is not accepted; write "CAPM", "FF3", "Carhart" or "FF5"',
        ),
        ({"tilts": [{"rank_by": ["beta_mkt"]}]}, "tilts[0].name: is missing; write a text in quo"),
        (
            {"tilts": [{"name": "mine", "rank_by": []}]},
            'tilts[0].rank_by: [] is not accepted; write a list of "beta_mkt", "beta_smb", ',
        ),
        (
            {"tilts": [{"name": "mine", "rank_by": ["beta_mom"]}]},
            'tilts[0].rank_by[0]: "beta_mom" is not accepted; write a list of "beta_mkt", ',
        ),
        (
            {"tilts": [{"name": "mine", "rank_by": ["beta_mkt"], "above": {"beta_sbm": 0}}]},
            "unknown key tilts[0].above.beta_sbm; did you mean beta_smb? accepted here: beta_cma, ",
        ),
        (
            {"tilts": [{"name": "mine", "rank_by": ["beta_mkt"], "above": {"beta_smb": "0"}}]},
            'tilts[0].above.beta_smb: "0" is not accepted; write a number',
        ),
        (
            {"tilts": [{"name": "mine", "rank_by": ["beta_mkt"], "top": 0}]},
            "tilts[0].top: 0 is not accepted; write a whole number from 1 on",
        ),
        (
            {"tilts": [{"name": "mine", "rank_by": ["beta_umd"]}]},
            "tilts[0]: tilt 'mine': rank_by names 'beta_umd', which FF3 does not have; write beta_",
        ),
        (
            {"tilts": [{"name": "mine", "rank_by": ["beta_mkt"]}] * 2},
            'tilts names "mine" twice; rename one',
        ),
        (
            {
                "betas": {"models": ["CAPM"], "exposure_model": "CAPM"},
                "tilts": [{"name": "mine", "rank_by": ["beta_mkt"]}],
            },
            'tilts: mine is on model "FF3", which is not one of betas.models; write "CAPM"',
        ),
    ],
)
def test_one_line_names_the_key_and_what_it_accepts(document, said):
    assert complaint(document).startswith(said)


@pytest.mark.parametrize(
    "month",
    [
        *("1999-13", "1999-00", "99-11", "1999-11-01", "1799-12", "2200-01", "November", 199911),
        *(True, date(1999, 11, 2), datetime(1999, 11, 1, tzinfo=UTC), ["1999-11"]),
    ],
)
def test_what_is_no_month_is_refused(month):
    said = complaint({"first_month": month})
    assert said == (
        f"first_month: {month} is not a month from 1800 to 2199; write it as "
        '"YYYY-MM", such as "1999-11"'
    )


@pytest.mark.parametrize("month", ["1999-11", date(1999, 11, 1)])
def test_a_month_is_text_or_its_first_day(month):
    assert parse_settings({"first_month": month}, base=Path()).start_month == date(1999, 11, 1)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "nothing exists at {base}/missing; paths are relative to the settings file"),
        ("", "the path is empty; name a folder or file, relative to the settings file"),
        ("a\0b", "a b cannot be looked up: embedded null byte"),
        ("x" * 300, f"{'x' * 40} cannot be looked up: File name too long"),
        ("~nobody-of-that-name/x", "~nobody-of-that-name/x cannot be looked up: "),
    ],
)
def test_a_wrong_path_is_named(tmp_path, path, reason):
    said = complaint({"prices": {"source": "alphavantage", "path": path}}, tmp_path)
    # Unprintable characters come as they are.
    assert said.replace("\0", " ").startswith(f"prices.path: {reason.format(base=tmp_path)}")


def test_paths_are_relative_to_the_settings_file(tmp_path, monkeypatch):
    (tmp_path / "data" / "prices").mkdir(parents=True)
    (tmp_path / "data" / "french").mkdir()
    (tmp_path / "conf").mkdir()
    config = tmp_path / "conf" / "vendor.toml"
    config.write_text(
        'first_month = "1999-11"\n'
        '[prices]\nsource = "alphavantage"\npath = "../data/prices"\n'
        f'[library]\nsource = "ken_french"\npath = "{tmp_path}/data/french"\n'
        '[backtest]\nuniverse = "all"\n'
    )
    monkeypatch.chdir(tmp_path / "data")
    settings = load_settings(config)
    assert settings.prices.path == tmp_path / "data" / "prices"
    assert settings.library.path == tmp_path / "data" / "french"


def test_with_real_prices_what_is_not_mentioned_is_absent(tmp_path):
    settings = parse_settings(VENDOR, base=tmp_path)
    absent = {data_set for data_set in DATA_SETS if settings.source_of(data_set) == "none"}
    assert absent == set(DATA_SETS) - {"prices", "library"}
    assert settings.final_month is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"library": {}},
            '[prices] is real but [library] is simulated: set library.source to "ken_french"',
        ),
        (
            {"macro": {"source": "simulated"}},
            '[prices] is real but [macro] is simulated: set macro.source to "fred" or "none"',
        ),
        (
            {"delisting": {}},
            '[prices] is real but [delisting] is simulated: set delisting.source to "none"',
        ),
        (
            {"prices": {}},
            '[library] is real but [prices] is simulated: set prices.source to "alphavantage"',
        ),
        (
            {"first_month": None},
            "first_month is missing, vendor files need it",
        ),
        (
            {"backtest": {}},
            'backtest.universe is "index" but membership.source is "none"',
        ),
        (
            {"portfolios": {"universe": "index"}},
            'portfolios.universe is "index" but membership.source is "none"',
        ),
        (
            {"benchmark": {"source": "yahoo", "path": "."}},
            'benchmark: symbol is missing: name the benchmark, such as "^SP500TR"',
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path, change, said):
    document = {key: value for key, value in {**VENDOR, **change}.items() if value is not None}
    assert complaint(document, tmp_path).startswith(said)


def test_the_variable_names_the_file_and_an_argument_wins(tmp_path, monkeypatch):
    for name, seed in (("variable", 7), ("argument", 8)):
        (tmp_path / f"{name}.toml").write_text(f"[simulation]\nseed = {seed}\n")
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "variable.toml"))
    assert load_settings().simulation.seed == 7
    assert load_settings(tmp_path / "argument.toml").simulation.seed == 8
    monkeypatch.setenv(CONFIG_VARIABLE, "")
    assert load_settings() == Settings()


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    missing = tmp_path / "missing.toml"
    with pytest.raises(SettingsError, match=r"cannot read settings file .*missing\.toml: No such"):
        load_settings(missing)
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path))
    with pytest.raises(SettingsError, match="named by FACTOR_CONFIG: Is a directory"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[prices\n", "is not a TOML file: Expected ']'"),
        (b"first_month = 1999-11\n", 'months are written in quotes, "YYYY-MM"'),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"seed = " + b"9" * 5000, "is not a TOML file"),
        (b"a = " + b"[" * 5000, "is not a TOML file"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_in_one_line(tmp_path, content, said):
    config = tmp_path / "broken.toml"
    config.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(config)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_home_is_the_variable_or_var_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert home() == tmp_path / "var"
    monkeypatch.setenv(HOME_VARIABLE, "")
    assert home() == tmp_path / "var"
    monkeypatch.setenv(HOME_VARIABLE, "elsewhere")
    assert home() == tmp_path / "elsewhere"
    (tmp_path / "elsewhere").write_text("")
    with pytest.raises(SettingsError, match=r"FACTOR_HOME: .* is not a folder"):
        home()


def keys_and_nonsense() -> st.SearchStrategy[dict[str, object]]:
    """Documents whose keys are often right and whose values seldom are."""
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.dates(),
        st.datetimes(),
        st.sampled_from(["simulated", "none", "yahoo", "latest", "1999-11", "* * * * *", "UTC"]),
    )
    names = sorted({key for model in sections().values() for key in model.model_fields})
    keys = st.one_of(st.sampled_from(names), st.text(max_size=5))
    values = st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)
        ),
        max_leaves=6,
    )
    top = st.one_of(st.sampled_from(sorted(Settings.model_fields)), st.text(max_size=5))
    return st.dictionaries(top, values, max_size=5)


@given(keys_and_nonsense())
@example({"prices": {"source": {}}})
@example({"panel": {"splices": [{"vendor_id": "a", "date": float("inf")}]}})
@example({"simulation": {"start": "2199-12", "years": 100}})
def test_any_document_gives_settings_or_one_line(document):
    said = ""
    try:
        settings = parse_settings(document, base=Path())
    except SettingsError as error:
        said = str(error)
    else:
        assert settings.start_month <= (settings.final_month or date.max)
    assert len(said.splitlines()) <= 1


def test_default_tilts_are_left_out_where_their_model_is():
    settings = parse_settings(
        {"betas": {"models": ["CAPM"], "exposure_model": "CAPM"}}, base=Path()
    )
    assert tilts_of(settings) == ()
    assert [tilt.name for tilt in tilts_of(Settings())] == [
        "small_value",
        "large_growth",
        "high_beta",
        "defensive",
    ]


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        Settings().prices.source = "alphavantage"


@pytest.fixture
def example_tree(tmp_path):
    """The folders the example names, and a copy of it beside them."""
    document = tomllib.loads(EXAMPLE.read_text())
    copy = tmp_path / "examples" / EXAMPLE.name
    copy.parent.mkdir()
    copy.write_text(EXAMPLE.read_text())
    for section in document.values():
        if isinstance(section, dict) and "path" in section:
            path = copy.parent / section["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("") if path.suffix else path.mkdir(exist_ok=True)
    return copy


def test_the_example_is_valid(example_tree):
    settings = load_settings(example_tree)
    assert settings.prices.path == example_tree.parents[1] / "data/alphavantage/daily_adjusted"
    assert [(s.vendor_id, s.date) for s in settings.panel.splices] == [("ANTM", date(2001, 10, 30))]
    assert settings.source_of("etf") == "yahoo"


def test_values_the_example_calls_defaults_are_the_defaults(example_tree):
    ours, default = load_settings(example_tree), Settings()
    same = ("portfolios", "betas", "tilts", "backtest", "quality", "simulation")
    assert all(getattr(ours, name) == getattr(default, name) for name in same)
    assert ours.panel.model_copy(update={"splices": ()}) == default.panel


def test_the_simulation_of_the_default_settings_is_the_default_market():
    assert simulation_of(Settings()) == SimulationParameters()


def test_every_choice_about_the_simulation_reaches_the_market():
    chosen = {
        "stocks": 50,
        "years": 4,
        "start": "1990-01",
        "seed": 3,
        "premia": {"mkt": 0, "smb": -0.1, "hml": 0.1, "rmw": 0.2, "cma": 0.3, "umd": 0.4},
        "constant_betas": True,
    }
    expected = SimulationParameters(
        stocks=50,
        years=4,
        start=date(1990, 1, 1),
        seed=3,
        premia=Premia(mkt=0.0, smb=-0.1, hml=0.1, rmw=0.2, cma=0.3, umd=0.4),
        constant_betas=True,
    )
    assert {*chosen} == {*SimulationParameters.__slots__}
    assert simulation_of(parse_settings({"simulation": chosen}, base=Path())) == expected


def part_of_example(name: str) -> str:
    """Text of a section of the example, with the comments above its keys; of all of a list."""
    parts = re.split(r"^(?:# )?\[+(\w+)\]+$", EXAMPLE.read_text(), flags=re.MULTILINE)
    named = zip(["", *parts[1::2]], parts[::2], strict=True)
    return "".join(text for title, text in named if title == name)


def test_the_example_has_every_key():
    listed = lists_of_sections()
    for key in set(Settings.model_fields) - set(sections()) - set(listed):
        assert re.search(rf"^{key} = ", part_of_example(""), re.MULTILINE), key
    for name, model in (sections() | listed).items():
        for key in model.model_fields:
            pattern = rf"^(# )?{key} = "
            assert re.search(pattern, part_of_example(name), re.MULTILINE), f"{name}.{key}"


def test_the_example_has_every_accepted_value():
    for name, model in sections().items():
        for key, field in model.model_fields.items():
            if get_origin(field.annotation) is Literal:
                for value in get_args(field.annotation):
                    if value == "simulated" and name != "delisting":
                        continue  # the example is about vendor files
                    shown = f'"{value}"' if isinstance(value, str) else str(value)
                    assert shown in part_of_example(name), f"{name}.{key} = {shown}"
