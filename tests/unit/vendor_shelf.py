"""A vendor whose files are rows it is given, and a desk that ingests them day by day."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl

from factor_pipeline.errors import BadFileError
from factor_pipeline.fetching import IngestReport
from factor_pipeline.ingestion import Ingestion
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.quality import PENDING, QUARANTINE
from factor_pipeline.schemas.raw import INGEST_LOG, PRICE_DAILY
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Parsed
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.warehouse.store import Warehouse

SERVED: dict[bytes, tuple[pl.DataFrame | BadFileError | OSError, pl.DataFrame | None]] = {}
"""What shelves have offered, by its bytes: a parser reads what was served before, too."""

MONDAY = datetime(2024, 1, 1, 2, 30, tzinfo=UTC)
JANUARY = [date(2020, 1, day) for day in (2, 3, 6)]


@dataclass(frozen=True)
class Held:
    name: str
    content: bytes | OSError
    vintage: str | None = None

    def read(self) -> bytes:
        if isinstance(self.content, OSError):
            raise self.content
        return self.content


@dataclass
class Shelf:
    """A source whose files are rows it was given, and which notes what it is asked to parse."""

    offers: dict[str, pl.DataFrame | BadFileError | OSError]
    rejects: dict[str, pl.DataFrame] = field(default_factory=dict)
    name: str = "shelf"
    version: int = 1
    parsed: list[str] = field(default_factory=list)

    def files(self) -> Iterator[Held]:
        for name in sorted(self.offers):
            content = self.content(name)
            if isinstance(content, bytes):
                SERVED[content] = (self.offers[name], self.rejects.get(name))
            yield Held(name, content)

    def content(self, name: str) -> bytes | OSError:
        offer = self.offers[name]
        if isinstance(offer, OSError):
            return offer
        text = str(offer) if isinstance(offer, BadFileError) else offer.write_csv()
        return text.encode() + self.rejects.get(name, pl.DataFrame()).write_csv().encode()

    def parse(self, file: Held, content: bytes) -> Parsed:
        self.parsed.append(file.name)
        offer, rejects = SERVED[content]
        if isinstance(offer, BadFileError):
            raise offer
        return Parsed(offer, pl.DataFrame(schema=REJECT_SCHEMA) if rejects is None else rejects)


BAD = BadFileError("api_error", "The vendor answered with an error; fetch it again.", 3, "Error")


def prices(name: str, closes: list[float], days: list[date] = JANUARY, **columns: object):
    columns_given = {"date": days[: len(closes)], "close": closes}
    schema = {"date": pl.Date, "close": pl.Float64}
    frame = pl.DataFrame(columns_given, schema=schema).with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(c) for c in ("open", "high", "low", "volume")),
        vendor_id=pl.lit(name),
        ticker=pl.lit(name),
        adjusted_close=pl.col("close"),
        dividend=pl.lit(0.0),
        split=pl.lit(1.0),
    )
    changed = frame.with_columns(pl.Series(key, value) for key, value in columns.items())
    return changed.select(contract(PRICE_DAILY).names())


def shelf(**offers: pl.DataFrame | BadFileError | OSError) -> Shelf:
    return Shelf({f"{name}.csv": offer for name, offer in offers.items()})


@dataclass(frozen=True)
class Desk:
    """Ingests into one warehouse, each time a day later."""

    warehouse: Warehouse
    store: RawStore

    def ingest(
        self,
        source: Shelf | None,
        *,
        data_set: str = "prices",
        exclude: tuple[str, ...] = (),
        days: float = 0,
        max_bad_share: float = 0.5,
        max_lost_share: float = 1.0,
        is_complete: bool = False,
    ) -> IngestReport:
        if source:
            source.parsed.clear()
        now = MONDAY + timedelta(days=days)
        ingestion = Ingestion(
            self.warehouse,
            self.store,
            max_bad_share,
            now,
            is_complete=is_complete,
            max_lost_share=max_lost_share,
        )
        return ingestion.run(data_set, source, exclude)

    def closes(self) -> dict[str, list[float]]:
        rows = self.warehouse.table(PRICE_DAILY)
        return {
            file: rows.filter(pl.col("file") == file)["close"].to_list()
            for file in rows["file"].unique().sort()
        }

    def log(self, file: str) -> dict[str, object]:
        return self.warehouse.table(INGEST_LOG).row(by_predicate=pl.col("file") == file, named=True)

    def statuses(self) -> dict[str, str]:
        return dict(self.warehouse.table(INGEST_LOG).select("file", "status").rows())

    def quarantine(self) -> list[tuple[object, ...]]:
        return self.warehouse.table(QUARANTINE).select("file", "row", "rule", "value").rows()

    def everything(self) -> list[pl.DataFrame]:
        return [self.warehouse.table(t) for t in (PRICE_DAILY, QUARANTINE, INGEST_LOG, PENDING)]

    def is_as_before(self, before: list[pl.DataFrame]) -> bool:
        return all(a.equals(b) for a, b in zip(self.everything(), before, strict=True))
