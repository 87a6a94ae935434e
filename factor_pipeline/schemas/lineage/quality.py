"""Column lineage of data quality; see `lineage`."""

from collections.abc import Mapping
from typing import Final

from factor_pipeline.schemas.lineage.stocks import SIGNALS

_DATA: Final = (
    "raw.price_daily.open,high,low,close,adjusted_close,volume,dividend,split "
    "raw.fundamental.filed_at,restated_at,currency,shares,total_assets,total_liabilities,"
    "total_equity,revenue,net_income "
    "raw.french_return.value raw.index_member.end_date raw.benchmark_daily.close,adjusted_close "
    "raw.macro.value raw.listing.ticker,valid_to raw.delisting.date"
)
_RESULTS: Final = (
    "panel.security_month.ret,price,shares,market_equity,firm_market_equity "
    "signal.characteristic.book_to_market factor.factor_return.ret factor.comparison.correlation "
    "quality.distribution.distance"
)
_SPREAD: Final = (
    f"panel.security_month.ret,price,shares,market_equity {SIGNALS} risk.rolling_beta.beta_mkt "
    "factor.factor_return.ret"
)

QUALITY: Final[Mapping[str, Mapping[str, str]]] = {
    "quality.rule": {"*": ""},
    "quality.flag": {
        "severity stage table_name": "",
        "*": f"{_DATA} {_RESULTS}",
    },
    "quality.distribution": {
        "compared_with note": "",
        "distance": f"{_SPREAD} quality.distribution.median",
        "*": _SPREAD,
    },
}
