"""Formation and backtest together against an account that picks stocks and owns shares.

The account ranks with ``sorted``, fills sectors one name at a time, and books money: orders at the
quotes, a spread for small stocks, a fee for borrowed ones. It knows nothing of weights or arrays.
"""

from dataclasses import dataclass
from random import Random

import polars as pl
import pytest

from factor_pipeline.compute.backtest import run
from factor_pipeline.compute.formation import Formation
from factor_pipeline.compute.strategies import HalfSpread, Strategy
from tests.replication.test_backtest_against_shares import (
    COST,
    COST_TOLERANCE,
    FIRST_QUOTE,
    MONTH_ENDS,
    MONTHS,
    VALUE_TOLERANCE,
    Account,
    delistings_of,
    returns_of,
    security_months,
)

SECTORS = ["Energy", "Health", "Utilities", None]
SPREADS = (HalfSpread(0.2, 0.005), HalfSpread(0.6, 0.001))

CASES = {
    "long_short": {"kind": "long_short", "borrow_cost": 0.03},
    "buffer": {"turnover_buffer": 0.8, "rebalance_months": 1},
    "buffered_long_short": {
        "kind": "long_short",
        "turnover_buffer": 1.0,
        "rebalance_months": 2,
        "borrow_cost": 0.10,
        "spread_by_size": SPREADS,
    },
    "sector_cap": {"sector_cap": 0.3, "weighting": "value"},
    "everything": {
        "kind": "long_short",
        "turnover_buffer": 0.5,
        "sector_cap": 0.4,
        "weighting": "value",
        "borrow_cost": 0.05,
        "spread_by_size": SPREADS,
        "rebalance_months": 1,
    },
    "too_few_sectors": {"sector_cap": 0.2},
}


@dataclass
class Stock:
    """What is known of a stock before a month."""

    security: int
    signal: float
    equity: float
    sector: str | None


def leg(ranked, wanted, held, strategy):
    """Names of a leg, best first: those held within the buffer, then the others."""
    reach = int((1 + strategy.turnover_buffer) * wanted + 1e-9)
    keep = [s for s in ranked[:reach] if s.security in held and strategy.turnover_buffer]
    chosen, filled = [], {}
    for stock in [*keep, *(s for s in ranked if s not in keep)]:
        room = wanted if strategy.sector_cap is None else int(strategy.sector_cap * wanted + 1e-9)
        if len(chosen) < wanted and filled.get(stock.sector, 0) < max(room, 1):
            chosen.append(stock)
            filled[stock.sector] = filled.get(stock.sector, 0) + 1
    return chosen


def weights_within(chosen, strategy):
    mass = {s.security: s.equity if strategy.weighting == "value" else 1.0 for s in chosen}
    weights = {i: m / sum(mass.values()) for i, m in mass.items()}
    if strategy.sector_cap is None:
        return weights
    sector, full = {s.security: s.sector for s in chosen}, set()
    while True:
        shares = {}
        for i, weight in weights.items():
            shares[sector[i]] = shares.get(sector[i], 0.0) + weight
        above = {name for name, share in shares.items() if share > strategy.sector_cap * (1 + 1e-9)}
        if not above - full:
            return weights
        full |= above
        left = 1 - strategy.sector_cap * len(full)
        rest = sum(share for name, share in shares.items() if name not in full)
        for i in weights:
            name = sector[i]
            weights[i] *= strategy.sector_cap / shares[name] if name in full else left / rest


def wanted_weights(stocks, strategy, shares):
    ranked = sorted(stocks, key=lambda s: -s.signal)
    count = int(strategy.top_share * len(ranked) + 1e-9)
    long = leg(ranked, count, {i for i, n in shares.items() if n > 0}, strategy)
    weights = weights_within(long, strategy)
    if strategy.kind == "long_short":
        rest = list(reversed(ranked))
        held = {i for i, n in shares.items() if n < 0}
        reach = int((1 + strategy.turnover_buffer) * count + 1e-9)
        # The buffer counts places of the whole ranking, from its bottom.
        within = {s.security for s in rest[:reach]}
        rest = [s for s in rest if s not in long]
        keep = held & within if strategy.turnover_buffer else set()
        order = [s for s in rest if s.security in keep] + [
            s for s in rest if s.security not in keep
        ]
        short = leg(order, count, set(), strategy)
        weights |= {i: -w for i, w in weights_within(short, strategy).items()}
    return weights


@dataclass
class PayingAccount(Account):
    """Pays a spread by size for trades, and a yearly fee for what it borrows."""

    fee: float = 0.0

    def trade(self, weights, stocks, steps):
        before = self.value()
        held = {i: n * self.quote[i] for i, n in self.shares.items()}
        weights = self.possible(weights)
        equity = {s.security: s.equity for s in stocks}
        cost = 0.0
        for i in sorted({*held, *weights} - (held.keys() & self.silent)):
            size = sum(e <= equity[i] for e in equity.values()) / len(equity)
            spread = next((s.half_spread for s in steps if size <= s.up_to), 0.0)
            cost += (COST + spread) * abs(weights.get(i, 0) * before - held.get(i, 0))
        self.shares = {i: w * (before - cost) / self.quote[i] for i, w in weights.items()}
        self.cash = before - cost - sum(n * self.quote[i] for i, n in self.shares.items())
        return cost

    def borrow(self):
        """Owe a month's fee for what is short, quoted or not."""
        return self.fee / 12 * sum(-n * self.quote[i] for i, n in self.shares.items() if n < 0)


def universe_of(draw, paths, code):
    quoted = [
        i
        for i, path in paths.items()
        if code == 0 or (path[code - 1].close and path[code - 1].payout is None)
    ]
    return [
        Stock(i, draw.random(), draw.lognormvariate(0, 1.5), SECTORS[i % len(SECTORS)])
        for i in quoted
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES)
def test_net_asset_value_equals_that_of_an_account_that_picks_and_books(seed, case):
    draw = Random(seed)
    strategy = Strategy(
        name="test", signals={"signal": 1.0}, cost_per_traded=COST, min_names=3, **CASES[case]
    )
    paths = {security: list(security_months(draw)) for security in range(60)}
    rates = [draw.uniform(0, 0.004) for _ in MONTH_ENDS]
    account = PayingAccount(quote=dict.fromkeys(paths, FIRST_QUOTE), fee=strategy.borrow_cost)
    candidates, values, costs = [], [], []
    for code, (end, rate) in enumerate(zip(MONTH_ENDS, rates, strict=True)):
        stocks = universe_of(draw, paths, code)
        candidates += [(s.security, end, True, s.equity, s.signal, s.sector) for s in stocks]
        costs.append(0.0)
        if code % strategy.rebalance_months == 0:
            weights = wanted_weights(stocks, strategy, account.shares)
            costs[-1] = account.trade(weights, stocks, strategy.spread_by_size)
        market = {i: path[code] for i, path in paths.items()}
        fee = account.borrow()
        account.pass_month(market, rate)
        account.cash -= fee
        values.append(account.value())
    assert min(values) > 0.02  # an account near ruin would magnify roundings

    schema = ["security_id", "month_end", "member", "lagged_market_equity", "signal", "sector"]
    frame = pl.DataFrame(candidates, schema=schema, orient="row")
    result = run(
        [strategy],
        MONTHS,
        returns_of(paths),
        Formation.of(frame, [strategy]),
        cash_returns=pl.DataFrame({"month_end": MONTH_ENDS, "rf": rates}),
        delistings=delistings_of(paths),
        stocks=frame,
    )
    wealth = (1 + result.returns["net"]).cum_prod()
    assert wealth.to_list() == pytest.approx(values, rel=VALUE_TOLERANCE)
    paid = result.returns["cost"] * wealth.shift(1, fill_value=1.0)
    assert paid.to_list() == pytest.approx(costs, rel=COST_TOLERANCE, abs=0)
    assert not result.ledger.is_empty()
