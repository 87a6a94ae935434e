"""Column lineage of what is known of single stocks: panel, risk, signals; see `lineage`."""

from collections.abc import Mapping
from typing import Final

from factor_pipeline.schemas.signal_definitions import SIGNAL_COLUMNS

BETAS: Final = "risk.rolling_beta.beta_mkt,beta_smb,beta_hml,beta_umd,beta_rmw,beta_cma"
SIGNALS: Final = f"signal.characteristic.{','.join(SIGNAL_COLUMNS)}"
_DAILY_RETURN: Final = "raw.price_daily.close,split,dividend,adjusted_close"
_DELISTING: Final = "panel.security.delisted_at,delisting_reason,delisting_return"
_SHARES: Final = "panel.book_equity.shares,shares_basis_date,filed_at raw.price_daily.split"
_MARKET_EQUITY: Final = f"raw.price_daily.close {_SHARES}"
_LISTED: Final = "panel.security_month.price,flags"
_REGRESSION: Final = "panel.security_month.ret factor.factor_return.ret"
_DAILY_REGRESSION: Final = f"{_DAILY_RETURN} raw.french_return.value"
_FIRM_EQUITY: Final = "panel.security_month.firm_market_equity"
_MEMBERS: Final = "raw.index_member.ticker,start_date,end_date"

NAMES: Final[Mapping[str, frozenset[str]]] = {
    "panel.security": frozenset({"firm_id", "vendor_id", "ticker", "valid_to"}),
}
"""Columns that name a row as its key does: that all prices of a stock tell them is no news."""

STOCKS: Final[Mapping[str, Mapping[str, str]]] = {
    "panel.security": {
        "security_id vendor_id": "raw.price_daily.vendor_id",
        "firm_id": "raw.price_daily.vendor_id raw.listing.firm raw.fundamental.firm",
        "ticker": "raw.price_daily.ticker",
        "valid_from": "raw.price_daily.date raw.listing.valid_from",
        "valid_to": "raw.price_daily.date raw.listing.valid_from",
        "name sector exchange": "raw.listing.*",
        "delisted_at": "raw.delisting.date",
        "delisting_reason": "raw.delisting.reason",
        "delisting_return": "raw.delisting.delisting_return",
    },
    "panel.book_equity": {
        "security_id": "panel.security.security_id",
        "period_end fiscal_year total_assets shares": "raw.fundamental.*",
        "filed_at": "raw.fundamental.filed_at,period_end",
        "filed_at_assumed": "raw.fundamental.filed_at",
        "book_equity": (
            "raw.fundamental.total_equity,total_assets,total_liabilities,deferred_taxes,"
            "preferred_stock,period_end"
        ),
        "shares_basis_date": "raw.fundamental.shares_basis_date,period_end",
    },
    "panel.statement": {
        "security_id": "panel.security.security_id",
        "filed_at": "raw.fundamental.filed_at,period_end",
        "filed_at_assumed": "raw.fundamental.filed_at",
        "period_end *": "raw.fundamental.*",
    },
    "panel.security_month": {
        "security_id firm_id ticker exchange": "panel.security.*",
        "ret": f"{_DAILY_RETURN} {_DELISTING} panel.security.exchange",
        "price": "raw.price_daily.close",
        "shares": _SHARES,
        "market_equity": _MARKET_EQUITY,
        "firm_market_equity": f"panel.security_month.market_equity,firm_id {_MARKET_EQUITY}",
        "index_member": f"{_MEMBERS} panel.security.ticker",
        "last_date trading_days": "raw.price_daily.date",
        "dollar_volume": "raw.price_daily.close,volume",
        "high": "raw.price_daily.close,split",
        "split": "raw.price_daily.split",
        "dividend": "raw.price_daily.dividend,split",
        "delisting_return": f"{_DELISTING} panel.security.exchange",
        "flags": (
            f"{_DAILY_RETURN} raw.price_daily.date {_DELISTING} "
            "panel.book_equity.shares,filed_at,period_end"
        ),
    },
    "panel.price_check": {
        "security_id ticker": "panel.security.*",
        "date close dividend split": "raw.price_daily.*",
        "computed_return": "raw.price_daily.close,split,dividend",
        "vendor_return": "raw.price_daily.adjusted_close",
        "difference": _DAILY_RETURN,
    },
    "panel.index_coverage": {
        "members": f"{_MEMBERS} panel.security_month.last_date",
        "with_market_equity": f"{_MEMBERS} panel.security_month.ticker,price,market_equity",
        "with_price missing_share": f"{_MEMBERS} panel.security_month.ticker,price",
    },
    "risk.rolling_beta": {
        "beta_mkt_shrunk": f"risk.rolling_beta.beta_mkt,se_mkt {_REGRESSION}",
        "*": _REGRESSION,
    },
    "risk.exposure": {
        "model": "",
        "stock_type": f"risk.rolling_beta.beta_smb,beta_hml {_LISTED}",
        "stocks": f"{BETAS} {_LISTED}",
        "rank_* percentile_*": f"risk.rolling_beta.beta_* {_LISTED}",
    },
    "risk.tilt": {"rank score": f"{BETAS} {_LISTED}"},
    "risk.beta_portfolio_return": {
        "*": f"{BETAS} {_LISTED} panel.security_month.ret,market_equity,exchange,index_member",
    },
    "risk.daily_beta": {
        "beta_mkt_shrunk": f"risk.daily_beta.beta_mkt,se_mkt {_DAILY_REGRESSION}",
        "*": _DAILY_REGRESSION,
    },
    "risk.market_beta": {
        "volatility_252d n_volatility reason_volatility": _DAILY_RETURN,
        "*": _DAILY_REGRESSION,
    },
    "signal.characteristic": {
        "size": _FIRM_EQUITY,
        "book_to_market book_to_market_monthly": f"panel.book_equity.book_equity {_FIRM_EQUITY}",
        "earnings_to_price": f"panel.statement.net_income {_FIRM_EQUITY}",
        "cash_flow_to_price": f"panel.statement.net_income,depreciation {_FIRM_EQUITY}",
        "dividend_yield": "panel.security_month.dividend,split,price",
        "momentum_12_2": "panel.security_month.ret,price",
        "high_52w": "panel.security_month.price,high,split",
        "reversal_1 reversal_60_13": "panel.security_month.ret",
        "operating_profitability": (
            "panel.statement.revenue,cost_of_revenue,selling_general_administrative,"
            "interest_expense panel.book_equity.book_equity"
        ),
        "gross_profitability": (
            "panel.statement.revenue,cost_of_revenue panel.book_equity.total_assets"
        ),
        "investment": "panel.book_equity.total_assets",
        "accruals": (
            "panel.statement.net_income,operating_cash_flow panel.book_equity.total_assets"
        ),
        "quality quality_parts": (
            "panel.statement.revenue,cost_of_revenue,net_income,operating_cash_flow "
            "panel.book_equity.book_equity,total_assets signal.characteristic.beta"
        ),
        "beta": "risk.market_beta.beta_frazzini_pedersen",
        "volatility_252d": "risk.market_beta.volatility_252d",
        "idiosyncratic_volatility": "risk.daily_beta.residual_volatility",
        "value_momentum": "signal.characteristic.book_to_market,momentum_12_2",
        "value_class": "signal.characteristic.book_to_market panel.security_month.exchange",
    },
    "signal.definition": {"*": ""},
    "signal.information_coefficient": {"*": f"{SIGNALS} panel.security_month.ret"},
    "signal.information_summary": {
        "average_stocks": "signal.information_coefficient.stocks",
        "first_month last_month": "signal.information_coefficient.month_end,coefficient",
        "*": "signal.information_coefficient.coefficient",
    },
}
