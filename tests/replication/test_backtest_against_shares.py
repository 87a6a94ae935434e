"""The backtest against an account that owns shares and cash and knows nothing of weights."""

from dataclasses import dataclass, field
from datetime import date
from random import Random

import polars as pl
import pytest

from factor_pipeline.compute.backtest import run
from factor_pipeline.compute.halts import position_returns
from factor_pipeline.compute.strategies import Strategy
from factor_pipeline.months import MonthRange

MONTHS = MonthRange(date(2001, 1, 1), date(2011, 1, 1))
MONTH_ENDS = (
    pl.date_range(MONTHS.start, MONTHS.end, "1mo", closed="left", eager=True)
    .dt.month_end()
    .to_list()
)
BEFORE = date(2000, 12, 31)
FIRST_QUOTE = 100.0
PATIENCE = 12  # months without a quote after which the account writes its shares off as cash
COST = 0.002

PANEL = {
    "security_id": pl.Int64,
    "month_end": pl.Date,
    "price": pl.Float64,
    "split": pl.Float64,
    "dividend": pl.Float64,
    "delisting_return": pl.Float64,
    "ret": pl.Float64,
    "flags": pl.String,
}

# 120 months of about 20 positions: some thousand roundings of 1e-16, partly cancelling.
VALUE_TOLERANCE = 1e-12
# A cost is a difference of positions, a thousandth of them: three digits fewer.
COST_TOLERANCE = 1e-9


@dataclass
class Month:
    """What a security did in a month; ``close`` is None when nobody quoted it at the end."""

    close: float | None
    split: float = 1.0
    dividend: float = 0.0
    payout: float | None = None
    """Cash per share when it was delisted at the end of the month."""


@dataclass
class Account:
    """Shares bought and sold at month-end quotes; the cost is taken out of cash.

    Nobody buys or sells what has no quote: it fills its part of the long or the short side, and
    the orders for the rest of that side share what it leaves. Only the cost makes it smaller too.
    """

    quote: dict[int, float]
    cash: float = 1.0
    shares: dict[int, float] = field(default_factory=dict)
    silent: dict[int, int] = field(default_factory=dict)
    """Months since the last quote of what has none."""

    def value(self):
        return self.cash + sum(n * self.quote[i] for i, n in self.shares.items())

    def rebalance(self, weights):
        """Order at the quotes, pay, and own ``weights`` of what is left; return the cost."""
        before = self.value()
        held = {i: n * self.quote[i] for i, n in self.shares.items()}
        weights = self.possible(weights)
        names = sorted({*held, *weights})
        cost = COST * sum(abs(weights.get(i, 0) * before - held.get(i, 0)) for i in names)
        self.shares = {i: w * (before - cost) / self.quote[i] for i, w in weights.items()}
        self.cash = before - cost - sum(n * self.quote[i] for i, n in self.shares.items())
        return cost

    def possible(self, weights):
        """Return ``weights``, with what cannot be traded left as it is and the rest around it."""
        stuck = {
            i: n * self.quote[i] / self.value() for i, n in self.shares.items() if i in self.silent
        }
        if not stuck:
            return weights
        result = dict(stuck)
        for is_side in (lambda w: w > 0, lambda w: w < 0):
            side = {i: w for i, w in weights.items() if is_side(w)}
            free = {i: w for i, w in side.items() if i not in stuck}
            room = sum(side.values()) - sum(w for w in stuck.values() if is_side(w))
            if free and is_side(room):
                result |= {i: room * w / sum(free.values()) for i, w in free.items()}
        return result

    def pass_month(self, market, rate):
        self.cash *= 1 + rate
        for security in list(self.shares):
            month, old = market[security], self.shares[security]
            if month.close is not None:
                self.shares[security] = old * month.split + old * month.dividend / month.close
            if month.payout is not None:
                self.cash += self.shares.pop(security) * month.payout
            elif month.close is None and self.silent.get(security, 0) + 1 == PATIENCE:
                self.cash += self.shares.pop(security) * self.quote[security]
        self.quote |= {i: month.close for i, month in market.items() if month.close}
        self.silent = {
            i: self.silent.get(i, 0) + 1 for i, month in market.items() if month.close is None
        }


def security_months(draw):
    """Random prices, splits, dividends and halts; some are delisted, some just vanish."""
    price, silent = FIRST_QUOTE, 0
    delisted = draw.choice([len(MONTHS), draw.randrange(len(MONTHS))])
    vanished = draw.choice([len(MONTHS), len(MONTHS), draw.randrange(len(MONTHS))])
    for month in range(len(MONTHS)):
        silent -= 1
        if draw.random() < 0.02:
            silent = draw.choice([1, 1, 1, 2, 5, PATIENCE - 1, PATIENCE, PATIENCE + 4])
        if month > delisted or month >= vanished or silent > 0:
            payout = price * draw.uniform(0.0, 1.5) if month == delisted < vanished else None
            yield Month(close=None, payout=payout)
            continue
        split = draw.choice([1.0] * 40 + [2.0, 3.0, 1.5, 0.1])
        price *= draw.lognormvariate(0.005, 0.1) / split
        dividend = price * draw.choice([0.0, 0.0, 0.01])
        payout = price * draw.uniform(0.0, 1.5) if month == delisted else None
        yield Month(price, split, dividend, payout)


def panel_of(paths):
    """Rows a panel of months would have: none without a quote but for a delisting."""
    rows = []
    for security, path in paths.items():
        before, quote = FIRST_QUOTE, FIRST_QUOTE
        rows.append((security, BEFORE, FIRST_QUOTE, 1.0, 0.0, None, None, None))
        for end, month in zip(MONTH_ENDS, path, strict=True):
            if month.close is None and month.payout is None:
                before = None
                continue
            last = month.close or quote
            delisting = None if month.payout is None else month.payout / last - 1
            ret = delisting
            if month.close is not None and before is not None:
                ret = (month.close * month.split + month.dividend) / before - 1
                ret = ret if delisting is None else (1 + ret) * (1 + delisting) - 1
            dividend = month.dividend / month.split  # per share there is at the month's end
            rows.append((security, end, month.close, month.split, dividend, delisting, ret, None))
            before, quote = month.close, last
    return pl.DataFrame(rows, schema=PANEL, orient="row")


def returns_of(paths):
    return position_returns(panel_of(paths), MONTHS)


def delistings_of(paths):
    rows = [
        (security, end, "merger")
        for security, path in paths.items()
        for end, month in zip(MONTH_ENDS, path, strict=True)
        if month.payout is not None
    ]
    schema = {"security_id": pl.Int64, "month_end": pl.Date, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def weights_of(draw, quoted, kind):
    """Twenty random names: random weights that sum to 1, or as many long as short."""
    names = draw.sample(quoted, min(20, len(quoted)) // 2 * 2)
    if kind == "long_short":
        half = len(names) // 2
        return {i: (1 if k < half else -1) / half for k, i in enumerate(names)}
    sizes = [draw.random() for _ in names]
    return {i: size / sum(sizes) for i, size in zip(names, sizes, strict=True)}


def quoted_before(paths, code):
    if code == 0:
        return list(paths)
    return [i for i, p in paths.items() if p[code - 1].close and p[code - 1].payout is None]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["long_only", "long_short"])
@pytest.mark.parametrize("highest_rate", [0.0, 0.005])
def test_net_asset_value_equals_that_of_an_account_of_shares(seed, kind, highest_rate):
    draw = Random(seed)
    paths = {security: list(security_months(draw)) for security in range(60)}
    rates = [draw.uniform(0, highest_rate) for _ in MONTH_ENDS]
    account = Account(quote=dict.fromkeys(paths, FIRST_QUOTE))
    targets, values, costs = [], [], []
    for code, (end, rate) in enumerate(zip(MONTH_ENDS, rates, strict=True)):
        costs.append(0.0)
        if code % 3 == 0:
            weights = weights_of(draw, quoted_before(paths, code), kind)
            targets += [("test", i, end, weight) for i, weight in weights.items()]
            costs[-1] = account.rebalance(weights)
        account.pass_month({i: path[code] for i, path in paths.items()}, rate)
        values.append(account.value())
    assert min(values) > 0.05  # an account near ruin would magnify roundings

    result = run(
        [Strategy(name="test", signals={"any": 1.0}, kind=kind, cost_per_traded=COST)],
        MONTHS,
        returns_of(paths),
        pl.DataFrame(
            targets, schema=["strategy", "security_id", "month_end", "weight"], orient="row"
        ),
        cash_returns=pl.DataFrame({"month_end": MONTH_ENDS, "rf": rates}),
        delistings=delistings_of(paths),
    )
    wealth = (1 + result.returns["net"]).cum_prod()
    assert wealth.to_list() == pytest.approx(values, rel=VALUE_TOLERANCE)
    paid = result.returns["cost"] * wealth.shift(1, fill_value=1.0)
    assert paid.to_list() == pytest.approx(costs, rel=COST_TOLERANCE, abs=0)
    assert set(result.ledger["reason"]) == {"merger", "no return"}
