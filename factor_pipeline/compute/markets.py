"""What every month of the market does to positions: returns, exits, cost and size of trades."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from factor_pipeline.compute.accounting import Booleans, Floats, Integers, Market, Terms
from factor_pipeline.compute.backtest_arrays import Codes
from factor_pipeline.compute.backtest_inputs import within
from factor_pipeline.compute.halts import HALT_MONTHS
from factor_pipeline.compute.strategies import HalfSpread, Strategy
from factor_pipeline.errors import DataError

_EQUITY = "lagged_market_equity"
_VOLUME = "lagged_dollar_volume"


@dataclass(frozen=True, slots=True)
class Markets:
    """All months of a run, arrays of shape (months, securities).

    Attributes
    ----------
    returns
        Total returns, NaN where there is none.
    delisted
        Whether the delisting is on record in the month.
    gone
        Whether a position without a return exits: its delisting is on record by the month, or it
        has had no price for `HALT_MONTHS`.
    halted
        Whether there was no price when the month began.
    cash_ret
        Return of cash, shape (months,).
    observed
        Whether any security of the market has a return, shape (months,).
    size
        Share of the market's stocks no larger, by market equity; null without strategies that ask.
    volume
        Dollar volume of the month before; null where not given.
    spread_tables
        The distinct tables of the strategies.
    """

    returns: Floats
    delisted: Booleans
    gone: Booleans
    halted: Booleans
    cash_ret: Floats
    observed: Booleans
    size: Floats | None
    volume: Floats | None
    spread_tables: tuple[tuple[HalfSpread, ...], ...]

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - the inputs of a run
        cls,
        codes: Codes,
        strategies: Sequence[Strategy],
        returns: pl.DataFrame,
        delistings: pl.DataFrame,
        cash_ret: pl.Series,
        stocks: pl.DataFrame | None,
    ) -> "Markets":
        """Arrays of checked frames, returns and cash of the months of ``codes`` only.

        Raises
        ------
        DataError
            When a security has two rows in a month, or a strategy pays by size and no stocks are
            given.
        """
        with_return = returns.filter(pl.col("ret").is_not_null()).select(
            pl.col("month_end").unique()
        )
        observed = np.zeros(len(codes.months), dtype=np.bool_)
        observed[codes.month(with_return)] = True
        ret, _ = codes.matrix(returns, "ret", what="returns")
        leaving = codes.holdable(within(delistings, codes.months))
        delisted = np.zeros(ret.shape, dtype=np.bool_)
        delisted[codes.month(leaving), codes.security(leaving)] = True
        gone = np.logical_or.accumulate(delisted, axis=0)
        earlier = codes.holdable(delistings.filter(pl.col("month_end") < codes.months.start))
        gone[:, codes.security(earlier)] = True
        halted = np.zeros(ret.shape, dtype=np.bool_)
        if "halted_months" in returns.columns:
            without_price, _ = codes.matrix(returns, "halted_months", what="returns")
            halted = without_price > 0
            # A security without a row has had no price for longer.
            gone |= ~(without_price < HALT_MONTHS - 1)
        tables = tuple(sorted({s.spread_by_size for s in strategies} - {()}, key=str))
        if tables and stocks is None:
            raise DataError("strategies pay by size: give stocks with their market equity")
        size = volume = None
        if stocks is not None:
            known = within(stocks, codes.months)
            if tables:
                size, _ = codes.matrix(_with_size(known), "size", what="stocks")
            if _VOLUME in known.columns:
                volume, _ = codes.matrix(known, _VOLUME, what="stocks")
        cash = cash_ret.fill_null(0.0).to_numpy()
        return cls(ret, delisted, gone, halted, cash, observed, size, volume, tables)

    def month(self, code: int) -> Market:
        """Market of one month."""
        ret = self.returns[code]
        has_return = ~np.isnan(ret)
        return Market(
            earned=np.where(has_return, ret, 0.0),
            leaves=(~has_return & self.gone[code]) | self.delisted[code] | (ret == -1.0),
            is_halted=self.halted[code],
            cash_ret=float(self.cash_ret[code]),
            is_observed=bool(self.observed[code]),
            half_spreads=np.array([self._half_spreads(table, code) for table in self.spread_tables])
            if self.spread_tables
            else np.zeros((1, ret.size)),
            volume=None if self.volume is None else self.volume[code],
        )

    def terms(self, strategies: Sequence[Strategy], max_volume_share: float) -> Terms:
        """Return what ``strategies`` pay, in their order."""
        tables: Integers = np.array(
            [
                self.spread_tables.index(s.spread_by_size) if s.spread_by_size else -1
                for s in strategies
            ]
        )
        return Terms(
            cost_rates=np.array([s.cost_per_traded for s in strategies]),
            spread_tables=tables,
            borrow_rates=np.array([s.borrow_cost for s in strategies]),
            max_volume_share=max_volume_share,
        )

    def _half_spreads(self, table: tuple[HalfSpread, ...], code: int) -> Floats:
        """Half-spread of each security; one of unknown size pays the largest."""
        spreads = np.array([*(step.half_spread for step in table), 0.0])
        if self.size is None:
            return np.zeros(self.returns.shape[1])
        size = self.size[code]
        step = np.searchsorted([step.up_to for step in table], size)
        paid: Floats = np.where(np.isnan(size), spreads.max(), spreads[step])
        return paid


def _with_size(stocks: pl.DataFrame) -> pl.DataFrame:
    """Stocks with ``size``, the share of those with a market equity that are no larger."""
    rows = stocks.select("security_id", "month_end", _EQUITY).sort("month_end", "security_id")
    is_known = pl.col(_EQUITY).is_finite() & (pl.col(_EQUITY) > 0)
    rank = pl.when(is_known).then(pl.col(_EQUITY)).rank("max").over("month_end")
    count = is_known.sum().over("month_end")
    ranked = rows.select("security_id", "month_end", rank=rank, count=count)
    # Polars and NumPy agree on a quotient of two columns.
    return ranked.select(
        "security_id", "month_end", size=pl.col("rank").cast(pl.Float64) / pl.col("count")
    )
