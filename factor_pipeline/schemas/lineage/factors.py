"""Column lineage of portfolios and factors; see `lineage`."""

from collections.abc import Mapping
from typing import Final

from factor_pipeline.schemas.lineage.stocks import SIGNALS

_STOCKS: Final = "panel.security_month.ret,market_equity,exchange,index_member"
_CELLS: Final = f"{SIGNALS} portfolio.breakpoint.value portfolio.assignment.cell"
_RETURN: Final = "factor.factor_return.ret"
_PORTFOLIO: Final = "portfolio.portfolio_return.ret"
_FUND: Final = "raw.benchmark_daily.adjusted_close"

FACTORS: Final[Mapping[str, Mapping[str, str]]] = {
    "portfolio.breakpoint": {
        "basis": "panel.security_month.exchange",
        "value stocks": f"{SIGNALS} panel.security_month.exchange,index_member",
    },
    "portfolio.assignment": {
        "cell": f"{SIGNALS} portfolio.breakpoint.value panel.security_month.index_member"
    },
    "portfolio.portfolio_return": {
        "dollar_volume": f"{_CELLS} panel.security_month.dollar_volume,index_member",
        "*": f"{_CELLS} {_STOCKS}",
    },
    "portfolio.spread_statistics": {"cell": "portfolio.portfolio_return.cell", "*": _PORTFOLIO},
    "factor.factor_return": {
        "vintage": "raw.french_return.vintage",
        "ret": (
            "portfolio.portfolio_return.ret,stocks signal.characteristic.beta "
            f"panel.security_month.ret,index_member {_RETURN} raw.french_return.value"
        ),
    },
    "factor.vintage_drift": {"older_ret newer_ret difference": _RETURN},
    "factor.comparison": {
        "library_factor": "",
        "stocks": f"portfolio.portfolio_return.stocks {_RETURN}",
        "vintage": "factor.factor_return.vintage",
        "*": _RETURN,
    },
    "factor.method_variant": {
        "is_default": "",
        "*": (
            f"{SIGNALS} {_STOCKS} panel.security_month.flags "
            "panel.security.delisting_reason,delisting_return"
        ),
    },
    "factor.method_spread": {
        "default_premium": "factor.method_variant.annual_mean,is_default",
        "error_within": "factor.method_variant.standard_error",
        "*": "factor.method_variant.annual_mean",
    },
    "factor.regime": {
        "carried_inputs": "raw.macro.date",
        "*": "raw.macro.value",
    },
    "factor.regime_performance": {"*": f"{_RETURN} factor.regime.regime"},
    "factor.regime_claim": {
        "effect sign": "",
        "verdict": "factor.regime_performance.difference,difference_t",
        "*": "factor.regime_performance.*",
    },
    "factor.etf_loading": {"vintage": "factor.factor_return.vintage", "*": f"{_FUND} {_RETURN}"},
    "factor.etf_check": {
        "promise relation level": "",
        "estimate": "factor.etf_loading.beta",
        "t verdict": "factor.etf_loading.beta,standard_error",
        "*": "factor.etf_loading.*",
    },
    "factor.statistics": {"*": _RETURN},
    "factor.correlation": {"*": _RETURN},
    "factor.rolling_mean": {"*": _RETURN},
    "factor.spanning": {"*": _RETURN},
    "factor.alpha": {"*": f"{_PORTFOLIO} {_RETURN}"},
    "factor.grs": {"*": f"{_PORTFOLIO} {_RETURN}"},
    "factor.fama_macbeth": {
        "*": f"{SIGNALS} panel.security_month.ret {_PORTFOLIO} {_RETURN}",
    },
}
