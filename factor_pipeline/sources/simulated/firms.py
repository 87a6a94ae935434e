"""Firms at their listing, and the closing of their fiscal years."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.draws import Draws, Floats, Integers

_DECEMBER_SHARE: Final = 0.65
_LOT: Final = 1000.0  # shares and dollars are stated in thousands
_LOG_EQUITY: Final = (20.5, 1.4)  # mean and deviation of log market equity: median USD 0.8 bn
_ENTRANT_SCALE: Final = 0.3
_LOG_BOOK_TO_MARKET: Final = (-0.65, 0.65)
_ENTRANT_LOG_BOOK_TO_MARKET: Final = -1.1
_HIGHEST_VALUATION: Final = 10.0
_PAID_OUT: Final = 0.6
_NORMAL_MARGIN: Final = 0.12  # operating profit over book beyond the return on equity
_PAYER_SHARE: Final = 0.6
_LEVERAGE: Final = (1.2, 6.0)

EXCHANGES: Final = ("NYSE", "NASDAQ", "AMEX")
"""Exchanges, those of larger firms first."""

_NYSE_ABOVE: Final = 0.7  # score of size and chance
_AMEX_BELOW: Final = -2.0


@dataclass(frozen=True, slots=True)
class Newcomers:
    """State of firms at their listing, each of shape (N,) but ``past_growth``.

    Attributes
    ----------
    price, shares
        First price in dollars, shares outstanding.
    book
        Book equity in dollars at the last fiscal year end.
    leverage
        Assets over book equity.
    own_profitability
        Part of operating profitability that stays with the firm.
    payout
        Dividend per year over price; 0 for those that pay none.
    volatility
        Daily volatility of the return no factor explains.
    fiscal_month
        Month (1-12) the fiscal year ends in.
    exchange
        Position in ``EXCHANGES``.
    past_growth
        Growth of assets in the latest fiscal years before the listing, latest first; (3, N).
    """

    price: Floats
    shares: Floats
    book: Floats
    leverage: Floats
    own_profitability: Floats
    payout: Floats
    volatility: Floats
    fiscal_month: Integers
    exchange: Integers
    past_growth: Floats


@dataclass(frozen=True, slots=True)
class Year:
    """A closed fiscal year of each firm: dollars and shares at its end, each of shape (N,).

    ``profitability`` is (revenue - costs - interest) / book equity, ``investment`` the growth
    of total assets, ``dividends`` what was paid in the year.
    """

    book: Floats
    leverage: Floats
    shares: Floats
    profitability: Floats
    investment: Floats
    net_income: Floats
    dividends: Floats


def newcomers(draws: Draws, entity: Integers, *, entrant: bool, level: float) -> Newcomers:
    """Draw firms at their listing.

    Parameters
    ----------
    draws
        Draws of the market.
    entity
        Identifiers of the securities, shape (N,).
    entrant
        Whether they enter a running market: such firms are smaller and dearer.
    level
        Mean market equity of the market over that of its first month.
    """
    mean, deviation = _LOG_EQUITY
    size = draws.normal("equity", entity)
    equity = np.exp(mean + deviation * size) * level
    standing = size + draws.normal("exchange", entity)
    log_ratio, spread = _LOG_BOOK_TO_MARKET
    if entrant:
        equity *= _ENTRANT_SCALE
        log_ratio = _ENTRANT_LOG_BOOK_TO_MARKET
    price = np.round(12 + 58 * draws.uniform("price", entity), 2)
    # In whole lots, so that the last bit of an exponential cannot show.
    shares = np.maximum(np.rint(equity / price / _LOT), 100.0) * _LOT
    ratio = np.exp(log_ratio + spread * draws.normal("book to market", entity))
    december = draws.uniform("december", entity) < _DECEMBER_SHARE
    pays = draws.uniform("payer", entity) < _PAYER_SHARE
    years = np.arange(3)[:, None]
    return Newcomers(
        price=price,
        shares=shares,
        book=np.rint(price * shares * ratio / _LOT) * _LOT,
        leverage=1.5 + 1.5 * draws.uniform("leverage", entity),
        own_profitability=0.16 * draws.normal("profitability", entity),
        payout=np.where(pays, 0.01 + 0.03 * draws.uniform("payout", entity), 0.0),
        volatility=0.014 + 0.016 * draws.uniform("volatility", entity),
        fiscal_month=np.where(december, 12, 1 + draws.integers("fiscal", entity, below=11)),
        exchange=np.where(standing > _NYSE_ABOVE, 0, np.where(standing < _AMEX_BELOW, 2, 1)),
        past_growth=np.clip(0.08 + 0.08 * draws.normal("past growth", entity, years), -0.15, 0.4),
    )


def return_on_equity(valuation: Floats, news: Floats) -> Floats:
    """Net income over book equity: firms priced high over book earn more.

    That pulls book-to-market back to its mean, at the pace of Fama and French (1995).
    """
    return 0.02 + 0.05 * np.minimum(valuation, _HIGHEST_VALUATION) + 0.05 * news


def affordable_payout(payout: Floats, valuation: Floats) -> Floats:
    """Dividends per year over price, at most what a firm of this valuation can expect to earn."""
    expected = return_on_equity(valuation, np.zeros(len(valuation)))
    return np.minimum(payout, _PAID_OUT * expected / valuation)


def close_year(  # noqa: PLR0913 - the balance of a year has as many entries
    draws: Draws,
    entity: Integers,
    month: int,
    *,
    price: Floats,
    shares: Floats,
    book: Floats,
    leverage: Floats,
    own_profitability: Floats,
    dividends: Floats,
) -> Year:
    """Close the fiscal years that end in a month.

    Book equity grows by net income less dividends plus shares issued at the market price;
    assets also by what is borrowed. Arrays of shape (N,).

    Parameters
    ----------
    draws, entity, month
        Address of the draws.
    price, shares
        At the end of the month, before new shares.
    book, leverage
        At the end of the year before.
    own_profitability
        See ``Newcomers``.
    dividends
        Dollars paid in the year.
    """
    news, borrowing, issuing, operating = (
        draws.normal(stream, entity, month) for stream in ("news", "debt", "issue", "operations")
    )
    earned = return_on_equity(price * shares / book, news)
    issued = np.clip(0.004 + 0.012 * issuing, -0.03, 0.05)
    new_shares = np.maximum(np.rint(shares * (1 + issued)), 1.0)
    kept = book * (1 + earned) - dividends + (new_shares - shares) * price
    new_book = np.maximum(kept, 0.7 * book)
    new_leverage = np.clip(leverage * (1 + 0.10 * borrowing), *_LEVERAGE)
    return Year(
        book=new_book,
        leverage=new_leverage,
        shares=new_shares,
        profitability=_NORMAL_MARGIN + earned + own_profitability + 0.06 * operating,
        investment=new_book * new_leverage / (book * leverage) - 1,
        net_income=earned * book,
        dividends=dividends,
    )


def years_before(firms: Newcomers) -> tuple[Year, ...]:
    """Return the fiscal years before the listing, latest first, one per ``past_growth``."""
    valuation = firms.price * firms.shares / firms.book
    book, years = firms.book, []
    for growth in firms.past_growth:
        earned = return_on_equity(valuation, np.zeros(len(book)))
        before = book / (1 + growth)
        years.append(
            Year(
                book=book,
                leverage=firms.leverage,
                shares=firms.shares,
                profitability=_NORMAL_MARGIN + earned + firms.own_profitability,
                investment=growth,
                net_income=earned * before,
                dividends=affordable_payout(firms.payout, valuation) * valuation * before,
            )
        )
        book = before
    return tuple(years)
