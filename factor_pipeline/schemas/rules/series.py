"""Rules of the factor library, of benchmarks and funds, and of macroeconomic series."""

from factor_pipeline.schemas.raw import BENCHMARK_DAILY, FRENCH_RETURN, MACRO
from factor_pipeline.schemas.rules.rule import Rule

_LIBRARY = FRENCH_RETURN.qualified_name
_LEVELS = BENCHMARK_DAILY.qualified_name
_MACRO = MACRO.qualified_name

LIBRARY_RULES = (
    Rule(
        name="library_month_missing",
        table=_LIBRARY,
        severity="warn",
        finds="A month between two of a block of the library has no row.",
        harm="Risk-free rate and factors of the month are missing: betas skip it.",
    ),
    Rule(
        name="library_missing_code",
        table=_LIBRARY,
        severity="warn",
        finds="A series of the library has missing codes between two values.",
        harm="The months have no return; a mean over the series is over fewer months.",
    ),
    Rule(
        name="library_off_scale",
        table=_LIBRARY,
        severity="warn",
        finds="A monthly factor's average absolute return of a calendar year is above 30 % or, but "
        "for the risk-free rate, below 0.3 %.",
        harm="Percent were read as decimals, or decimals as percent: betas are off by 100.",
        threshold=0.3,
        unit="decimal per month; 1/100 of it is too small",
        why="Between 0.49 % (SMB 1964) and 12.9 % (momentum and market 1932) in a century.",
    ),
    Rule(
        name="library_days_against_months",
        table=_LIBRARY,
        severity="warn",
        finds="The library's daily market returns of a month, compounded, differ from the monthly "
        "return of the same edition by more than 0.2 %.",
        harm="Daily and monthly betas are estimated on different markets.",
        threshold=0.002,
        unit="decimal",
        why="One of 1,194 months does, September 1931, with 0.4 %.",
    ),
    Rule(
        name="library_repeated_values",
        table=_LIBRARY,
        severity="warn",
        finds="All returns of a block of the library, two or more, are those of the row before.",
        harm="A row was copied: the month has the returns of another one.",
        threshold=2,
        unit="series",
        why="No two rows of the four editions are the same; a single series repeats a value of "
        "four digits by chance every few hundred rows.",
    ),
)
LEVEL_RULES = (
    Rule(
        name="level_stale",
        table=_LEVELS,
        severity="warn",
        finds="A benchmark or fund stays at one level for five days or more.",
        harm="Returns of zero that nobody earned; correlations and betas are too low.",
        threshold=5,
        unit="days",
        why="Of 58,556 levels one run is that long: a fund in its second week, in 2000.",
    ),
    Rule(
        name="level_spike_reversal",
        table=_LEVELS,
        severity="warn",
        finds="A benchmark or fund jumps by more than 15 % and is back the day after, within a "
        "fifth of the jump.",
        harm="A day's or month's return that was none, and its reversal.",
        threshold=0.15,
        unit="natural logarithm",
        why="The largest true one is the 10.6 % of 12 and 13 March 2020.",
    ),
    Rule(
        name="level_gap",
        table=_LEVELS,
        severity="warn",
        finds="More than seven calendar days lie between two levels of a benchmark or fund.",
        harm="A month may end on an old level, and the next one has its return.",
        threshold=7,
        unit="calendar days",
        why="The longest closing since 1988 is that of September 2001: seven days.",
    ),
    Rule(
        name="level_decimal_shift",
        table=_LEVELS,
        severity="warn",
        finds="A benchmark or fund moves by a power of ten within a day, within a quarter.",
        harm="The month's return is off by that power.",
        threshold=0.1,
        unit="distance of the ratio from the power, as a logarithm to base 10",
        why="No index moves by a factor of eight in a day.",
    ),
    Rule(
        name="level_partial_last_bar",
        table=_LEVELS,
        severity="warn",
        finds="The last level is in fractions of a cent behind levels in whole cents, or of the "
        "same day as such a one of another file.",
        harm="It is a quote of the open exchange: the return of the last day is not final.",
        threshold=0.2,
        unit="cents from a whole one",
        why="Two of eight fund files end on 2026-08-03 with 0.5 and 0.45 of a cent; closes are in "
        "whole cents but for the rounding of the file, below 0.01.",
        dated=False,
    ),
    Rule(
        name="level_ends_early",
        table=_LEVELS,
        severity="warn",
        finds="A benchmark or fund ends more than seven days before others of its data set, or a "
        "benchmark before the prices.",
        harm="Strategies have no benchmark for the months after.",
        threshold=7,
        unit="calendar days",
        why="As long as the longest closing of the exchange.",
        dated=False,
    ),
)
MACRO_RULES = (
    Rule(
        name="macro_constant",
        table=_MACRO,
        severity="warn",
        finds="A series that hardly ever repeats a value has six or more equal ones in a row, "
        "above its lowest or at its start.",
        harm="Values were carried forward or back: a regime is told from nothing.",
        threshold=6,
        unit="observations",
        why="Consumer prices repeat a value three times at most since 1980, industrial production "
        "never. Rates of interest do, up to 13 times, in 13 to 15 % of their observations.",
        dated=False,
    ),
    Rule(
        name="macro_gap",
        table=_MACRO,
        severity="warn",
        finds="More than one and a half of the usual steps, and more than a week, lie between two "
        "observations.",
        harm="Changes over twelve observations are not over a year.",
        threshold=1.5,
        unit="usual steps",
        why="Consumer prices lack October 2025; holidays close no market for a week.",
    ),
    Rule(
        name="macro_jump",
        table=_MACRO,
        severity="warn",
        finds="A change is more than 40 times the average one so far.",
        harm="Another base year or unit, or a typing error: levels before and after are not of "
        "one series.",
        threshold=40,
        unit="average absolute changes",
        why="The largest true one is 32, industrial production in April 2020.",
    ),
    Rule(
        name="macro_future_date",
        table=_MACRO,
        severity="warn",
        finds="An observation is dated after the day its file was fetched.",
        harm="It is a forecast, or its date is wrong.",
        dated=False,
    ),
)
