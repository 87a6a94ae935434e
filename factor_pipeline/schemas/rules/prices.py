"""Rules of daily prices.

The figures in ``why`` were measured on 2.4 million daily prices of 504 stocks, 1999 to 2021, of one
vendor (the real files), and on the default simulated market, which has no such faults.
"""

from functools import partial

from factor_pipeline.compute.returns import DISPUTE_TOLERANCE
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.rules.rule import Rule

_warn = partial(Rule, table=PRICE_DAILY.qualified_name, severity="warn")

_OF_ACTIONS = (
    _warn(
        name="dividend_and_split_same_day",
        finds="A dividend and a split have the same ex-date.",
        harm="The dividend may be per old or per new share: the return is off by the factor.",
    ),
    _warn(
        name="split_without_price_move",
        finds="A split of a fifth or more is booked, but most of it is left in the return: the "
        "price did not move with it, nor on the days before.",
        harm="The return of the day is that of the split; every share count is restated by it.",
        threshold=1.22,
        unit="ratio of the split",
        why="Smaller ones are stock dividends, which drown in what a day may earn. Of 457 larger "
        "splits of the real files two are so: ANTM 2002-03-18 and GNRC 2010-02-12.",
    ),
    _warn(
        name="split_on_wrong_day",
        finds="A split is booked, as such or in the adjusted close, on a day on which the price "
        "did not make it, within five rows of a day on which it did.",
        harm="Two days have returns of the size of the split, in two months at the worst.",
        threshold=5.0,
        unit="rows",
        why="A week: further away the two can hardly be told from two events. In the real files "
        "TRMB 2007-02-23, one day early.",
    ),
    _warn(
        name="unbooked_split",
        finds="The price moves by the ratio of a split, at least 2, stays there, and none is "
        "booked: on a day whose range is under a tenth of the move; or, at any usual ratio, while "
        "the adjusted close stands still.",
        harm="The return is off by the ratio, and the share count stays on the old basis.",
        threshold=2.0,
        unit="ratio of the split",
        why="A true crash trades through a range of an eighth of it at least. In the real files "
        "four: TRMB 2007-02-26, WST 2004-09-30, ANTM 2005-06-02, TMUS 2013-05-01; none in the "
        "simulated market. Below 2 a quiet day can earn as much.",
    ),
    _warn(
        name="dividend_like_spin_off",
        finds="A cash dividend is a fifth of the close before, or more.",
        harm="It is a spin-off or a special dividend, or in another unit: momentum, yield and the "
        "split basis of the share count need a look.",
        threshold=0.2,
        unit="share of the close",
        why="In the real files 42 of 27,729 are, nearly all of them spin-offs.",
    ),
    _warn(
        name="adjusted_close_disagrees",
        finds="The return from close, split and dividend differs from that of the adjusted close.",
        harm="One of the two is wrong; panel.disputed_return says which counts.",
        threshold=DISPUTE_TOLERANCE,
        unit="decimal",
        why="Adjusted closes are rounded to 1e-4 of a return at most. In the real files 14 days "
        "differ by more than the threshold, all of them misbooked.",
    ),
    _warn(
        name="adjusted_close_missing",
        finds="The first of rows without an adjusted close.",
        harm="The returns of these days cannot be checked against the vendor's.",
    ),
)

_OF_PRICES = (
    _warn(
        name="stale_price",
        finds="Eight rows in a row have the very same close.",
        harm="A suspended stock or a copied price looks like a stock without risk.",
        threshold=8.0,
        unit="rows",
        why="In the real files five runs are so long, 22 of five to seven rows are of cheap stocks "
        "in times of sixteenths. In the simulated market none is longer than two.",
    ),
    _warn(
        name="spike_reversal",
        finds="The price jumps by a factor of 1.15 on a day whose range is under a tenth of that, "
        "or of 1.5 on any, and is back on the next.",
        harm="Two false returns that cancel in the long run, and make volatility and reversal.",
        threshold=1.15,
        unit="ratio to the close before",
        why="In the real files four, all wrong (IRM 2006-02-02, CMCSA 2004-08-02, APTV twice in "
        "2017-11); three of 5 million days of the simulated market.",
    ),
    _warn(
        name="decimal_shift",
        finds="The close is that of the day before times or over a power of ten, with no split. "
        "The way back within ten rows is not flagged again.",
        harm="A return of 900 or -90 % that nobody earned.",
        threshold=0.05,
        unit="decimal logarithm",
        why="A day's own return of 12 % beside the shift. None in the real files, where the "
        "largest true loss of a day is 68 %.",
    ),
    _warn(
        name="extreme_return",
        finds="The total return of a day halves or doubles the money.",
        harm="None if true: no filter drops it, AIG 2008-09-15 and AAPL 2000-09-29 are real.",
        threshold=2.0,
        unit="ratio",
        why="17 of 2.4 million days of the real files, ten of them true.",
    ),
    _warn(
        name="zero_volume",
        finds="The first of rows on which no share was traded.",
        harm="The close is a quote or copied: nobody could trade at it.",
    ),
    _warn(
        name="ticker_splice",
        finds="The price halves or doubles on a day whose range is under a tenth of that, nothing "
        "booked or usual explains it, and it stays there; or the series goes on after twelve "
        "calendar months without a price.",
        harm="Two companies in one series: their returns, betas and statements are mixed. See "
        "panel.splices in the settings.",
        threshold=2.0,
        unit="ratio to the close before",
        why="In the real files ANTM 2001-10-30 alone; none in the simulated market. Smaller breaks "
        "of level are unbooked spin-offs too.",
    ),
    _warn(
        name="same_prices_as_another",
        finds="Two series have the same closes on 63 common trading days in a row.",
        harm="One company counts twice, or a file is stored under a wrong name.",
        threshold=63.0,
        unit="days",
        why="A quarter. In the real files and the simulated market no two series share a month.",
    ),
)

_OF_DAYS = (
    _warn(
        name="missing_day",
        finds="A trading day (four fifths of the usual number of series have a price) lacks "
        "between two rows of a series, less than a calendar month apart.",
        harm="The return of the next row is that of two days.",
        threshold=0.8,
        unit="share of the usual number",
        why="In the real files all series but one or two trade on every day that any does; 27 days "
        "are missing, never two in a row.",
    ),
    _warn(
        name="day_off_calendar",
        finds="A row on a day on which under a tenth of the usual number of series have one, or "
        "under half when the exchange is closed by rule.",
        harm="A day that was none: windows of days and compounded returns shift.",
        threshold=0.1,
        unit="share of the usual number",
        why="In the real files the number of series never changes by 3 % from day to day.",
    ),
    _warn(
        name="price_gap_months",
        finds="A series has no row in a calendar month and goes on later.",
        harm="The month has no row in the panel, the next no return.",
        threshold=1.0,
        unit="months",
        why="One is enough: a return needs both months. None in the real files; 66 halts of the "
        "simulated market are.",
    ),
    _warn(
        name="ends_early",
        finds="The last row of a series is before the last day of the data, and no delisting is "
        "known.",
        harm="What its owners got in the end is unknown: returns are biased towards survivors.",
        dated=False,
    ),
    _warn(
        name="partial_last_month",
        finds="The data end before the last trading day of a month.",
        harm="The month has no return yet.",
        dated=False,
    ),
    _warn(
        name="partial_last_bar",
        finds="On the last day of the data the volume is under a fifth of the month before's "
        "median and the range under six tenths of it.",
        harm="The bar was fetched while the market was open: its close is no close.",
        threshold=0.2,
        unit="share of the usual volume",
        why="0.14 % of all days have so little volume, fewer such a range too; none of the 503 "
        "last rows of the real files.",
        dated=False,
    ),
)

PRICE_RULES: tuple[Rule, ...] = (*_OF_ACTIONS, *_OF_PRICES, *_OF_DAYS)

PRICE_THRESHOLDS: dict[str, float] = {
    rule.name: rule.threshold for rule in PRICE_RULES if rule.threshold is not None
}
