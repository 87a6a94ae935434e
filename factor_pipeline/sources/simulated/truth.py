"""What vendors do not tell: the numbers the market was made from."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl

from factor_pipeline.months import add_months
from factor_pipeline.sources.simulated.actions import REASONS
from factor_pipeline.sources.simulated.draws import Integers
from factor_pipeline.sources.simulated.economy import Economy
from factor_pipeline.sources.simulated.market import Market, simulate_market
from factor_pipeline.sources.simulated.names import Spell, ticker_spells
from factor_pipeline.sources.simulated.parameters import FACTORS, SimulationParameters


def truth(parameters: SimulationParameters) -> dict[str, pl.DataFrame]:
    """Return the true numbers behind a market; generates it.

    Returns
    -------
    dict
        ``betas``: ``vendor_id, month_end, beta_mkt, beta_smb, beta_hml, beta_rmw, beta_cma,
        beta_umd`` for each month a share class is listed in.
        ``returns``: ``vendor_id, month_end, ret``, total return of the month up to the last
        price; no row for the month of the listing, whatever the halts.
        ``factors`` and ``factors_daily``: ``month_end`` or ``date``, ``rf, mkt, smb, hml, rmw,
        cma, umd``; ``mkt`` is in excess of ``rf``.
        ``premia``: ``factor, premium``, expected return per year.
        ``delistings``: ``vendor_id, date, reason, delisting_return``, none of them missing.
        All returns are decimals; every frame is sorted by its first two columns.
    """
    market = simulate_market(parameters)
    return truth_of(market, ticker_spells(market))


def truth_of(market: Market, spells: Sequence[Spell]) -> dict[str, pl.DataFrame]:
    """Tell the true numbers behind a market with its ``ticker_spells``, as ``truth`` does."""
    economy, given = market.economy, market.parameters.premia
    premia = [(factor, getattr(given, factor)) for factor in FACTORS]
    return {
        "betas": _betas(market, spells),
        "returns": _returns(market, spells),
        "factors": _factors(economy, monthly=True),
        "factors_daily": _factors(economy, monthly=False),
        "premia": pl.DataFrame(
            premia, schema={"factor": pl.String, "premium": pl.Float64}, orient="row"
        ).sort("factor"),
        "delistings": _delistings(market, spells),
    }


def _factors(economy: Economy, *, monthly: bool) -> pl.DataFrame:
    values = economy.monthly if monthly else economy.daily
    rf = economy.rf_monthly if monthly else economy.rf_daily
    date = {"month_end": _month_ends(economy)} if monthly else {"date": pl.Series(economy.days)}
    returns = {factor: values[:, i] for i, factor in enumerate(FACTORS)}
    return pl.DataFrame({**date, "rf": rf, **returns})


def _month_ends(economy: Economy) -> pl.Series:
    return pl.Series([add_months(month, 1) - timedelta(days=1) for month in economy.months])


def _keys(market: Market, spells: Sequence[Spell], month: Integers, line: Integers) -> pl.DataFrame:
    """``vendor_id, month_end`` of months and lines, whose slots have a firm then."""
    names = {(spell.line, spell.entity): spell.vendor_id for spell in spells}
    entity = market.entity[month, market.line_slot[line]]
    ids = [names[key] for key in zip(line.tolist(), entity.tolist(), strict=True)]
    ends = _month_ends(market.economy).gather(pl.Series(month))
    return pl.DataFrame({"vendor_id": ids, "month_end": ends})


def _betas(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    slot = market.line_slot
    month, line = np.nonzero(market.listed[:, slot])
    betas = {
        f"beta_{factor}": pl.Series(market.beta[month, i, slot[line]])
        for i, factor in enumerate(FACTORS)
    }
    return _keys(market, spells, month, line).with_columns(**betas).sort("vendor_id", "month_end")


def _returns(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    slot, securities = market.line_slot, market.securities
    stays = market.listed.copy()
    stays[0] = False
    stays[1:] &= market.listed[:-1] & (market.entity[1:] == market.entity[:-1])
    month, line = np.nonzero(stays[:, slot])
    firm = np.searchsorted(securities.entity, market.entity[month, slot[line]])
    first_row = market.economy.first_row
    last = np.minimum(first_row[month + 1] - 1, securities.last_row[firm])
    ret = market.level[line, last] / market.level[line, first_row[month] - 1] - 1
    keys = _keys(market, spells, month, line)
    return keys.with_columns(ret=pl.Series(ret)).sort("vendor_id", "month_end")


def _delistings(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    securities = market.securities
    gone = {s.vendor_id: s.security for s in spells if securities.left[s.security]}
    rows = [
        (
            vendor_id,
            market.economy.days[securities.last_row[i]],
            REASONS[securities.reason[i]],
            float(securities.delisting_return[i]),
        )
        for vendor_id, i in gone.items()
    ]
    schema = {
        "vendor_id": pl.String,
        "date": pl.Date,
        "reason": pl.String,
        "delisting_return": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("vendor_id")
