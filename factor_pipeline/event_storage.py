"""Dagster's SQLite event log, written in batches over connections that stay open.

A monthly asset writes two events per month of a run. One by one each of them is two SQLite
transactions, 9-18 ms on a quiet disk and far more on a busy one: 257 months of eleven assets took
45 to 200 s, more than all computing. In batches it is under 2 s. The rest of a run's events come
one by one, and opening the database for each cost 4 ms: 8 s of a first run.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from dagster._core.events import ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy import event as engine_event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

# Dagster sends batches only when this variable says how large they may be.
BATCH_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
BATCH_SIZE = "5000"

_BUSY_SECONDS = 60


class BatchingSqliteEventLogStorage(SqliteEventLogStorage):
    """The standard storage under ``$DAGSTER_HOME/history``, with batches in one transaction."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # The base class connects while it is made.
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir=base_dir, inst_data=inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing to configure."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003 - Dagster's signature
    ) -> "BatchingSqliteEventLogStorage":
        """Open the storage in the folder Dagster's own default uses."""
        os.environ.setdefault(BATCH_VARIABLE, BATCH_SIZE)
        base = Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"
        return cls(base_dir=str(base), inst_data=inst_data)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store the asset events of a run in one transaction per database file."""
        run_ids = {event.run_id for event in events}
        batch = [event for event in events if _is_asset_event(event)]
        if len(run_ids) > 1 or not batch:
            super().store_event_batch(events)
            return
        for event in events:
            if not _is_asset_event(event):
                self.store_event(event)
        rows = [self._event_to_row(event) for event in batch]
        insert = SqlEventLogStorageTable.insert()
        with self.run_connection(run_ids.pop()) as connection:
            connection.execute(insert, rows)
        with self.index_transaction() as connection:
            numbered = insert.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
            ids = list(connection.execute(numbered, rows).scalars())
            self._store_asset_event_tags(connection, batch, ids)
            for event, event_id in _last_of_each_kind(batch, ids):
                self._store_asset_event(connection, event, event_id)

    def dispose(self) -> None:
        """Close the files."""
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Begin a transaction on a database file whose connection stays open.

        Of the files of single runs only the one used last stays open, or a daemon would collect
        them.
        """
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        # Deleting the history deletes files; a connection would go on writing to nowhere.
        if shard in self._engines and Path(self.path_for_shard(shard)).exists():
            return self._engines[shard]
        for name in list(self._engines):
            if name == shard or name != INDEX_SHARD_NAME:
                self._engines.pop(name).dispose()
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=QueuePool,
            pool_size=1,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        engine_event.listen(engine, "connect", _without_waiting_for_the_disk)
        self._initdb(engine)
        self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        return engine


def _without_waiting_for_the_disk(connection: SqliteConnection, _: object) -> None:
    """Leave flushing to checkpoints: a power loss may cost the last events, never the file."""
    connection.execute("pragma synchronous = normal")


def _last_of_each_kind(
    batch: Sequence[EventLogEntry], ids: Sequence[int]
) -> list[tuple[EventLogEntry, int]]:
    """Last event of each asset and type: each overwrites what the ones before said of the asset."""
    last = {
        (str(entry.dagster_event and entry.dagster_event.asset_key), entry.dagster_event_type): (
            entry,
            event_id,
        )
        for entry, event_id in zip(batch, ids, strict=True)
    }
    return list(last.values())


def _is_asset_event(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS
