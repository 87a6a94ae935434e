"""Regimes of the business cycle, and what factors return in each."""
