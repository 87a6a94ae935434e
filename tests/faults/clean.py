"""What the rules say of clean markets: how often they are wrong, or right about true oddities."""

MARKETS = "Ten"
SEEDS = range(1, 11)
BOUNDS: dict[str, tuple[float, str]] = {}
"""Most flags per 1,000 months of a stock in the pooled markets, by rule, and why there are any."""
