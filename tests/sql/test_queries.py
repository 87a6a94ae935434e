"""Every shipped question against a small published file whose answers can be worked out by hand."""

import math
import re
from datetime import date

import numpy as np
import polars as pl
import pytest

from factor_pipeline.compute.factors import FORMULAS
from factor_pipeline.compute.performance import summary
from factor_pipeline.warehouse.models import shipped_queries, sql_folder
from factor_pipeline.warehouse.query import query_published
from tests.sql.small_market import (
    APR,
    BACKTEST_RETURN,
    BILL_MONTHS,
    CELLS,
    CHARACTERISTIC,
    DEC09,
    DEC19,
    FEB,
    FEB10,
    FETCHED,
    FETCHED_LATER,
    JAN,
    JAN10,
    MAR,
    MOMENTUM_MONTHS,
    NOV19,
    OCT19,
    SETTINGS,
    SMALL_MARKET,
    month_ends,
    published_file,
    rows,
)
from tests.sql.small_market_betas import BETA_ANSWERS, BETA_TABLES

# Rounding of doubles stays below 1e-11 here, t of two nearly equal correlations included; a wrong
# formula is off by far more.
RELATIVE, ABSOLUTE = 1e-9, 1e-12

SQRT_12 = math.sqrt(12)
SETTINGS_SHOWN = (
    "prices fundamentals library_vintage breakpoints backtest_universe delisting_return"
)
# What swapping two neighbours of 30 takes off a rank correlation: 6 sum d^2 / (n (n^2 - 1)).
SWAP = 6 * 2 / (30 * 899)
# Against ranks 1 to 30 (squares 30 * 899 / 12), ties share 5.5, 13, 23: the square of their
# deviations from 15.5, 1000 + 31.25 + 843.75, is the covariance too.
TIED = math.sqrt(1875 / (30 * 899 / 12))

# What each query answers, all columns of all rows, worked out by hand from SMALL_MARKET.
# Equally weighted returns of the crowd in 2010.
CROWD_MEANS = [
    (JAN10, 30, 0.0155),
    (FEB10, 30, 0.0155),
    (date(2010, 3, 31), 30, 6.5 / 30),
    (date(2010, 4, 30), 29, 0.1),
]

EXPECTED = {
    "top_value": rows(
        "place ticker company sector book_to_market book_to_market_monthly value_class price "
        "firm_market_equity known_by month_end",
        (1, "GAMA", "Gamma Inc", "Energy", 0.8, 0.7, "Value", 30.0, 9.5e7, FEB, MAR),
        (2, "ALFA", "Alfa Inc", "Energy", 0.5, 0.6, "Neutral", 10.0, 1e8, FEB, MAR),
        (3, "ECHO", "Echo Inc", "Technology", 0.5, 0.9, "Neutral", 4.0, 4e6, FEB, MAR),
        (4, "BETA", "Beta Inc", "Technology", 0.2, 0.25, "Growth", 22.0, 4.4e7, FEB, MAR),
    ),
    "top_momentum": rows(
        "place ticker company sector momentum_12_2 reversal_1 price firm_market_equity known_by "
        "month_end",
        (1, "BETA", "Beta Inc", "Technology", 0.4, -0.02, 22.0, 4.4e7, FEB, MAR),
        (2, "ECHO", "Echo Inc", "Technology", 0.2, -0.2, 4.0, 4e6, FEB, MAR),
        (3, "ALFA", "Alfa Inc", "Energy", 0.1, 0.01, 10.0, 1e8, FEB, MAR),
        (4, "GAMA", "Gamma Inc", "Energy", 0.1, 0.03, 30.0, 9.5e7, FEB, MAR),
    ),
    # Ranks of GAMA, ECHO, BETA, ALFA: value 4, 2.5, 1, 2.5; momentum 1.5, 3, 4, 1.5. Both have a
    # variance of 4.5 / 3, and GAMA and ECHO the same sum.
    "top_value_momentum": [
        row
        | {"value_z": value / math.sqrt(1.5), "momentum_z": momentum / math.sqrt(1.5)}
        | {"score": (value + momentum) / 2 / math.sqrt(1.5)}
        for row, value, momentum in zip(
            rows(
                "place ticker company sector book_to_market momentum_12_2 price "
                "firm_market_equity known_by month_end",
                (1, "GAMA", "Gamma Inc", "Energy", 0.8, 0.1, 30.0, 9.5e7, FEB, MAR),
                (2, "ECHO", "Echo Inc", "Technology", 0.5, 0.2, 4.0, 4e6, FEB, MAR),
                (3, "BETA", "Beta Inc", "Technology", 0.2, 0.4, 22.0, 4.4e7, FEB, MAR),
                (4, "ALFA", "Alfa Inc", "Energy", 0.5, 0.1, 10.0, 1e8, FEB, MAR),
            ),
            (1.5, 0.0, -1.5, 0.0),
            (-1.0, 0.5, 1.5, -1.0),
            strict=True,
        )
    ],
    # Spreads: 2 % in 2009; 1 % and -3 % in 2010, of mean -1 % and deviation 2 sqrt(2) %.
    "decile_spreads": rows(
        "signal_name decade months first_month last_month annual_mean volatility t average_stocks",
        ("size", "2000s", 1, DEC09, DEC09, 0.24, None, None, 20.0),
        ("size", "2010s", 2, JAN10, FEB10, -0.12, math.sqrt(8e-4) * SQRT_12, -0.5, 21.5),
        ("size", "all", 3, DEC09, FEB10, 0.0, math.sqrt(7e-4) * SQRT_12, 0.0, 21.0),
    ),
    # A tenth of 6 and 5 million over turnovers of .3 and .5: 2 and 1 million.
    "portfolio_capacity": rows(
        "sort weighting months average_turnover median_dollar_volume capital",
        ("size_decile", "equal", 1, 0.9, 9e6, 1e6),
        ("size_decile", "value", 2, 0.4, 5.5e6, 1e6),
    ),
    # The same three months; small stocks are expected to earn more.
    "signals_against_papers": rows(
        "signal_name family paper expected_sign months first_month last_month annual_premium t",
        ("size", "size", "Banz 1981", -1, 3, DEC09, FEB10, 0.0, 0.0),
    ),
    # SMB has no January, so it counts for none. Deviations, February to April: MKT -1 0 1,
    # HML 1 0 -1, UMD -1 2 -1, SMB -4 -1 5.
    "factor_correlations": rows(
        "factor months first_month last_month cma hml mkt rmw smb umd",
        ("HML", 3, FEB, APR, None, 1.0, -1.0, None, -9 / math.sqrt(84), 0.0),
        ("MKT", 3, FEB, APR, None, -1.0, 1.0, None, 9 / math.sqrt(84), 0.0),
        ("SMB", 3, FEB, APR, None, -9 / math.sqrt(84), 9 / math.sqrt(84), None, 1.0, -(28**-0.5)),
        ("UMD", 3, FEB, APR, None, 0.0, 0.0, None, -(28**-0.5), 1.0),
    ),
    "factor_returns_by_year": rows(
        "factor vintage calendar_year months ret best_month worst_month",
        ("HML", None, 2020, 4, 1.01 * 1.02 * 1.03 * 1.04 - 1, 0.04, 0.01),
        ("MKT", None, 2020, 4, 1.01 * 1.02 * 1.03 * 1.04 - 1, 0.04, 0.01),
        ("SMB", None, 2020, 3, 1.01 * 1.02 * 1.04 - 1, 0.04, 0.01),
        ("UMD", None, 2020, 4, (1.01 * 1.03) ** 2 - 1, 0.03, 0.01),
        ("UMD", None, 2019, 12, (1.01 * 1.03) ** 6 - 1, 0.03, 0.01),
        ("UMD", None, 2018, 12, (1.01 * 1.03) ** 6 - 1, 0.03, 0.01),
        ("UMD", None, 2017, 9, 1.01**5 * 1.03**4 - 1, 0.03, 0.01),
    ),
    # The shallowest of the six falls of value is not among its five worst.
    "worst_drawdowns": rows(
        "strategy place depth peak trough recovery months_falling months_below strategy_begins",
        ("momentum", 1, -0.2, FEB, MAR, APR, 1, 2, date(2019, 4, 30)),
        ("value", 1, -0.5, FEB, MAR, None, 1, 2, FEB),
        ("value", 2, -0.4, date(2014, 1, 31), date(2014, 3, 31), date(2014, 4, 30), 2, 3, FEB),
        ("value", 3, -0.3, date(2011, 1, 31), date(2011, 3, 31), date(2012, 1, 31), 2, 12, FEB),
        ("value", 4, -0.2, date(2010, 1, 31), date(2010, 3, 31), date(2010, 7, 31), 2, 6, FEB),
        ("value", 5, -0.1, JAN, FEB, MAR, 1, 2, FEB),
    ),
    # February to April, with bills at 0.1 %: value -10, 20, 10 %, of variance 0.28 / 12; momentum
    # 10, -20, 25 %, of variance 0.63 / 12; benchmark 2 % each month, so no risk to divide by.
    "strategies_compared": [
        row | {"first_month": FEB, "last_month": APR, "months": 3}
        for row in rows(
            "strategy months_left_out total_return cagr annual_mean volatility sharpe max_drawdown",
            ("value", 0, 0.188, 1.188**4 - 1, 0.8, 0.28**0.5, 0.788 / 0.28**0.5, -0.1),
            ("momentum", 10, 0.1, 1.1**4 - 1, 0.6, 0.63**0.5, 0.588 / 0.63**0.5, -0.2),
            ("benchmark", 1, 1.02**3 - 1, 1.02**12 - 1, 0.24, 0.0, None, 0.0),
        )
    ],
    # Own 1, 2, 3, 4 %; 202401 the same but 5 % in April; 202402 1, 2.5, 2 %.
    "own_against_library": rows(
        "factor library_factor vintage months first_month last_month correlation slope own_mean "
        "library_mean tracking_error largest_difference month_of_largest",
        ("MKT", "MKT", "202401", 4, JAN, APR, 0.95, 0.75, 0.3, 0.33, 0.005 * SQRT_12, -0.01, APR),
        ("MKT", "MKT", "202402", 3, JAN, MAR, 0.65, 0.85, 0.24, 0.22, math.sqrt(7e-4), 0.01, MAR),
        ("UMD_EW", "UMD", "202401", 0, *[None] * 9),
    ),
    # HML of 202402 and 202403 have January alone in common, and agree on it.
    "prices_known_on": rows(
        "date vendor_id close volume dividend split known_from known_to file",
        (date(2020, 4, 29), "ALFA", 10.0, 600.0, 0.1, 1.0, FETCHED_LATER, None, "A.csv"),
        (date(2020, 4, 28), "ALFA", 9.5, 500.0, 0.0, 1.0, FETCHED, None, "A.csv"),
    ),
    "restatements": rows(
        "data_set known_before known_from rows_before rows_new rows_added rows_removed "
        "rows_changed share_changed first_month_changed",
        ("macro", FETCHED, FETCHED_LATER, 0, 5, 0, 0, 0, None, None),
        ("prices", FETCHED, FETCHED_LATER, 100, 20, 2, 1, 7, 0.1, MAR),
    ),
    "vintage_drift": rows(
        "factor month_end older_vintage newer_vintage older_ret newer_ret difference "
        "months_compared months_changed",
        ("MKT", MAR, "202401", "202402", 0.03, 0.02, -0.01, 3, 2),
        ("MKT", FEB, "202401", "202402", 0.02, 0.025, 0.005, 3, 2),
    ),
    "turnover_and_cost": [
        {"strategy": "momentum", "month_end": row["month_end"], "rebalanced": row["rebalanced"]}
        | {"stocks": 60, "turnover": row["turnover"], "cost": row["cost"]}
        | {"gross": row["gross"], "net": row["net"]}
        | {"year_turnover": year_turnover, "year_cost": year_cost}
        for row, year_turnover, year_cost in zip(
            BACKTEST_RETURN[:13],
            [*[None] * 11, 0.5 + 11 * 0.1, 12 * 0.1],
            [*[None] * 11, 0.001 + 11 * 0.0002, 12 * 0.0002],
            strict=True,
        )
    ]
    + rows(
        "strategy month_end rebalanced stocks turnover cost gross net year_turnover year_cost",
        ("value", JAN, *[None] * 8),
        ("value", FEB, True, 2, 0.5, 0.001, -0.1, -0.1, None, None),
        ("value", MAR, False, 2, 0.0, 0.0, 0.2, 0.2, None, None),
        ("value", APR, False, 2, 0.0, 0.0, 0.1, 0.1, None, None),
    ),
    # ALFA and BETA came back; ECHO and GAMA have gone; the other ALFA has no panel row.
    "current_holdings": rows(
        "ticker company sector weight held_since ret market_equity book_to_market momentum_12_2 "
        "month_end",
        ("ALFA", "Alfa Inc", "Energy", 0.65, JAN, 0.2, 1.1e8, 0.5, 0.1, MAR),
        ("BETA", "Beta Inc", "Technology", 0.12, MAR, None, None, 0.2, 0.4, MAR),
        ("ALFA", "Another Alfa", None, -0.05, MAR, None, None, None, None, MAR),
        ("DELT", None, None, -0.11, MAR, 0.1, 8.8e7, 9.0, 9.0, MAR),
    ),
    "sector_weights": rows(
        "month_end sector stocks weight long_weight short_weight",
        (MAR, "Energy", 1, 0.6, 0.6, 0.0),
        (MAR, "Technology", 2, 0.5, 0.5, 0.0),
        (MAR, "unknown", 2, -0.15, 0.0, -0.15),
        (FEB, "Energy", 2, 0.57, 0.57, 0.0),
        (FEB, "Technology", 1, 0.48, 0.48, 0.0),
        (JAN, "Energy", 1, 0.5, 0.5, 0.0),
        (JAN, "Technology", 1, 0.5, 0.5, 0.0),
        (NOV19, "Energy", 1, 1.0, 1.0, 0.0),
        (OCT19, "Energy", 1, 1.0, 1.0, 0.0),
    ),
    "survivorship": rows(
        "calendar_year months members without_price without_market_equity missing_share "
        "largest_missing_share",
        (2019, 2, 10.0, 3.0, 3.5, 0.3, 0.4),
        (2020, 1, 8.0, 0.0, 4.0, 0.0, 0.0),
    ),
    # On February's last trading day GONE is no member any more, on March's EDGE is and HALT is not;
    # ECHO has no price in March, ALFA no row in April.
    "members_without_prices": rows(
        "ticker months_missing first_missing last_missing",
        ("ECHO", 2, MAR, APR),
        ("GONE", 2, DEC19, JAN),
        ("ALFA", 1, APR, APR),
        ("BETA", 1, DEC19, DEC19),
        ("EDGE", 1, MAR, MAR),
    ),
    "quarantine": rows(
        "data_set vendor file sha256 line_number rule reason offending_text file_status rows_used "
        "ingested_at",
        ("prices", "acme", "A.csv", "a1", 7, "sign", "below 0", "-1", "parsed", 10, FETCHED),
        ("prices", "acme", "C.csv", "c1", None, "error", "limit", None, "quarantined", 0, FETCHED),
        ("prices", None, "D.csv", "d1", None, "error", "limit", None, None, None, None),
    ),
    "disputed_prices": rows(
        "ticker date close dividend split computed_return vendor_return difference month_return "
        "flags",
        ("BETA", date(2020, 5, 5), 20.0, 0.0, 2.0, 0.0, 0.5, -0.5, None, None),
        ("ALFA", date(2020, 2, 14), 10.0, 1.0, 1.0, 0.1, 0.05, 0.05, None, "disputed_return"),
    ),
    # Of ECHO, -20 % in February and -30 % in March, the fault shows in March.
    "returns_without_flagged": rows(
        "month_end stocks flagged_stocks mean_return unflagged_return",
        *[(end, count, 0, mean, mean) for end, count, mean in CROWD_MEANS],
        (JAN, 2, 0, 0.0875, 0.0875),
        (FEB, 2, 0, -0.05, -0.05),
        (MAR, 4, 1, 0.025, 0.4 / 3),
    ),
    "returns_without_faults": rows(
        "month_end stocks faulty_stocks mean_return faultless_return",
        *[(end, count, 0, mean, mean) for end, count, mean in CROWD_MEANS],
        (JAN, 2, 0, 0.0875, 0.0875),
        (FEB, 2, 1, -0.05, 0.1),
        (MAR, 4, 1, 0.025, 0.4 / 3),
    ),
    "departures": rows(
        "ticker company month_end why held_since months_held stock_return final_return weight",
        ("ECHO", "Echo Inc", MAR, "performance", FEB, 2, 0.8 * 0.7 - 1, -0.3, 0.4),
        ("GAMA", "Gamma Inc", MAR, "rebalance", FEB, 1, None, None, 0.05),
        ("BETA", "Beta Inc", FEB, "rebalance", JAN, 1, 0.05, None, 0.48),
        ("ALFA", "Alfa Inc", DEC19, "rebalance", NOV19, 1, 0.1, None, 1.0),
        # It came and left in one month: the stay after that is another one.
        ("ALFA", "Alfa Inc", OCT19, "merger", OCT19, 1, -0.5, -0.5, 1.0),
    ),
    # The largest stock now is ALFA, once OLDA; the ALFA before it is another company.
    "market_equity": rows(
        "ticker month_end price shares market_equity firm_market_equity ret flags",
        ("OLDA", DEC19, 8.0, 1e7, 8e7, 8e7, None, None),
        ("ALFA", JAN, 9.0, 1e7, 9e7, 9e7, 0.125, None),
        ("ALFA", FEB, 10.0, 1e7, 1e8, 1e8, None, "disputed_return"),
        ("ALFA", MAR, 11.0, 1e7, 1.1e8, 1.1e8, 0.2, None),
    ),
    "growth_of_one": rows(
        "strategy month_end net growth growth_common",
        ("benchmark", JAN, 0.5, 1.5, None),
        ("benchmark", FEB, 0.02, 1.5 * 1.02, 1.02),
        ("benchmark", MAR, 0.02, 1.5 * 1.02**2, 1.02**2),
        ("benchmark", APR, 0.02, 1.5 * 1.02**3, 1.02**3),
        *[("momentum", MOMENTUM_MONTHS[i], 0.01, 1.01 ** (i + 1), None) for i in range(10)],
        ("momentum", FEB, 0.1, 1.01**10 * 1.1, 1.1),
        ("momentum", MAR, -0.2, 1.01**10 * 0.88, 0.88),
        ("momentum", APR, 0.25, 1.01**10 * 1.1, 1.1),
        ("value", FEB, -0.1, 0.9, 0.9),
        ("value", MAR, 0.2, 1.08, 1.08),
        ("value", APR, 0.1, 1.188, 1.188),
    ),
    # Of the factors only UMD has 36 months, 18 of 1 % and 18 of 3 %: t = 2 / sqrt(36 / 35) x 6.
    "rolling_factor_means": rows(
        "factor month_end annual_mean t",
        ("UMD", MAR, 0.24, 2 * math.sqrt(35)),
        ("UMD", APR, 0.24, 2 * math.sqrt(35)),
    ),
    "stocks_behind_factors": rows(
        "factor calendar_year months_with_return average_stocks fewest_in_a_portfolio left_out",
        ("CMA", 2020, 0, 1.5 * (6 + 4 + 3 + 9), 3, 0.0),
        ("HML", 2020, 2, 1.5 * (3 + 6 + 5 + 8), 3, 0.5),
        ("LOWVOL", 2020, 0, 1.5 * (13 + 17), 13, 0.0),
        ("MKT", 2020, 2, 1.5 * 50, 50, 0.0),
        ("QMJ", 2020, 0, 1.5 * (8 + 7 + 6 + 5), 5, 0.0),
        ("RMW", 2020, 0, 1.5 * (2 + 3 + 4 + 1), 1, 0.0),
        ("SMB", 2020, 2, 1.5 * (3 + 4 + 5 + 6 + 7 + 8), 3, 0.5),
        ("SMB_FF5", 2020, 0, 1.5 * (2 + 5 + 3 + 4 + 6 + 1), 1, 0.5),
        ("UMD", 2020, 2, 1.5 * (10 + 12 + 13 + 15), 10, 0.0),
        ("UMD_EW", 2020, 0, 1.5 * (20 + 22), 20, 0.0),
    ),
    "builds": [
        row | dict(zip(SETTINGS_SHOWN.split(), shown, strict=True))
        for row, shown in zip(
            rows(
                "build finished_at month_start month_end inputs code_version simulated run_id "
                "settings",
                (2, FETCHED_LATER, date(2020, 2, 1), APR, "i2", "c1", True, "r2", "{}"),
                (1, FETCHED, date(2020, 1, 1), MAR, "i1", "c1", False, "r1", SETTINGS),
            ),
            ([None] * 6, ("acme", "filings", "202402", "nyse", "index", "-30%")),
            strict=True,
        )
    ],
    "input_files": rows(
        "data_set vendor vintage status files total_bytes rows_used rows_rejected oldest_fetch "
        "newest_fetch",
        ("library", "french", "202402", "parsed", 1, 20, 30, 0, FETCHED, FETCHED),
        ("prices", "acme", None, "parsed", 2, 150, 15, 1, FETCHED, FETCHED_LATER),
        ("prices", "acme", None, "quarantined", 1, 7, 0, 1, FETCHED, FETCHED),
    ),
    "failed_checks": rows(
        "table_name check_name severity failing_rows observed",
        ("backtest.holding", "expectations", "error", 1, "broken: weight"),
        ("panel.index_coverage", "survivorship", "warn", 3, "up to 40%"),
    ),
    # The median of 3 and 2 is 2.5.
    "value_spread": rows(
        "month_end stocks growth_border value_border spread to_median",
        (date(2018, 7, 31), 40, 0.2, 0.6, 3.0, 1.0),
        (date(2019, 7, 31), 50, 0.25, 0.5, 2.0, 0.8),
    ),
    # Size: two correlations, 1 and 1 - SWAP, of mean 1 - SWAP / 2 and deviation SWAP / sqrt(2).
    "signal_rank_correlations": rows(
        "signal_name calendar_year months average_stocks rank_correlation t",
        ("book_to_market", 2010, 1, 30.0, TIED, None),
        ("momentum_12_2", 2010, 0, 30.0, None, None),
        ("reversal_1", 2010, 1, 30.0, TIED, None),
        ("size", 2010, 2, 30.0, 1 - SWAP / 2, (1 - SWAP / 2) * 2 / SWAP),
    ),
    # Expansion is interrupted by one month of late cycle.
    "regime_spells": rows(
        "regime first_month last_month months inflation yield_slope production_from_peak",
        (None, NOV19, NOV19, 1, None, 0.01, 0.0),
        ("expansion", DEC19, JAN, 2, 0.03, 0.015, -0.01),
        ("late cycle", FEB, FEB, 1, 0.05, -0.01, -0.02),
        ("expansion", MAR, MAR, 1, 0.01, 0.03, -0.03),
    ),
    # 202402 is the newest vintage of HML, 202401 of UMD.
    "factors_by_regime": rows(
        "factor vintage first_month last_month expansion late_cycle recession recovery "
        "t_expansion t_late_cycle t_recession t_recovery",
        ("HML", "202402", JAN10, FEB, 0.01, 0.02, -0.03, None, 0.1, 0.2, -0.3, None),
        ("UMD", "202401", JAN10, MAR, None, None, None, 0.05, None, None, None, 0.5),
    ),
    "regime_claims": rows(
        "regime effect exposure source factor vintage real_time_months real_time_difference "
        "real_time_t real_time_verdict final_months final_difference final_t final_verdict",
        (
            "recovery",
            "favours",
            "size",
            "library",
            "SMB",
            "202402",
            60,
            0.06,
            1.0,
            "not supported",
            50,
            0.12,
            2.0,
            "supported",
        ),
        (
            "expansion",
            "hurts",
            "low volatility",
            "own",
            None,
            None,
            0,
            None,
            None,
            "no such factor",
            0,
            None,
            None,
            "no such factor",
        ),
    ),
    "etf_promises": rows(
        "ticker promise model factor relation level estimate t verdict alpha alpha_t r2 vintage "
        "months first_month last_month",
        (
            "NONE",
            "quality",
            "FF5",
            "RMW",
            "above",
            0.0,
            None,
            None,
            "unknown ticker",
            None,
            None,
            None,
            None,
            0,
            None,
            None,
        ),
        (
            "SMAL",
            "small",
            "FF3",
            "SMB",
            "above",
            0.0,
            0.8,
            20.0,
            "as promised",
            0.012,
            1.5,
            0.9,
            "202402",
            60,
            JAN10,
            FEB,
        ),
    ),
    **BETA_ANSWERS,
    # Of the library HML has no second half in its newest vintage; MKT's only vintage is older.
    "factor_evidence": [
        row
        | {"first_month": JAN10, "last_month": APR, "months": 123, "sharpe": 0.5, "nw_lag": 4}
        | {"max_drawdown": -0.2, "t": 2.5, "p_adjusted": 0.01}
        for row in rows(
            "factor source vintage annual_return verdict annual_return_first_half "
            "annual_return_second_half",
            ("HML", "own", None, 0.03, "significant", 0.04, 0.02),
            ("HML", "library", "202403", 0.05, "not significant", 0.06, None),
            ("MKT", "library", "202402", 0.07, "significant", None, None),
        )
    ],
    "signal_evidence": rows(
        "signal_name first_month last_month months average_stocks ic ic_t ic_verdict spread "
        "spread_t spread_verdict spread_turnover slope slope_t",
        (
            *("size", JAN10, APR, 123, 950.0, -0.03, -3.5, "significant"),
            *(-0.04, -1.5, "not significant", 0.4, -0.002, -1.25),
        ),
        ("momentum_12_2", JAN10, APR, 120, 900.0, 0.02, 2.5, "significant", *[None] * 6),
        ("book_to_market", None, None, 3, None, None, None, "too few months", *[None] * 6),
    ),
    "model_tests": rows(
        "sort portfolios months p_capm p_ff3 p_carhart p_ff5 alpha_capm alpha_ff3 alpha_carhart "
        "alpha_ff5",
        ("book_to_market_decile", 10, 100, None, None, 0.5, None, None, None, 0.036, None),
        ("size_decile", 10, 120, 0.01, 0.2, None, None, 0.024, 0.012, None, None),
    ),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return published_file(tmp_path_factory.mktemp("small"), SMALL_MARKET | BETA_TABLES)


@pytest.fixture(scope="module")
def published_empty(tmp_path_factory):
    return published_file(tmp_path_factory.mktemp("empty"), {})


@pytest.fixture
def answer(published):
    """Rows of a shipped query, after an edit of what one pattern finds, if told so."""

    def ask(name, pattern=None, edited=None):
        text = shipped_queries()[name]
        if pattern:
            text, edits = re.subn(pattern, edited, text, flags=re.DOTALL)
            assert edits == 1
        return query_published(published, text).to_dicts()

    return ask


def differences(row, expected):
    """Columns in which two rows differ, beyond rounding where they hold floats."""
    return {
        name: (row.get(name), expected.get(name))
        for name in row.keys() | expected.keys()
        if not same(row.get(name), expected.get(name)) or (name in row) != (name in expected)
    }


def same(value, expected):
    if isinstance(value, float) and isinstance(expected, float):
        return math.isclose(value, expected, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(value) is type(expected) and value == expected


@pytest.mark.parametrize("name", shipped_queries())
def test_a_shipped_query_gives_what_was_worked_out_by_hand(name, answer):
    given, expected = answer(name), EXPECTED[name]
    assert len(given) == len(expected), given
    assert [differences(*pair) for pair in zip(given, expected, strict=True)] == [{}] * len(given)


def test_every_expectation_has_its_query():
    assert set(EXPECTED) == set(shipped_queries())


@pytest.mark.parametrize("name", shipped_queries())
def test_a_shipped_query_says_its_grain_its_question_and_more(name):
    grain, question, meaning, *_ = shipped_queries()[name].splitlines()
    assert grain.startswith("-- Grain: one row per ")
    assert re.fullmatch(r"-- .*\?", question)
    assert meaning.startswith("-- ")


def test_every_sql_file_says_its_grain():
    silent = [p for p in sql_folder().rglob("*.sql") if not p.read_text().startswith("-- Grain: ")]
    assert silent == []


@pytest.mark.parametrize("name", shipped_queries())
def test_columns_are_of_types_any_tool_reads(name, published):
    # Sums of integers are HUGEINT in DuckDB, which JSON and Excel do not know.
    schema = query_published(published, shipped_queries()[name]).schema
    plain = (pl.Boolean, pl.Date, pl.Datetime, pl.Float64, pl.Int64, pl.String)
    assert {column: dtype for column, dtype in schema.items() if dtype not in plain} == {}


@pytest.mark.parametrize("name", shipped_queries())
def test_a_shipped_query_works_before_the_first_rows_arrive(name, published_empty):
    assert query_published(published_empty, shipped_queries()[name]).is_empty()


def test_strategies_compared_agree_with_the_summary_of_the_common_months(tmp_path):
    draws = np.random.default_rng(5)
    windows = {"early": range(40), "late": range(12, 40), "benchmark": range(37)}
    months = month_ends(2015, 1, 40)
    returns = [
        {"strategy": name, "month_end": months[i], "net": net, "gross": net, "turnover": 0.1}
        | {"cash_ret": None if name == "benchmark" else 0.0001 * i}
        for name, window in windows.items()
        for i, net in zip(window, draws.normal(0.01, 0.05, len(window)), strict=True)
    ]
    file = published_file(tmp_path, {"backtest.backtest_return": returns})
    given = query_published(file, shipped_queries()["strategies_compared"])
    common = pl.DataFrame(returns, infer_schema_length=None).filter(
        pl.col("month_end").is_between(months[12], months[36])
    )
    bills = pl.DataFrame({"month_end": months, "rf": [0.0001 * i for i in range(40)]})
    expected = summary(common, bills).pivot("metric", index="strategy", values="value")
    assert given["months"].to_list() == [25] * 3
    for ours, theirs in {
        "cagr": "cagr",
        "annual_mean": "annual_return",
        "volatility": "volatility",
        "sharpe": "sharpe",
        "max_drawdown": "max_drawdown",
    }.items():
        found = dict(given.select("strategy", ours).iter_rows())
        assert found == pytest.approx(
            dict(expected.select("strategy", theirs).iter_rows()), rel=RELATIVE
        )


def test_stocks_are_counted_in_the_portfolios_the_factors_are_made_of(answer):
    counted = {row["factor"]: row["average_stocks"] for row in answer("stocks_behind_factors")}
    # March has twice April's stocks (CELLS): the average is one and a half times them.
    expected = {
        formula.factor: 1.5
        * sum(CELLS[leg.sort, leg.cell, leg.weighting] for leg in formula.long + formula.short)
        for formula in FORMULAS
    }
    # Of the three sorts of SMB_FF5, with 33, 21 and 29 stocks, the one with the fewest.
    assert counted == expected | {"SMB_FF5": 1.5 * 21}


def test_library_correlations_take_the_newest_vintage_with_most_factors(answer):
    # 202403 is newer but has HML alone. Deviations of 202402: MKT -5 4 1, HML -1 0 1.
    given = answer("factor_correlations", "'own' as factor_source", "'library' as factor_source")
    assert [(row["factor"], row["months"]) for row in given] == [("HML", 3), ("MKT", 3)]
    assert given[0]["mkt"] == pytest.approx(6 / math.sqrt(42 * 2), rel=RELATIVE)


def test_library_years_take_the_newest_vintage_of_each_factor(answer):
    given = answer("factor_returns_by_year", "'own' as factor_source", "'library' as factor_source")
    found = [(row["factor"], row["vintage"], row["months"]) for row in given]
    assert found == [("HML", "202403", 1), ("MKT", "202402", 3), *[("RF", "202402", 12)] * 3]


def test_prices_can_be_asked_for_as_they_were_known_before(answer):
    then = f"max(timestamp '{FETCHED}') as known_at"
    given = answer("prices_known_on", r"max\(known_from\) as known_at", then)
    assert [(row["date"].day, row["close"]) for row in given] == [(29, 9.0), (28, 9.5)]


def test_library_windows_are_within_the_newest_vintage(answer):
    given = answer("rolling_factor_means", "'own' as factor_source", "'library' as factor_source")
    assert [(row["factor"], row["month_end"]) for row in given] == [("RF", BILL_MONTHS[-1])]


@pytest.mark.parametrize("name", ["top_value", "top_momentum", "top_value_momentum"])
def test_stocks_outside_the_index_are_ranked_when_asked_for(name, answer):
    given = answer(name, "true as members_only", "false as members_only")
    assert given[0]["ticker"] == "DELT"


@pytest.mark.parametrize("name", ["top_value", "top_momentum", "top_value_momentum"])
def test_a_ranking_can_be_of_a_chosen_month_and_length(name, answer):
    month = r"\(\s+select max\(month_end\).*?\) as month_end"
    given = answer(name, month, f"date '{FEB}' as month_end")
    assert [(row["ticker"], row["known_by"]) for row in given] == [("BETA", JAN)]
    assert len(answer(name, "25 as stocks", "2 as stocks")) == 2


def test_a_ranking_is_of_the_newest_month_that_has_all_its_signals(tmp_path):
    newer = [*CHARACTERISTIC, {"security_id": 2, "month_end": APR, "book_to_market": 0.3}]
    file = published_file(tmp_path, SMALL_MARKET | {"signal.characteristic": newer})
    months = {
        name: query_published(file, shipped_queries()[name])["month_end"].unique().to_list()
        for name in ("top_value", "top_momentum", "top_value_momentum")
    }
    assert months == {"top_value": [APR], "top_momentum": [MAR], "top_value_momentum": [MAR]}


def test_a_ticker_can_be_chosen(answer):
    given = answer("market_equity", r"\(\s+select max_by.*\) as ticker", "'ECHO' as ticker")
    assert [row["month_end"] for row in given] == [JAN, FEB, MAR]


def test_fewer_strategies_are_compared_over_a_longer_window(answer):
    given = answer("strategies_compared", "'%' as strategy_pattern", "'mom%' as strategy_pattern")
    found = [(row["strategy"], row["months"], row["months_left_out"]) for row in given]
    assert found == [("momentum", 13, 0)]


@pytest.mark.parametrize("name", ["departures", "current_holdings", "sector_weights"])
def test_another_strategy_can_be_chosen(name, answer):
    given = answer(name, "'value' as strategy", "'momentum' as strategy")
    # GAMA, all the strategy held, was sold at the start of April.
    months = {"departures": [APR], "current_holdings": [], "sector_weights": [MAR]}
    assert [row["month_end"] for row in given] == months[name]


@pytest.mark.parametrize(
    ("name", "pattern", "edited", "column", "values"),
    [
        ("small_value_tilt", "'small_value' as tilt", "'large_growth' as tilt", "ticker", ["BETA"]),
        ("highest_betas", "10 as stocks", "1 as stocks", "ticker", ["ALFA", "GAMA", "ALFA"]),
        (
            "beta_rank_of",
            r"select\n +\(.*\) as ticker",
            "select 'DELT' as ticker",
            "place_smb",
            [3],
        ),
        (
            "high_against_low_beta_hml",
            "'value' as weighting",
            "'equal' as weighting",
            "growth_spread",
            [1.125],
        ),
        ("strategy_betas", "'FF3' as factor", "'CAPM' as factor", "estimate", [5.0]),
    ],
)
def test_questions_about_betas_can_be_asked_of_another(
    name, pattern, edited, column, values, answer
):
    assert [row[column] for row in answer(name, pattern, edited)] == values
