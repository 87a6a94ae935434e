"""Signals of each security and month: values known before the month begins.

A signal is one function of what is `Known`, marked with ``@signal``, in the module of its family:
`price` (panel), `annual` (statements, formed in June), `risk` (daily betas and volatilities),
`quality` and `combination` (made of ranks). What it means is declared in
``schemas.signal_definitions``.
"""

from factor_pipeline.compute.signals.characteristics import characteristics
from factor_pipeline.compute.signals.known import (
    DAILY_RISK_SCHEMA,
    HISTORY_MONTHS,
    SignalInputs,
    history_of,
)

__all__ = ["DAILY_RISK_SCHEMA", "HISTORY_MONTHS", "SignalInputs", "characteristics", "history_of"]
