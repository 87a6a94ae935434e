"""Rules of annual statements."""

from factor_pipeline.schemas.raw import FUNDAMENTAL
from factor_pipeline.schemas.rules.rule import Rule

_TABLE = FUNDAMENTAL.qualified_name

FUNDAMENTAL_RULES = (
    Rule(
        name="shares_power_of_ten",
        table=_TABLE,
        severity="warn",
        finds="Shares outstanding are ten, a hundred, a thousand ... times those of the period "
        "before or a fraction of them, within 7 %.",
        harm="Market equity and book-to-market are off by that power.",
        threshold=0.03,
        unit="distance of the ratio from a power of ten, as a logarithm to base 10",
        why="SimFin's Mastercard is 9.76 times the year before in 2011; 19 of 20 counts are 0.94 "
        "to 1.46 times that of the year before.",
    ),
    Rule(
        name="shares_off_by_split",
        table=_TABLE,
        severity="warn",
        finds="Shares outstanding change by the factor of a booked split that is in the one count "
        "and not in the other, within 5 %. Known from the later of filing and split on.",
        harm="One of the two is on the wrong split basis: market equity is off by the factor.",
        threshold=0.05,
        unit="distance of the ratio from the factor, as a natural logarithm",
        why="SimFin's A. O. Smith jumps by 2.02, 0.50, 1.97 and 0.49 between 2010 and 2016, for "
        "the splits of 2013 and 2016.",
    ),
    Rule(
        name="shares_jump",
        table=_TABLE,
        severity="warn",
        finds="Shares outstanding jump by a factor of 1.5 or more that neither a split, nor a "
        "power of ten, nor the growth of total assets explains.",
        harm="The count may be of one share class only, of preferred stock before an initial "
        "offering, or on another basis: market equity jumps with it.",
        threshold=1.5,
        unit="ratio of counts over ratio of assets",
        why="Google's count of 2012 doubles (1.57 beyond its assets) for a split of 2014 that the "
        "count of 2011 does not have; Discovery's falls to an eighth in 2014.",
    ),
    Rule(
        name="negative_equity",
        table=_TABLE,
        severity="warn",
        finds="Stockholders' equity is below zero.",
        harm="Book-to-market has no meaning; such firms are left out of its sorts.",
    ),
    Rule(
        name="filing_date_unknown",
        table=_TABLE,
        severity="warn",
        finds="The vendor gives no day of filing after the end of the period.",
        harm="The figures count as public from an assumed day, which may be too early.",
    ),
    Rule(
        name="filed_late",
        table=_TABLE,
        severity="warn",
        finds="A statement was first filed a year or more after the end of its period.",
        harm="The figures are those a later filing repeats for comparison; the market may have "
        "known others long before.",
        threshold=365,
        unit="days",
        why="The year after, a filing repeats them. 55 of SimFin's 19,900 periods are that late, "
        "up to 863 days.",
    ),
    Rule(
        name="amended_filing",
        table=_TABLE,
        severity="warn",
        finds="The figures of a period were filed again within ten months.",
        harm="Where the vendor shows the later figures under the first day of filing, they were "
        "not known then.",
        threshold=300,
        unit="days from the first filing",
        why="After some 365 days the next year's filing repeats the figures, which is no "
        "amendment: two in three of SimFin's periods are repeated then, one in six before.",
    ),
    Rule(
        name="foreign_currency",
        table=_TABLE,
        severity="error",
        finds="Figures are not in US dollars.",
        harm="Divided by a price in dollars they are off by the rate of exchange.",
    ),
    Rule(
        name="balance_does_not_add_up",
        table=_TABLE,
        severity="warn",
        finds="Liabilities and equity differ from assets by more than 1 % of these.",
        harm="One of the three is wrong, and with it book equity or leverage.",
        threshold=0.01,
        unit="share of total assets",
        why="None of SimFin's 19,899 balance sheets is off by 0.1 %.",
    ),
    Rule(
        name="figures_power_of_thousand",
        table=_TABLE,
        severity="warn",
        finds="A statement's figures are a thousand or a million times those of the period before, "
        "or a fraction of them, within a factor of five.",
        harm="One of the two is in other units: every ratio with it is off by that power.",
        threshold=0.7,
        unit="distance of the ratio from the power, as a logarithm to base 10",
        why="SimFin's Rave is in thousands until 2012 (1,003 times, 982 times). Groupon's, also in "
        "thousands in 2010, had grown 4.65-fold by 2011.",
    ),
    Rule(
        name="repeated_figures",
        table=_TABLE,
        severity="warn",
        finds="All figures of a statement, at least three of them, are those of the period before.",
        harm="One of the two years is a copy: growth is zero, and profitability that of another "
        "year.",
        threshold=3,
        unit="figures other than zero",
        why="31 of SimFin's periods are copies (Home Depot's of January 2015 and 2016). One or "
        "two figures repeat by chance, in firms without revenue.",
    ),
    Rule(
        name="missing_fiscal_year",
        table=_TABLE,
        severity="warn",
        finds="The period of the balance sheet before ended more than 460 days earlier.",
        harm="Growth and averages over a year are over two; in between, older figures are used.",
        threshold=460,
        unit="days",
        why="Fiscal years of 53 weeks and moved year-ends stay below 15 months; SimFin lacks a "
        "year of four firms.",
    ),
    Rule(
        name="short_fiscal_year",
        table=_TABLE,
        severity="warn",
        finds="The period before ended less than 300 days earlier, or the label of the fiscal year "
        "is not after it or not of the period's year.",
        harm="A flow of some months is taken for that of a year.",
        threshold=300,
        unit="days",
        why="Years of 52 weeks have 364 days; none of SimFin's is shorter than 300.",
    ),
    Rule(
        name="negative_revenue",
        table=_TABLE,
        severity="warn",
        finds="Revenue is below zero.",
        harm="It may be net of losses or of the wrong sign: margins have no meaning.",
    ),
    Rule(
        name="statement_missing",
        table=_TABLE,
        severity="warn",
        finds="A year after the first statement of a period was filed, another one of balance "
        "sheet, income and cash flow statement is not there.",
        harm="Signals that need it are missing, or stay those of the year before.",
        threshold=365,
        unit="days",
        why="The three are one filing; 1 of SimFin's 19,900 periods lacks one.",
    ),
    Rule(
        name="no_prices_of_filer",
        table=_TABLE,
        severity="warn",
        finds="A firm of the listing or of the index has statements and no prices.",
        harm="It is in no sort: the firms that are left may be the survivors.",
        dated=False,
    ),
)
