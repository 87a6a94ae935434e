from typing import get_args

import pytest

from factor_pipeline.compute.sorts import (
    MARKET,
    SCHEMES,
    Dimension,
    Scheme,
    Sort,
    decile_sort,
    default_sorts,
    five_by_five,
    tercile_sort,
    two_by_three,
    two_dimensional,
)
from factor_pipeline.errors import SettingsError

SIGNALS = ("size", "book_to_market", "momentum_12_2")


def test_cells_of_two_dimensions_join_their_labels():
    value = two_by_three("book_to_market", "june")
    assert value.cells == ("SG", "SN", "SV", "BG", "BN", "BV")
    assert not value.has_spread


def test_deciles_and_terciles_have_a_spread_of_their_extremes():
    assert decile_sort("size", "monthly").cells == tuple(f"D{i:02d}" for i in range(1, 11))
    assert decile_sort("size", "monthly").spread == "D10-D01"
    assert tercile_sort("size", "monthly").spread == "High-Low"
    assert tercile_sort("size", "monthly").dimensions[0].probabilities == (0.3, 0.7)


def test_the_market_is_one_cell_without_a_spread():
    assert MARKET.cells == ("All",)
    assert not MARKET.has_spread


def test_the_catalogue_grows_by_deciles_with_each_signal():
    names = [sort.name for sort in default_sorts((*SIGNALS, "a_new_signal"))]
    assert names == [
        "market",
        "size_value_2x3",
        "size_momentum_2x3",
        "size_value_5x5",
        "book_to_market_tercile",
        "momentum_12_2_tercile",
        "size_decile",
        "book_to_market_decile",
        "momentum_12_2_decile",
        "a_new_signal_decile",
    ]


def test_signals_that_factors_are_made_of_are_crossed_with_size():
    made = ("operating_profitability", "investment", "quality")
    crossed = [sort for sort in default_sorts(made) if len(sort.dimensions) == 2]
    assert {sort.name: sort.cells for sort in crossed} == {
        "size_profitability_2x3": ("SW", "SN", "SR", "BW", "BN", "BR"),
        "size_investment_2x3": ("SC", "SN", "SA", "BC", "BN", "BA"),
        "size_quality_2x3": ("SJ", "SN", "SQ", "BJ", "BN", "BQ"),
    }


def test_other_signals_are_crossed_under_their_own_name():
    sort = two_by_three("accruals", "june")
    assert (sort.name, sort.cells) == ("size_accruals_2x3", ("SL", "SM", "SH", "BL", "BM", "BH"))


def test_only_sorts_on_annual_signals_wait_for_june():
    june = {sort.name for sort in default_sorts(SIGNALS) if sort.rebalance == "june"}
    assert june == {
        "size_value_2x3",
        "size_value_5x5",
        "book_to_market_decile",
        "book_to_market_tercile",
    }


def test_fifths_of_size_and_value_make_25_cells():
    sort = five_by_five("book_to_market", "june")
    assert (len(sort.cells), sort.cells[0], sort.cells[-1]) == (25, "S1Q1", "S5Q5")
    assert not sort.has_spread
    assert {dimension.probabilities for dimension in sort.dimensions} == {(0.2, 0.4, 0.6, 0.8)}


def test_the_schemes_are_those_that_settings_accept():
    assert tuple(SCHEMES) == get_args(Scheme)
    crossing = [scheme for scheme in SCHEMES if two_dimensional(scheme)]
    assert crossing == [s for s, make in SCHEMES.items() if len(make("a", "june").dimensions) == 2]


@pytest.mark.parametrize("probabilities", [(0.0,), (1.0,), (0.7, 0.3), (0.5, 0.5), (float("nan"),)])
def test_probabilities_that_do_not_ascend_between_0_and_1_are_refused(probabilities):
    labels = tuple("abc"[: len(probabilities) + 1])
    with pytest.raises(SettingsError, match="'size': probabilities must ascend"):
        Dimension("size", probabilities, labels)


def test_a_label_too_few_is_refused():
    with pytest.raises(SettingsError, match="2 breakpoints make 3 groups"):
        Dimension("size", (0.3, 0.7), ("Low", "High"))


def test_two_cells_of_one_name_are_refused():
    first = Dimension("a", (0.5,), ("1", "11"))
    second = Dimension("b", (0.5,), ("1", "11"))
    with pytest.raises(SettingsError, match="'mixed': cells repeat a name"):
        Sort("mixed", (first, second))


@pytest.mark.parametrize("signals", [("a", "b", "c"), ("a", "a")])
def test_more_than_two_different_dimensions_are_refused(signals):
    dimensions = tuple(
        Dimension(s, (0.5,), (f"{s}{i}L", f"{s}{i}H")) for i, s in enumerate(signals)
    )
    with pytest.raises(SettingsError, match="at most two dimensions on different signals"):
        Sort("cube", dimensions)
