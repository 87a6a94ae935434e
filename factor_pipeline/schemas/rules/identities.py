"""Rules of who was listed, a member of the index, and delisted."""

from factor_pipeline.schemas.raw import DELISTING, INDEX_MEMBER, LISTING
from factor_pipeline.schemas.rules.rule import Rule

_MEMBERS = INDEX_MEMBER.qualified_name
_LISTING = LISTING.qualified_name
_DELISTING = DELISTING.qualified_name

MEMBERSHIP_RULES = (
    Rule(
        name="member_count_jump",
        table=_MEMBERS,
        severity="warn",
        finds="The index has 5 %, and more than five, more or fewer members than a month before.",
        harm="Spells are missing or do not end: strategies buy from another universe.",
        threshold=0.05,
        unit="share of the members",
        why="The S&P 500's number of members moved by 0.6 % at most within a month.",
    ),
    Rule(
        name="future_spell",
        table=_MEMBERS,
        severity="warn",
        finds="A spell begins or ends after the day its file was fetched.",
        harm="It is an announcement, or its date is wrong.",
        dated=False,
    ),
)
LISTING_RULES = (
    Rule(
        name="ticker_of_two_securities",
        table=_LISTING,
        severity="warn",
        finds="A ticker belongs to two securities on one day.",
        harm="Membership and names, which go by ticker, may be those of the other one.",
    ),
    Rule(
        name="listing_spell_overlap",
        table=_LISTING,
        severity="warn",
        finds="A ticker spell of a security begins before the one before has ended, or ends before "
        "it begins.",
        harm="The security has two tickers on one day, or none.",
    ),
)
DELISTING_RULES = (
    Rule(
        name="prices_after_delisting",
        table=_DELISTING,
        severity="warn",
        finds="A security has prices after the day it was delisted.",
        harm="The delisting return is booked while the security trades on.",
    ),
    Rule(
        name="delisting_without_prices",
        table=_DELISTING,
        severity="warn",
        finds="A security that was delisted has no price up to that day.",
        harm="Its loss is in no return: what is left looks better than it was.",
    ),
)
