"""Column lineage of backtests, and of what a simulated market was made from; see `lineage`."""

from collections.abc import Mapping
from typing import Final

from factor_pipeline.schemas.lineage.stocks import SIGNALS

_CANDIDATES: Final = (
    f"{SIGNALS} panel.security_month.market_equity,dollar_volume,exchange,index_member "
    "panel.security.sector"
)
_HELD_RETURN: Final = "panel.security_month.ret,price,split,dividend,flags"
_TRADED: Final = "backtest.holding.weight,traded,status panel.security_month.dollar_volume"
_LEVEL: Final = "raw.benchmark_daily.adjusted_close"
_RISK_FREE: Final = "factor.factor_return.ret"
_NET: Final = "backtest.backtest_return.net"
_PATH: Final = f"{_NET} backtest.daily_value.value"

BACKTEST: Final[Mapping[str, Mapping[str, str]]] = {
    "backtest.holding": {
        "ret": _HELD_RETURN,
        "*": f"{_CANDIDATES} {_HELD_RETURN} backtest.holding.closing_weight",
    },
    "backtest.backtest_return": {
        "cash_ret": _RISK_FREE,
        "gross net": f"backtest.holding.weight,traded,ret {_RISK_FREE} {_LEVEL}",
        "*": _TRADED,
    },
    "backtest.ledger": {
        "reason": "panel.security.delisting_reason",
        "weight ret": "backtest.holding.*",
    },
    "backtest.daily_value": {
        "value": (
            f"backtest.holding.weight,ret {_NET} {_LEVEL} panel.security_month.price "
            "raw.price_daily.close,split,dividend"
        ),
    },
    "backtest.summary": {
        "value": (
            "backtest.backtest_return.gross,cost,borrow_cost,net,turnover,n,capacity "
            f"backtest.daily_value.value {_RISK_FREE}"
        ),
    },
    "backtest.drawdown": {"*": _PATH},
    "backtest.exposure": {
        "model": "",
        "holdings": "backtest.holding.weight",
        "covered": "backtest.holding.weight risk.rolling_beta.beta_mkt",
        "beta_*": "backtest.holding.weight risk.rolling_beta.beta_*",
    },
    "backtest.loading": {"lag": "backtest.backtest_return.month_end", "*": f"{_NET} {_RISK_FREE}"},
    "backtest.correlation": {"*": _NET},
    "backtest.illustration": {"quoted": "", "explanation": "", "*": f"{_PATH} {_RISK_FREE}"},
    "truth.market": {"*": "raw.price_daily.file"},
    "truth.beta": {"*": "raw.price_daily.file"},
    "truth.security_return": {"*": "raw.price_daily.file"},
    "truth.factor_return": {"*": "raw.price_daily.file"},
    "truth.premium": {"*": "raw.price_daily.file"},
    "truth.delisting": {"*": "raw.price_daily.file"},
}
"""Truth is made from the parameters in the file that the prices are of."""
