"""The chapter on definitions: what the numbers mean, in a line each."""

from collections.abc import Sequence

from factor_pipeline.reporting.blocks import Block, Facts, Part, Section
from factor_pipeline.reporting.published import Published

_DEFINITIONS = {
    "Returns": (
        "Total returns from raw close, split and cash dividend; a missing month stays missing. "
        "Delisting returns are compounded."
    ),
    "Timing": (
        "Signals of a month use only what was public before it began; filings count from the day "
        "after they were filed, restatements from theirs."
    ),
    "Book-to-market": (
        "June of t: book equity of the fiscal year that ended in t−1 over market equity at the end "
        "of December t−1, held from July (Fama and French 1993)."
    ),
    "Momentum 12-2": ("Return from month t−12 to t−2 (Jegadeesh and Titman 1993)."),
    "Factors": (
        "SMB, HML and UMD from 2×3 sorts on size and the signal, value weighted; MKT is the "
        "value-weighted market less the Treasury bill."
    ),
    "Strategies": (
        "As the settings of this build declare them (below): a universe on the date, the names "
        "that rank highest, weights that drift between rebalances, costs on all that is traded."
    ),
    "Statistics": (
        "Volatility is sd × √12; the Sharpe ratio is over Treasury bills; t-values are Newey and "
        "West's with floor(4 (T/100)^(2/9)) lags unless called plain."
    ),
    "Rolling figures": (
        "This month and the 35 before it; months next to each other share 35 of them, so a smooth "
        "line is no evidence."
    ),
}


def _definitions(_: Published) -> Sequence[Block]:
    return [Facts(tuple(_DEFINITIONS.items()))]


METHODOLOGY = Section(
    "methodology",
    "Definitions",
    "Every column of every table has its unit and definition as a comment in the published file.",
    (Part("definitions", _definitions),),
)
