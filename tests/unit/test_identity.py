import hashlib
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute import identity
from factor_pipeline.compute.identity import securities, stable_id
from factor_pipeline.errors import DataError
from factor_pipeline.schemas.panel import SECURITY

START, CUT, END = date(2000, 1, 3), date(2001, 10, 30), date(2021, 4, 21)
LARGEST_EXACT_IN_A_DOUBLE = 2**53

# A busy machine may take its time.
unhurried = settings(deadline=None)

SPELL = {
    "vendor_id": pl.String,
    "ticker": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
}
LISTING = {
    "vendor_id": pl.String,
    "ticker": pl.String,
    "valid_from": pl.Date,
    "firm": pl.String,
    "name": pl.String,
    "sector": pl.String,
    "exchange": pl.String,
}
FIRM = {"vendor_id": pl.String, "firm": pl.String}
DELISTING = {
    "vendor_id": pl.String,
    "date": pl.Date,
    "reason": pl.String,
    "delisting_return": pl.Float64,
}


def listed(vendor_id, ticker, *, since=None, firm=None, name=None, exchange=None):
    return (vendor_id, ticker, since, firm, name, "Sector", exchange)


def known(spells, *, listing=(), firms=(), delisting=(), splices=()) -> pl.DataFrame:
    return securities(
        pl.DataFrame(spells, schema=SPELL, orient="row"),
        pl.DataFrame(list(listing), schema=LISTING, orient="row"),
        pl.DataFrame(list(firms), schema=FIRM, orient="row"),
        pl.DataFrame(list(delisting), schema=DELISTING, orient="row"),
        splices,
    )


def test_the_number_of_a_security_is_the_start_of_its_hash():
    expected = int(hashlib.sha256(b"AAPL").hexdigest()[:12], 16)
    assert stable_id("AAPL") == expected
    assert known([("AAPL", "AAPL", START, END)])["security_id"].item() == expected


@given(st.text())
def test_numbers_are_positive_and_exact_in_a_double(text):
    assert 0 <= stable_id(text) < LARGEST_EXACT_IN_A_DOUBLE


def test_securities_have_the_shape_of_their_table():
    found = known([("A", "A", START, END)], listing=[listed("A", "A")])
    assert found.schema == SECURITY.polars_schema
    assert known([]).schema == SECURITY.polars_schema
    assert known([]).is_empty()


def test_a_renamed_security_stays_itself():
    found = known(
        [("P1", "FB", START, date(2022, 6, 8)), ("P1", "META", date(2022, 6, 9), END)],
        listing=[listed("P1", "FB", name="Facebook"), listed("P1", "META", name="Meta")],
    )
    assert found["ticker"].to_list() == ["FB", "META"]
    assert found["name"].to_list() == ["Facebook", "Meta"]
    assert found["security_id"].n_unique() == 1


def test_a_ticker_that_is_used_again_is_another_security():
    found = known([("P1", "X", START, date(2005, 1, 3)), ("P2", "X", date(2010, 1, 4), END)])
    assert found["security_id"].n_unique() == 2
    assert found["firm_id"].n_unique() == 2


def test_classes_of_one_firm_share_it_and_others_do_not():
    spells = [(v, v, START, END) for v in ("GOOG", "GOOGL", "MSFT")]
    by_listing = known(
        spells, listing=[listed("GOOG", "GOOG", firm="18"), listed("GOOGL", "GOOGL", firm="18")]
    )
    by_filings = known(spells, firms=[("GOOG", "18"), ("GOOGL", "18")])
    for found in (by_listing, by_filings):
        firm = dict(found.select("vendor_id", "firm_id").iter_rows())
        assert firm["GOOG"] == firm["GOOGL"] != firm["MSFT"]
    assert set(by_listing["firm_id"]) == set(by_filings["firm_id"])


def test_the_listing_names_the_firm_before_the_filings_do():
    found = known(
        [("A", "A", START, END), ("B", "B", START, END)],
        listing=[listed("A", "A", firm="F1"), listed("B", "B", firm="F1")],
        firms=[("A", "F2"), ("B", "F3")],
    )
    assert found["firm_id"].n_unique() == 1


def test_a_security_without_a_firm_never_joins_a_firm_that_has_its_name():
    found = known(
        [("A", "A", START, END), ("B", "B", START, END)], listing=[listed("A", "A", firm="B")]
    )
    assert found["firm_id"].n_unique() == 2


def test_of_several_filed_firms_the_last_by_name_counts_whatever_the_order():
    spells = [("A", "A", START, END)]
    one = known(spells, firms=[("A", "F1"), ("A", "F2")])
    other = known(spells, firms=[("A", "F2"), ("A", "F1")])
    assert one["firm_id"].item() == other["firm_id"].item() == stable_id("firm F2")


def test_a_splice_makes_two_securities_that_meet_on_its_day():
    found = known(
        [("ANTM", "ANTM", START, END)],
        listing=[listed("ANTM", "ANTM", name="Anthem", firm="1", exchange="NYSE")],
        firms=[("ANTM", "2")],
        delisting=[("ANTM", END, "merger", 0.1)],
        splices=[("ANTM", CUT)],
    )
    old, new = found.sort("valid_from").iter_rows(named=True)
    assert (old["valid_from"], old["valid_to"]) == (START, date(2001, 10, 29))
    assert (new["valid_from"], new["valid_to"]) == (CUT, END)
    assert new["security_id"] == stable_id("ANTM")
    assert old["security_id"] == stable_id("ANTM until 2001-10-30")
    assert old["firm_id"] != new["firm_id"]
    of_today = ("name", "sector", "exchange", "delisted_at", "delisting_reason", "delisting_return")
    assert [old[column] for column in of_today] == [None] * 6
    assert [new[column] for column in of_today] == ["Anthem", "Sector", "NYSE", END, "merger", 0.1]


def test_a_series_can_be_spliced_several_times():
    cuts = [date(2005, 1, 3), date(2010, 1, 4)]
    found = known([("A", "A", START, END)], splices=[("A", day) for day in reversed(cuts)])
    assert found.sort("valid_from").select("valid_from", "valid_to").rows() == [
        (START, date(2005, 1, 2)),
        (date(2005, 1, 3), date(2010, 1, 3)),
        (date(2010, 1, 4), END),
    ]
    assert found["security_id"].n_unique() == 3


@pytest.mark.parametrize("cut", [START, date(1999, 1, 4)])
def test_a_splice_on_or_before_the_first_price_cuts_nothing(cut):
    spells = [("A", "A", START, END)]
    assert known(spells, splices=[("A", cut)]).equals(known(spells))


def test_spells_of_the_company_before_a_splice_are_all_of_the_other_security():
    found = known(
        [("A", "OLD", START, date(2001, 1, 2)), ("A", "A", date(2001, 1, 3), END)],
        splices=[("A", CUT)],
    )
    number = {(row["ticker"], row["valid_from"]): row["security_id"] for row in found.to_dicts()}
    assert number["OLD", START] == number["A", date(2001, 1, 3)] != number["A", CUT]


def test_a_description_with_a_date_reaches_back_before_a_splice():
    found = known(
        [("A", "A", START, END)],
        listing=[
            listed("A", "A", since=START, name="Old company", exchange="AMEX"),
            listed("A", "A", name="New company", exchange="NYSE"),
        ],
        splices=[("A", CUT)],
    )
    assert found.sort("valid_from")["name"].to_list() == ["Old company", "New company"]
    assert found.sort("valid_from")["exchange"].to_list() == ["AMEX", "NYSE"]


def test_a_move_to_another_exchange_changes_nothing_before_it():
    moved = date(2010, 5, 3)
    spells = [("A", "A", START, END)]
    before = [listed("A", "A", since=START, exchange="NASDAQ")]
    found = known(spells, listing=[*before, listed("A", "A", since=moved, exchange="NYSE")])
    assert found.select("valid_from", "valid_to", "exchange").rows() == [
        (START, date(2010, 5, 2), "NASDAQ"),
        (moved, END, "NYSE"),
    ]
    assert found["security_id"].n_unique() == 1
    first = known(spells, listing=before)
    assert found.row(0)[:4] == first.row(0)[:4]


def test_what_is_listed_later_is_not_known_earlier():
    found = known(
        [("A", "A", START, END)], listing=[listed("A", "A", since=CUT, name="A", exchange="NYSE")]
    )
    assert found["name"].to_list() == [None, "A"]
    assert found["exchange"].to_list() == [None, "NYSE"]


def test_a_delisting_belongs_to_every_spell_of_its_security():
    found = known(
        [("A", "OLD", START, date(2001, 1, 2)), ("A", "NEW", date(2001, 1, 3), END)],
        delisting=[("A", END, "performance", None)],
    )
    assert found["delisted_at"].to_list() == [END, END]
    assert found["delisting_return"].to_list() == [None, None]


def test_two_delistings_of_one_identifier_are_refused():
    with pytest.raises(DataError, match="two ticker spells have the same security_id"):
        known(
            [("A", "A", START, END)],
            delisting=[("A", CUT, "merger", 0.1), ("A", END, "merger", 0.2)],
        )


def test_securities_with_the_same_number_are_refused(monkeypatch):
    monkeypatch.setattr(identity, "stable_id", len)
    spells = [("A", "A", START, END), ("B", "B", START, END)]
    with pytest.raises(DataError, match="'A' and 'B' get the same security_id; rename one"):
        known(spells)


def test_firms_with_the_same_number_are_refused(monkeypatch):
    def collides_for_firms(text):
        return 7 if text.startswith("firm ") else stable_id(text)

    monkeypatch.setattr(identity, "stable_id", collides_for_firms)
    listing = [listed("A", "A", firm="F1"), listed("B", "B", firm="F2")]
    with pytest.raises(DataError, match="'firm F1' and 'firm F2' get the same firm_id"):
        known([("A", "A", START, END), ("B", "B", START, END)], listing=listing)


@unhurried
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_changes_nothing(random):
    spells = [
        ("A", "OLD", START, date(2001, 1, 2)),
        ("A", "A", date(2001, 1, 3), END),
        ("B", "A", START, date(2000, 12, 29)),
        ("C", "C", START, END),
    ]
    listing = [
        listed("A", "OLD", name="One", firm="F1"),
        listed("A", "A", since=date(2010, 1, 4), name="Two", firm="F1", exchange="NYSE"),
        listed("A", "A", since=date(2001, 1, 3), name="Three", exchange="AMEX"),
        listed("C", "C", firm="F1"),
    ]
    firms = [("A", "9"), ("A", "8"), ("B", "7")]
    splices = [("C", CUT), ("C", date(2005, 1, 3)), ("A", date(2003, 1, 2))]
    expected = known(spells, listing=listing, firms=firms, splices=splices)
    for rows in (spells, listing, firms, splices):
        random.shuffle(rows)
    assert known(spells, listing=listing, firms=firms, splices=splices).equals(expected)
