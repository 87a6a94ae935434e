"""Betas of the small market, and what the questions about them should answer."""

from tests.sql.small_market import APR, FEB, MAR, rows

_BETAS = "security_id month_end model beta_mkt beta_smb beta_hml t_mkt t_smb t_hml"
_RANKS = "rank_mkt rank_smb rank_hml percentile_mkt percentile_smb percentile_hml"

# Security 5 has no betas; those of Carhart must not be taken for those of FF3.
ROLLING_BETA = rows(
    _BETAS,
    (1, FEB, "FF3", 1.0, -0.2, 0.8, 3.0, -1.0, 2.0),
    (2, FEB, "FF3", 1.4, 0.3, 0.5, 4.0, 1.0, 0.5),
    (5, FEB, "FF3", None, None, None, None, None, None),
    (1, MAR, "FF3", 1.5, 0.5, 1.0, 5.0, 2.5, 2.25),
    (2, MAR, "FF3", 0.8, -0.4, -0.7, 4.5, -2.0, -1.5),
    (3, MAR, "FF3", 1.2, 0.7, 0.3, 6.0, 3.0, 0.25),
    (4, MAR, "FF3", 1.2, 0.1, 0.3, 3.5, 0.125, 0.75),
    (1, MAR, "Carhart", 9.0, 9.0, 9.0, 9.0, 9.0, 9.0),
)
EXPOSURE = [
    row | {"model": "FF3"}
    for row in rows(
        f"security_id month_end stock_type stocks {_RANKS}",
        (1, FEB, "large value", 2, 2, 2, 1, 0.5, 0.5, 1.0),
        (2, FEB, "small value", 2, 1, 1, 2, 1.0, 1.0, 0.5),
        (5, FEB, None, 2, None, None, None, None, None, None),
        (1, MAR, "small value", 4, 1, 2, 1, 1.0, 0.75, 1.0),
        (2, MAR, "large growth", 4, 4, 4, 4, 0.25, 0.25, 0.25),
        (3, MAR, "small value", 4, 2, 1, 2, 0.75, 1.0, 0.75),
        (4, MAR, "small value", 4, 2, 3, 2, 0.75, 0.5, 0.75),
    )
]
TILT = rows(
    "tilt security_id month_end rank score",
    ("small_value", 2, FEB, 1, 0.75),
    ("small_value", 1, MAR, 1, 0.875),
    ("small_value", 3, MAR, 2, 0.875),
    ("small_value", 4, MAR, 3, 0.625),
    ("large_growth", 2, MAR, 1, 1.0),
)
# April has too few stocks in the lowest quintile.
BETA_PORTFOLIO_RETURN = [
    row | {"model": "FF3"}
    for row in rows(
        "loading cell weighting month_end ret stocks",
        ("beta_hml", "Q1", "value", FEB, 0.25, 10),
        ("beta_hml", "Q3", "value", FEB, 9.0, 11),
        ("beta_hml", "Q5", "value", FEB, 0.5, 12),
        ("beta_hml", "Q5-Q1", "value", FEB, 0.25, 22),
        ("beta_hml", "Q1", "value", MAR, 0.5, 13),
        ("beta_hml", "Q5", "value", MAR, -0.5, 14),
        ("beta_hml", "Q5-Q1", "value", MAR, -1.0, 27),
        ("beta_hml", "Q1", "value", APR, None, 2),
        ("beta_hml", "Q5", "value", APR, 0.5, 12),
        ("beta_hml", "Q5-Q1", "value", APR, None, 14),
        ("beta_hml", "Q1", "equal", FEB, 0.125, 10),
        ("beta_hml", "Q5", "equal", FEB, 0.25, 12),
        ("beta_hml", "Q5-Q1", "equal", FEB, 0.125, 22),
        ("beta_mkt", "Q1", "value", FEB, 9.0, 10),
        ("beta_mkt", "Q5", "value", FEB, 9.0, 10),
        ("beta_mkt", "Q5-Q1", "value", FEB, 0.0, 20),
    )
]
STRATEGY_EXPOSURE = rows(
    "strategy month_end model beta_mkt beta_smb beta_hml holdings covered",
    ("value", FEB, "FF3", 0.75, 0.0, 0.5, 4, 0.9),
    ("value", MAR, "FF3", 1.0, 0.25, 0.25, 4, 0.95),
)
LOADING = rows(
    "strategy model coefficient estimate t r2 months",
    ("value", "FF3", "beta_hml", 0.4, 4.0, 0.8, 100),
    ("value", "FF3", "beta_mkt", 0.9, 9.0, 0.8, 100),
    ("value", "FF3", "beta_smb", -0.1, -1.0, 0.8, 100),
    ("value", "FF3", "alpha", 0.002, 1.5, 0.8, 100),
    ("value", "CAPM", "beta_mkt", 5.0, 5.0, 0.5, 100),
    ("benchmark", "FF3", "alpha", 0.0, 0.5, 0.99, 120),
    ("benchmark", "FF3", "beta_mkt", 1.0, 99.0, 0.99, 120),
)
BETA_TABLES = {
    "risk.rolling_beta": ROLLING_BETA,
    "risk.exposure": EXPOSURE,
    "risk.tilt": TILT,
    "risk.beta_portfolio_return": BETA_PORTFOLIO_RETURN,
    "backtest.exposure": STRATEGY_EXPOSURE,
    "backtest.loading": LOADING,
}

BETA_ANSWERS = {
    "small_value_tilt": rows(
        "place ticker company sector beta_mkt beta_smb beta_hml score price market_equity "
        "index_member known_by",
        (1, "ALFA", "Alfa Inc", "Energy", 1.5, 0.5, 1.0, 0.875, 11.0, 1.1e8, True, MAR),
        (2, "GAMA", "Gamma Inc", "Energy", 1.2, 0.7, 0.3, 0.875, 33.0, 9.9e7, True, MAR),
        (3, "DELT", None, None, 1.2, 0.1, 0.3, 0.625, 44.0, 8.8e7, False, MAR),
    ),
    "highest_betas": [
        row | {"month_end": MAR}
        for row in rows(
            "loading place ticker stock_type beta t percentile",
            ("beta_mkt", 1, "ALFA", "small value", 1.5, 5.0, 1.0),
            ("beta_mkt", 2, "GAMA", "small value", 1.2, 6.0, 0.75),
            ("beta_mkt", 2, "DELT", "small value", 1.2, 3.5, 0.75),
            ("beta_mkt", 4, "BETA", "large growth", 0.8, 4.5, 0.25),
            ("beta_smb", 1, "GAMA", "small value", 0.7, 3.0, 1.0),
            ("beta_smb", 2, "ALFA", "small value", 0.5, 2.5, 0.75),
            ("beta_smb", 3, "DELT", "small value", 0.1, 0.125, 0.5),
            ("beta_smb", 4, "BETA", "large growth", -0.4, -2.0, 0.25),
            ("beta_hml", 1, "ALFA", "small value", 1.0, 2.25, 1.0),
            ("beta_hml", 2, "GAMA", "small value", 0.3, 0.25, 0.75),
            ("beta_hml", 2, "DELT", "small value", 0.3, 0.75, 0.75),
            ("beta_hml", 4, "BETA", "large growth", -0.7, -1.5, 0.25),
        )
    ],
    # BETA has no market equity in March; the others have 110, 99 and 88 million.
    "stock_types": rows(
        "month_end stock_type stocks with_market_equity market_equity share_of_stocks "
        "share_of_market",
        (MAR, "large growth", 1, 0, None, 0.25, None),
        (MAR, "small value", 3, 3, 2.97e8, 0.75, 1.0),
        (FEB, "large value", 1, 1, 1e8, 0.5, 100 / 144),
        (FEB, "small value", 1, 1, 4.4e7, 0.5, 44 / 144),
    ),
    # The highest beta_hml in March is ALFA's.
    "beta_rank_of": rows(
        "ticker month_end model stock_type beta_mkt place_mkt beta_smb place_smb beta_hml "
        "place_hml stocks",
        ("ALFA", FEB, "FF3", "large value", 1.0, 2, -0.2, 2, 0.8, 1, 2),
        ("ALFA", MAR, "FF3", "small value", 1.5, 1, 0.5, 2, 1.0, 1, 4),
    ),
    "high_against_low_beta_hml": rows(
        "month_end low high spread low_stocks high_stocks growth_low growth_high growth_spread",
        (FEB, 0.25, 0.5, 0.25, 10, 12, 1.25, 1.5, 1.25),
        (MAR, 0.5, -0.5, -1.0, 13, 14, 1.875, 0.75, 0.0),
    ),
    "strategy_betas": [
        row | {"model": "FF3"}
        for row in rows(
            "strategy coefficient estimate t r2 months held_mean held_now covered_now",
            ("benchmark", "alpha", 0.0, 0.5, 0.99, 120, None, None, None),
            ("benchmark", "beta_mkt", 1.0, 99.0, 0.99, 120, None, None, None),
            ("value", "alpha", 0.002, 1.5, 0.8, 100, None, None, None),
            ("value", "beta_mkt", 0.9, 9.0, 0.8, 100, 0.875, 1.0, 0.95),
            ("value", "beta_smb", -0.1, -1.0, 0.8, 100, 0.125, 0.25, 0.95),
            ("value", "beta_hml", 0.4, 4.0, 0.8, 100, 0.375, 0.25, 0.95),
        )
    ],
}
