"""Daily prices and what is listed under which name."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.sources.simulated.draws import Draws, Floats, Integers
from factor_pipeline.sources.simulated.market import PRICE_DECIMALS, Events, Market
from factor_pipeline.sources.simulated.names import Spell

_ADJUSTED_DECIMALS: Final = 12
_LINES_AT_ONCE: Final = 64
_NUMBERS: Final = (
    "open",
    "high",
    "low",
    "close",
    "adjusted_close",
    "volume",
    "dividend",
    "split",
)
_OPEN_RANGE: Final = 0.01
_HIGH_LOW_RANGE: Final = 0.015
_TURNOVER: Final = (0.001, 0.006)


def price_frame(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    """Rows of ``raw.price_daily`` sorted by vendor_id and date.

    Close, dividend and split give back the total return but for rounding: prices have four
    decimals. ``adjusted_close`` is adjusted to the market's last day and so, as a vendor's, is
    the one column that depends on what comes later. Open, high, low and volume are decoration.
    """
    counts = [int(market.traded[s.line, s.first_row : s.last_row + 1].sum()) for s in spells]
    numbers, rows = _numbers(market, spells, counts)
    days = pl.Series(market.economy.days)
    columns = {
        "vendor_id": _repeated([s.vendor_id for s in spells], counts),
        "ticker": _repeated([s.ticker for s in spells], counts),
        "date": days.gather(pl.Series(rows)),
    }
    for name in _NUMBERS:
        columns[name] = pl.Series(name, numbers.pop(name))
    return pl.DataFrame(columns, schema=contract(PRICE_DAILY))


def _repeated(values: list[str], counts: list[int]) -> pl.Series:
    index = np.repeat(np.arange(len(values), dtype=np.uint32), counts)
    return pl.Series(values, dtype=pl.String).gather(pl.Series(index))


def _numbers(
    market: Market, spells: Sequence[Spell], counts: list[int]
) -> tuple[dict[str, Floats], NDArray[np.uint32]]:
    """Columns of numbers and the row of the day, line by line in the order of the spells."""
    total, days = sum(counts), len(market.economy.days)
    columns = {name: np.empty(total) for name in _NUMBERS}
    rows = np.empty(total, dtype=np.uint32)
    columns["adjusted_close"] = np.repeat(_adjustments(market, spells), counts)
    lines = np.array(list(dict.fromkeys(spell.line for spell in spells)))
    month_of_row = np.repeat(
        np.arange(len(market.economy.months)), np.diff(market.economy.first_row)
    )
    draws = Draws(market.parameters.seed)
    begin = 0
    for at in range(0, len(lines), _LINES_AT_ONCE):
        some = lines[at : at + _LINES_AT_ONCE]
        traded = market.traded[some]
        line, row = np.nonzero(traded)
        part = slice(begin, begin := begin + len(row))
        rows[part] = row
        close = np.round(market.close[some][traded], PRICE_DECIMALS)
        columns["close"][part] = close
        columns["adjusted_close"][part] *= market.level[some][traded]
        columns["dividend"][part] = _scattered(market.dividends, some, days, 0.0)[traded]
        columns["split"][part] = _scattered(market.splits, some, days, 1.0)[traded]
        chance = _chances(draws, some[line], row)
        _decorate(columns, part, close, chance, market.equity[month_of_row[row], some[line]])
    columns["adjusted_close"] = np.round(columns["adjusted_close"], _ADJUSTED_DECIMALS)
    return columns, rows


def _adjustments(market: Market, spells: Sequence[Spell]) -> Floats:
    """Price over total return index on the last day of each spell's security."""
    line = np.array([spell.line for spell in spells])
    last = market.securities.last_row[[spell.security for spell in spells]]
    close = np.round(market.close[line, last], PRICE_DECIMALS)
    adjustment: Floats = close / market.level[line, last]
    return adjustment


def _scattered(events: Events, lines: Integers, days: int, neutral: float) -> Floats:
    """Amounts by line and row, (len(lines), D); ``neutral`` where there is none."""
    dense = np.full((len(lines), days), neutral)
    order = np.argsort(lines)
    place = np.searchsorted(lines[order], events.line).clip(max=len(lines) - 1)
    inside = lines[order][place] == events.line
    dense[order[place[inside]], events.row[inside]] = events.amount[inside]
    return dense


def _chances(draws: Draws, line: Integers, row: Integers) -> Floats:
    """Four uniform numbers per price, cut from one draw of 64 bits; (4, prices)."""
    bits = draws.bits("decoration", line, row)
    parts = [(bits >> np.uint64(16 * i)) & np.uint64(0xFFFF) for i in range(4)]
    return np.stack(parts).astype(np.float64) / 2.0**16


def _decorate(
    columns: dict[str, Floats], part: slice, close: Floats, chance: Floats, equity: Floats
) -> None:
    opened = close * (1 + _OPEN_RANGE * (2 * chance[0] - 1))
    high = np.maximum(opened, close) * (1 + _HIGH_LOW_RANGE * chance[1])
    low = np.minimum(opened, close) * (1 - _HIGH_LOW_RANGE * chance[2])
    columns["open"][part] = np.round(opened, PRICE_DECIMALS)
    columns["high"][part] = np.round(high, PRICE_DECIMALS)
    columns["low"][part] = np.round(low, PRICE_DECIMALS)
    turnover = _TURNOVER[0] + _TURNOVER[1] * chance[3]
    columns["volume"][part] = np.rint(turnover * equity / close)
