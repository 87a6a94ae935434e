"""Funds: what they load on, and whether that is what they promise."""
