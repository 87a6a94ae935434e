"""Who is listed under which name, who left, and who is in the index."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import DELISTING, INDEX_MEMBER, LISTING
from factor_pipeline.sources.simulated.actions import REASONS
from factor_pipeline.sources.simulated.draws import Draws
from factor_pipeline.sources.simulated.firms import EXCHANGES
from factor_pipeline.sources.simulated.market import Market
from factor_pipeline.sources.simulated.names import Spell

_SECTORS: Final = (
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
)
_UNREPORTED: Final = np.array([0.05, 0.30, 0.40])  # by reason


def listing_frame(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    """Rows of ``raw.listing``: one per ticker spell, in order of vendor_id and time.

    A change of ticker takes effect on the first trading day of a month.
    """
    securities, days = market.securities, market.economy.days
    draws = Draws(market.parameters.seed)
    sector = draws.integers("sector", securities.entity, below=len(_SECTORS))
    two_classes = {spell.security for spell in spells if spell.share_class}
    rows = [
        {
            "vendor_id": spell.vendor_id,
            "firm": spell.firm,
            "ticker": spell.ticker,
            "valid_from": days[spell.first_row],
            "valid_to": None if spell.continues else days[spell.last_row],
            "name": _name(spell, two_classes=spell.security in two_classes),
            "sector": _SECTORS[sector[spell.security]],
            "exchange": EXCHANGES[securities.exchange[spell.security]],
        }
        for spell in spells
    ]
    return pl.DataFrame(rows, schema=contract(LISTING))


def delisting_frame(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    """Rows of ``raw.delisting`` in order of vendor_id; the date is that of the last price.

    One return in six or so is missing, most often after failures.
    """
    securities = market.securities
    chance = Draws(market.parameters.seed).uniform("unreported", securities.entity)
    reported = chance >= _UNREPORTED[securities.reason]
    gone = {spell.vendor_id: spell.security for spell in spells if securities.left[spell.security]}
    rows = [
        {
            "vendor_id": vendor_id,
            "date": market.economy.days[securities.last_row[i]],
            "reason": REASONS[securities.reason[i]],
            "delisting_return": float(securities.delisting_return[i]) if reported[i] else None,
        }
        for vendor_id, i in gone.items()
    ]
    return pl.DataFrame(rows, schema=contract(DELISTING))


def membership_frame(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    """Rows of ``raw.index_member``: memberships cut where a ticker changes, sorted by its key.

    Both classes of a firm are members.
    """
    positions = {entity: i for i, entity in enumerate(market.securities.entity.tolist())}
    of_firm: dict[int, list[Spell]] = {}
    for spell in spells:
        of_firm.setdefault(spell.security, []).append(spell)
    committee = market.committee
    memberships = [*committee.spells, *((e, start, None) for e, start in committee.open_spells())]
    rows = [
        row
        for entity, start, end in memberships
        for spell in of_firm[positions[entity]]
        for row in _overlap(market.economy.days, spell, start, end)
    ]
    return pl.DataFrame(rows, schema=contract(INDEX_MEMBER), orient="row").sort(
        "ticker", "start_date"
    )


def _overlap(
    days: Sequence[date], spell: Spell, start: date, end: date | None
) -> Iterator[tuple[str, date, date | None]]:
    """Yield ticker, start and end of the part of a membership that lies in a ticker's spell."""
    following = spell.last_row + 1
    # A firm that leaves the exchange leaves the index on the calendar day after.
    until = None if spell.continues or following == len(days) else days[following]
    begin = max(start, days[spell.first_row])
    stop = min((day for day in (end, until) if day is not None), default=None)
    if stop is None or begin < stop:
        yield spell.ticker, begin, stop


def _name(spell: Spell, *, two_classes: bool) -> str:
    share_class = f" Class {'AB'[spell.share_class]}" if two_classes else ""
    return f"Firm {spell.slot}-{spell.sequence}{share_class}"
