"""Rules of results: what no row of the data shows, and what was computed from them does."""

from factor_pipeline.schemas.distribution import DISTRIBUTION
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.raw import BENCHMARK_DAILY
from factor_pipeline.schemas.rules.rule import Rule
from factor_pipeline.schemas.signal import CHARACTERISTIC

_PANEL = SECURITY_MONTH.qualified_name

RESULT_RULES = (
    Rule(
        name="market_equity_share",
        table=_PANEL,
        severity="warn",
        finds="A firm comes to be worth more than 15 % of all firms with market equity, or, where "
        "these are few, more than 40 average ones.",
        harm="On a wrong share basis one firm is the market, and every value-weighted return its "
        "own.",
        threshold=0.15,
        unit="share of total market equity",
        why="The largest true share is Apple's 9.2 % of 358 firms in 2021, 36 average ones; of 60 "
        "simulated firms one is up to 31.",
    ),
    Rule(
        name="market_equity_jump",
        table=_PANEL,
        severity="warn",
        finds="Market equity changes by a factor of 1.5 or more within a month beyond the return.",
        harm="A share count is on another basis than the one before: size, value and weights jump.",
        threshold=1.5,
        unit="ratio",
        why="60 of 113,819 stock-months of the vendors' files, among them Mastercard (9.8 in 2012) "
        "and Discovery (0.12 in 2015); none of the 242,632 of a simulated market.",
    ),
    Rule(
        name="book_to_market_extreme",
        table=CHARACTERISTIC.qualified_name,
        severity="warn",
        finds="Book-to-market rises above 10.",
        harm="Book equity of the firm is set against the shares of one class: it leads every sort "
        "on value.",
        threshold=10,
        unit="ratio",
        why="In the vendors' files these are Discovery (70.9) and Enphase (12.4), both with a "
        "wrong share count; the next one is below 5. Shares close to worthless are true ones.",
    ),
    Rule(
        name="total_market_equity_jump",
        table=_PANEL,
        severity="warn",
        finds="Total market equity of 30 firms or more changes by a factor of 1.2 or more within a "
        "month beyond their value-weighted return.",
        harm="Firms entered or left, or share counts changed, all at once: the months before and "
        "after are not of one market.",
        threshold=1.2,
        unit="ratio",
        why="At most 1.04 with 1,000 simulated stocks and 1.16 with 60; 1.3 to 2.6 in the months "
        "of 2009 in which SimFin's share counts begin.",
    ),
    Rule(
        name="coverage_drop",
        table=_PANEL,
        severity="warn",
        finds="The number of stocks with a return falls by more than 10 % within a month.",
        harm="Files are missing or end: what is left is another universe.",
        threshold=0.1,
        unit="share of the stocks",
        why="The largest true fall is 0.3 % in the vendors' files, and 3.2 % of 62 simulated "
        "stocks.",
    ),
    Rule(
        name="benchmark_leaves_market",
        table=BENCHMARK_DAILY.qualified_name,
        severity="warn",
        finds="The correlation of the benchmark with our market factor over 24 months falls below "
        "0.9.",
        harm="One of the two is wrong, or shifted by a month; tracking errors and betas of "
        "strategies are, too.",
        threshold=0.9,
        unit="correlation",
        why="Never below 0.95 between the S&P 500 and the market of its later members.",
    ),
    Rule(
        name="factor_leaves_library",
        table=FACTOR_RETURN.qualified_name,
        severity="warn",
        finds="The correlation of an own factor with the library's over 24 months falls 4.5 "
        "standard errors below that of all months before.",
        harm="From there on the factor measures something else: a vendor changed, or a sort broke.",
        threshold=4.5,
        unit="standard errors of Fisher's z; correlations count up to 0.98",
        why="The largest true fall is 3.9 (value, in a simulated market), 3.3 in vendors' files "
        "(market).",
    ),
    Rule(
        name="distribution_shift",
        table=DISTRIBUTION.qualified_name,
        severity="warn",
        finds="More than a tenth of a year's rows or values came, went or moved since the build "
        "before, with the same settings.",
        harm="A vendor restated history, changed a unit or dropped stocks: results are not those "
        "of yesterday.",
        threshold=0.1,
        unit="share of rows",
        why="A build of the same files moves nothing, and so does one more month, as only years "
        "with the same months are compared. Another unit moves all rows, half of the stocks half.",
        dated=False,
    ),
)
