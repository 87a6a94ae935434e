"""Truth tables: what a simulated market was made from, which no vendor of real data can tell.

They exist only where all data are simulated, and no other table reads them.
"""

from typing import Final

import polars as pl

from factor_pipeline.schemas.panel import MONTH_END, OF_SECURITY, SECURITY_ID
from factor_pipeline.schemas.table import Column, Table

_OF_FACTOR: Final = {
    "mkt": "the market's excess return",
    "smb": "SMB",
    "hml": "HML",
    "rmw": "RMW",
    "cma": "CMA",
    "umd": "UMD",
}
FACTOR_NAMES: Final = {name: name.upper() for name in (*_OF_FACTOR, "rf")}
"""Names of ``factor.factor_return`` for the factors of the simulation, and for its cash."""

MARKET: Final = Table(
    layer="truth",
    name="market",
    description="Which simulated market the truth is that of: the parameters it follows from.",
    key=("parameters_sha256",),
    columns=(
        Column(
            "parameters_sha256",
            pl.String,
            "hex",
            "SHA-256 of the file of parameters, as in raw.ingest_log.",
        ),
        Column("stocks", pl.Int64, "count", "Firms listed at a time, about.", minimum=1),
        Column("years", pl.Int64, "years", "Length of the market.", minimum=1),
        Column("start", pl.Date, "date", "First day of its first month."),
        Column("seed", pl.Int64, "number", "Seed of its draws.", minimum=0),
        Column(
            "constant_betas",
            pl.Boolean,
            "yes/no",
            "Whether loadings stay what they are at a listing; else they follow characteristics.",
        ),
        Column(
            "made_from",
            pl.String,
            "hex",
            "Hash over parameters, generator, code and identities: equal hashes, equal truth.",
        ),
    ),
)

BETA: Final = Table(
    layer="truth",
    name="beta",
    description=(
        "True loadings of simulated securities on the true factors during each month they are "
        "listed in. An estimate over a window compares with their mean in it."
    ),
    key=("security_id", "month_end"),
    columns=(
        SECURITY_ID,
        MONTH_END,
        *(
            Column(f"beta_{name}", pl.Float64, "ratio", f"Loading on {of}.")
            for name, of in _OF_FACTOR.items()
        ),
    ),
    references=(OF_SECURITY,),
)

SECURITY_RETURN: Final = Table(
    layer="truth",
    name="security_return",
    description=(
        "True total returns of simulated securities up to the last price of the month, before "
        "prices are rounded and days are halted; without delisting returns, and without the month "
        "of the listing."
    ),
    key=("security_id", "month_end"),
    columns=(
        SECURITY_ID,
        MONTH_END,
        Column("ret", pl.Float64, "decimal", "Total return of the month.", minimum=-1.0),
    ),
    references=(OF_SECURITY,),
)

FACTOR_RETURN: Final = Table(
    layer="truth",
    name="factor_return",
    description="True monthly factor returns behind the simulated market.",
    key=("factor", "month_end"),
    columns=(
        MONTH_END,
        Column(
            "factor",
            pl.String,
            "name",
            "MKT (in excess of RF), SMB, HML, RMW, CMA, UMD, RF, as in factor.factor_return.",
            values=tuple(FACTOR_NAMES.values()),
        ),
        Column("ret", pl.Float64, "decimal", "Return of the month.", minimum=-1.0),
    ),
)

PREMIUM: Final = Table(
    layer="truth",
    name="premium",
    description="Expected returns of the true factors.",
    key=("factor",),
    columns=(
        Column(
            "factor",
            pl.String,
            "name",
            "MKT (in excess of RF), SMB, HML, RMW, CMA, UMD.",
            values=tuple(FACTOR_NAMES[name] for name in _OF_FACTOR),
        ),
        Column("premium", pl.Float64, "decimal/year", "Expected return."),
    ),
)

DELISTING: Final = Table(
    layer="truth",
    name="delisting",
    description="Every simulated security that left, also where the vendor does not tell all.",
    key=("security_id",),
    columns=(
        SECURITY_ID,
        Column("date", pl.Date, "date", "Day of the last price."),
        Column("reason", pl.String, "name", "Why.", values=("merger", "performance", "other")),
        Column(
            "delisting_return", pl.Float64, "decimal", "Return after the last close.", minimum=-1.0
        ),
    ),
    references=(OF_SECURITY,),
)
