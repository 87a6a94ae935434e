"""Annual statements as filed: with a lag, sometimes late, sometimes restated."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.months import add_months
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import FUNDAMENTAL
from factor_pipeline.sources.simulated.draws import Draws
from factor_pipeline.sources.simulated.market import Market
from factor_pipeline.sources.simulated.names import Spell
from factor_pipeline.sources.simulated.share_classes import SECOND_CLASS_SHARE
from factor_pipeline.sources.simulated.statements import (
    STATEMENTS,
    draw_time,
    statement_figures,
)

_LAG: Final = (30, 66)  # days after the period: least, and how many more
_LATE_LAG: Final = (96, 150)
_LATE_SHARE: Final = 0.04
_RESTATED_SHARE: Final = 0.05
_RESTATEMENT_LAG: Final = (250, 300)
_PROSPECTUS: Final = timedelta(days=14)  # before the listing
_MONTHS_OF_LAST_YEARS_LABEL: Final = 5
_FRIDAY: Final = 5
_KEY: Final = ("vendor_id", "period_end", "filed_at", "statement")


def fundamental_frame(market: Market, spells: Sequence[Spell]) -> pl.DataFrame:
    """Rows of ``raw.fundamental``, sorted by vendor_id, period_end, filed_at and statement.

    Three statements per share class and fiscal year, and three more for one year in twenty that
    is restated: the same period with another filing day, equity and net income. Years before a
    listing are public at the latest two weeks before it; nothing is filed after a firm left or
    the market ends. Shares are those of the class on the split basis of the period's last day;
    the other figures are the firm's.
    """
    filings = _filings(market)
    classes = _classes(spells).join(filings, on="entity", maintain_order="left_right")
    classes = classes.with_columns(shares=(pl.col("shares") * pl.col("part")).round())
    schema = contract(FUNDAMENTAL)
    shared = set(schema.names()) - {name for names in STATEMENTS.values() for name in names}
    frames = [
        classes.with_columns(statement=pl.lit(statement)).select(
            pl.col(name) if name in shared or name in stated else pl.lit(None).alias(name)
            for name in schema.names()
        )
        for statement, stated in STATEMENTS.items()
    ]
    return pl.concat([frame.cast(schema) for frame in frames]).sort(_KEY)


def _classes(spells: Sequence[Spell]) -> pl.DataFrame:
    """Share classes with the part of the firm's shares they are."""
    two_classes = {spell.security for spell in spells if spell.share_class}
    rows = {
        spell.vendor_id: {
            "entity": spell.entity,
            "vendor_id": spell.vendor_id,
            "firm": spell.firm,
            "part": _part(spell, two_classes=spell.security in two_classes),
        }
        for spell in spells
    }
    return pl.DataFrame(list(rows.values()))


def _part(spell: Spell, *, two_classes: bool) -> float:
    if not two_classes:
        return 1.0
    return SECOND_CLASS_SHARE if spell.share_class else 1 - SECOND_CLASS_SHARE


def _filings(market: Market) -> pl.DataFrame:
    """Every filing of every firm: figures, dates; restatements are filings of their own."""
    dated = _dated(market)
    restated = dated.filter(
        pl.col("is_restated"), pl.col("corrected_at") > pl.col("filed_at")
    ).with_columns(
        filed_at=pl.col("corrected_at"),
        restated_at=pl.col("corrected_at"),
        total_equity=pl.col("corrected_total_equity"),
        net_income=pl.col("corrected_net_income"),
    )
    return (
        pl.concat([dated, restated])
        .filter(pl.col("filed_at") <= pl.col("last_day"))
        .with_columns(total_liabilities=pl.col("total_assets") - pl.col("total_equity"))
    )


def _dated(market: Market) -> pl.DataFrame:
    """Figures of every fiscal year with the days they are filed and would be corrected on."""
    years, draws = market.fiscal_years, Draws(market.parameters.seed)
    entity, time = years.entity, draw_time(years)
    late = draws.uniform("late", entity, time) < _LATE_SHARE
    chance = draws.uniform("lag", entity, time)
    lag, late_lag, correction_lag = (
        (least + span * chance).astype(np.int64)
        for least, span in (_LAG, _LATE_LAG, _RESTATEMENT_LAG)
    )
    figures = statement_figures(draws, years).with_columns(
        entity=pl.Series(entity),
        shares=pl.Series(years.year.shares),
        period_end=_period_ends(market),
        lag=pl.Series(np.where(late, late_lag, lag)),
        correction_lag=pl.Series(correction_lag),
        is_restated=pl.Series(draws.uniform("restated", entity, time) < _RESTATED_SHARE),
        before_listing=pl.Series(years.before_listing),
    )
    period_end = pl.col("period_end")
    label = period_end.dt.year() - (period_end.dt.month() <= _MONTHS_OF_LAST_YEARS_LABEL)
    published = _weekday(period_end + pl.duration(days="lag"))
    in_prospectus = pl.col("before_listing") & pl.col("listed_at").is_not_null()
    return figures.join(
        _listings(market), on="entity", how="left", maintain_order="left"
    ).with_columns(
        fiscal_year=label,
        currency=pl.lit("USD"),
        shares_basis_date=period_end,
        filed_at=pl.when(in_prospectus)
        .then(pl.max_horizontal(published, _weekday(pl.col("listed_at") - _PROSPECTUS)))
        .otherwise(published),
        restated_at=pl.lit(None, pl.Date),
        corrected_at=_weekday(period_end + pl.duration(days="correction_lag")),
    )


def _weekday(day: pl.Expr) -> pl.Expr:
    """Move a day at the weekend to Monday."""
    return (
        pl.when(day.dt.weekday() > _FRIDAY)
        .then(day + pl.duration(days=8 - day.dt.weekday()))
        .otherwise(day)
    )


def _period_ends(market: Market) -> pl.Series:
    month = pl.Series("period_end", market.fiscal_years.month)
    start = market.parameters.start
    ends: dict[int, date] = {
        m: add_months(start, m + 1) - timedelta(days=1) for m in month.unique().to_list()
    }
    return month.replace_strict(ends, return_dtype=pl.Date)


def _listings(market: Market) -> pl.DataFrame:
    """Day a firm was listed on (null for those the market begins with) and last day of filing."""
    securities, days = market.securities, pl.Series(market.economy.days)
    last_of_all = market.parameters.end - timedelta(days=1)
    return pl.DataFrame(
        {
            "entity": securities.entity,
            "listed_at": days.gather(pl.Series(securities.first_row)),
            "last_day": days.gather(pl.Series(securities.last_row)),
            "is_first": securities.first_row == 0,
            "left": securities.left,
        }
    ).select(
        "entity",
        listed_at=pl.when(~pl.col("is_first")).then("listed_at"),
        last_day=pl.when("left").then("last_day").otherwise(last_of_all),
    )
