"""What securities are called: permanent identifiers, and tickers that come, change and return."""

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Final, NamedTuple

import numpy as np

from factor_pipeline.sources.simulated.draws import Draws
from factor_pipeline.sources.simulated.market import Market
from factor_pipeline.sources.simulated.roster import SECURITIES_PER_SLOT

_RENAMED_PER_MONTH: Final = 0.0015
_REUSED: Final = 0.3
_REST: Final = timedelta(days=180)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODE_LENGTH: Final = 4
# Coprime to 26, so that every code appears once before the first one returns.
_CODE_STEP: Final = 197_473


@dataclass(frozen=True, slots=True, order=True)
class Spell:
    """Time a share class traded under one ticker: rows of the first and last day.

    Ordered by slot, class, firm of the slot and time, as ``vendor_id`` is; ``share_class`` is
    0 for the first class. ``security`` is the position of the firm in ``Market.securities``.
    """

    slot: int
    share_class: int
    sequence: int
    first_row: int
    last_row: int
    line: int
    security: int
    ticker: str
    continues: bool

    @property
    def entity(self) -> int:
        """Number of the firm in the whole market."""
        return self.slot * SECURITIES_PER_SLOT + self.sequence

    @property
    def vendor_id(self) -> str:
        """Permanent identifier of the share class, never given to another one."""
        return f"S{self.slot:05d}{'AB'[self.share_class]}{self.sequence:02d}"

    @property
    def firm(self) -> str:
        """Permanent identifier of the firm."""
        return f"F{self.slot:05d}{self.sequence:02d}"


def ticker_spells(market: Market) -> list[Spell]:
    """All spells, in order.

    A firm gets a new ticker now and then. Three in ten tickers given are those of another firm
    that laid its one down at least 180 days before, if there is any. A second class has the
    ticker of the first one with ``.B``.
    """
    second_lines = {
        slot: line
        for line, slot in enumerate(market.line_slot.tolist())
        if line >= market.parameters.stocks
    }
    spells = []
    for security, first_row, last_row, ticker, continues in _firm_spells(market):
        slot, sequence = divmod(int(market.securities.entity[security]), SECURITIES_PER_SLOT)
        classes = [(0, slot, ticker)]
        if slot in second_lines:
            classes.append((1, second_lines[slot], f"{ticker}.B"))
        spells += [
            Spell(slot, number, sequence, first_row, last_row, line, security, name, continues)
            for number, line, name in classes
        ]
    return sorted(spells)


class _FirmSpell(NamedTuple):
    security: int
    first_row: int
    last_row: int
    ticker: str
    continues: bool


class _TickerOffice:
    """Gives tickers to firms and takes them back, in the order of time."""

    def __init__(self, market: Market) -> None:
        self._draws = Draws(market.parameters.seed)
        self._days = market.economy.days
        self._entity = market.securities.entity
        self._held: dict[int, tuple[int, str]] = {}
        self._free: deque[_FirmSpell] = deque()
        self._new = map(_code, count())
        self.spells: list[_FirmSpell] = []

    def give(self, security: int, row: int) -> None:
        if security in self._held:
            self.take_back(security, row - 1)
        entity = self._entity[security : security + 1]
        reuses = self._draws.uniform("reuse", entity, row)[0] < _REUSED
        if reuses and self._free and self._may_have(security, row, self._free[0]):
            ticker = self._free.popleft().ticker
        else:
            ticker = next(self._new)
        self._held[security] = (row, ticker)

    def take_back(self, security: int, last_row: int, *, continues: bool = False) -> None:
        first_row, ticker = self._held.pop(security)
        spell = _FirmSpell(security, first_row, last_row, ticker, continues)
        self.spells.append(spell)
        self._free.append(spell)

    def _may_have(self, security: int, row: int, former: _FirmSpell) -> bool:
        rested = self._days[former.last_row] + _REST <= self._days[row]
        return rested and former.security != security


def _firm_spells(market: Market) -> list[_FirmSpell]:
    office = _TickerOffice(market)
    last_rows, left = market.securities.last_row.tolist(), market.securities.left.tolist()
    leaving = deque(sorted((last_rows[i], i) for i, gone in enumerate(left) if gone))
    for row, security in _givings(market):
        while leaving and leaving[0][0] < row:
            last_row, gone = leaving.popleft()
            office.take_back(gone, last_row)
        office.give(security, row)
    for last_row, gone in leaving:
        office.take_back(gone, last_row)
    for security, gone in enumerate(left):
        if not gone:
            office.take_back(security, last_rows[security], continues=True)
    return office.spells


def _givings(market: Market) -> list[tuple[int, int]]:
    """Row and firm of every day a ticker is given, in order: at listings and at changes."""
    securities, draws = market.securities, Draws(market.parameters.seed)
    position = np.searchsorted(securities.entity, market.entity)
    position = position.clip(max=len(securities.entity) - 1)
    month = np.arange(len(market.entity))[:, None]
    row = np.broadcast_to(market.economy.first_row[:-1, None], position.shape)
    renamed = draws.uniform("rename", market.entity, month) < _RENAMED_PER_MONTH
    renamed &= market.listed & (row > securities.first_row[position])
    changes = zip(row[renamed].tolist(), position[renamed].tolist(), strict=True)
    listings = ((first, security) for security, first in enumerate(securities.first_row.tolist()))
    return sorted([*listings, *changes])


def _code(number: int) -> str:
    length = _CODE_LENGTH
    while number >= len(_LETTERS) ** length:
        number -= len(_LETTERS) ** length
        length += 1
    scrambled = number * _CODE_STEP % len(_LETTERS) ** length
    letters = []
    for _ in range(length):
        scrambled, letter = divmod(scrambled, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(reversed(letters))
