"""What the rules say of clean markets: true oddities, as a simulated market has them too."""

from dataclasses import dataclass

STOCKS, YEARS = 50, 5
SEEDS = range(1, 11)
FILE_SEEDS = SEEDS[:3]


@dataclass(frozen=True)
class Bound:
    """Most flags per 1,000 months of a stock, over all markets together.

    ``embedded`` of the embedded source (``SEEDS``), ``files`` of the same markets in vendors'
    files (``FILE_SEEDS``); 0 where there is none.
    """

    embedded: float
    files: float
    why: str


# About a fifth above what the markets have.
BOUNDS = {
    "amended_filing": Bound(7, 7, "one filing in thirty is restated"),
    "book_to_market_extreme": Bound(0.2, 0, "firms that lost nearly all of their value"),
    "ends_early": Bound(
        0.1, 7, "halts on the last day; vendors' price files say of no stock that it was delisted"
    ),
    "filed_late": Bound(13, 13, "a prospectus shows the years before an offering"),
    "missing_day": Bound(11, 11, "trading halts"),
    "negative_equity": Bound(2, 2, "firms whose liabilities exceed their assets"),
    "price_gap_months": Bound(0.1, 0, "halts of more than a month"),
    "total_market_equity_jump": Bound(
        0.1, 0.2, "a large firm enters or leaves a market of fifty firms"
    ),
}
