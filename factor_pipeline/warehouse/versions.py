"""Raw rows in two times: new rows of a file in, what they withdraw kept as it was known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.provenance import arriving, stated
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.vintage_diff import record_diff

_TOUCHED_SCHEMA = {
    "file": pl.String,
    "known_from": pl.Datetime,
    "reread": pl.Boolean,
    "restated": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class Restatement:
    """Rows of ``files`` of a raw table make way for ``frame``.

    A row that says what a row before it said keeps the time since when it is known. Rows that no
    new row repeats go to ``history``. Columns in ``schemas.provenance.REBASED`` are not compared:
    they are those of the new file, today and for the past.

    Attributes
    ----------
    data_set
        The data set the files serve.
    table, history
        The raw table, and that of its withdrawn rows; null where these are not kept.
    frame
        The contract's columns and ``file``, in the order to store them.
    files
        Files whose rows go.
    known_from
        When the bytes of each file in ``frame`` were first fetched, UTC.
    restated
        Files with another version of the same source, whose changes are told in
        ``quality.vintage_diff``, and when the newest version before was known.
    reread
        Files whose bytes are those of before, read in another way: a row keeps the time of the
        one with its key, and what was read before was never known.
    at
        When what is withdrawn ceased to be known, UTC.
    """

    data_set: str
    table: Table
    history: Table | None
    frame: pl.DataFrame
    files: Sequence[str]
    known_from: Mapping[str, datetime]
    restated: Mapping[str, datetime]
    reread: Collection[str]
    at: datetime

    def carry_out(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Swap the rows in the transaction that is open on ``connection``.

        Raises
        ------
        SchemaError
            When the frame is not what the table declares.
        """
        incoming = conformed(arriving(self.table), self.frame)
        connection.register("touched", self._touched())
        connection.register("incoming", incoming)
        times = set(self.known_from.values())
        if not self._replaces(connection) and len(times) == 1:
            connection.execute(
                f"insert into {self.table.qualified_name} by name "  # noqa: S608
                "select *, cast($time as timestamp) as known_from from incoming",
                {"time": times.pop()},
            )
        else:
            # Joins lose the order of the rows.
            connection.register("incoming", incoming.with_row_index("position"))
            self._restate(connection)
        connection.unregister("incoming")
        connection.unregister("touched")

    def _touched(self) -> pl.DataFrame:
        rows = [
            {
                "file": file,
                "known_from": self.known_from.get(file),
                "reread": file in self.reread,
                "restated": file in self.restated,
            }
            for file in sorted({*self.files, *self.known_from})
        ]
        return pl.DataFrame(rows, schema=_TOUCHED_SCHEMA)

    def _replaces(self, connection: duckdb.DuckDBPyConnection) -> bool:
        name = self.table.qualified_name
        query = f"select 1 from {name} where list_contains($files, file) limit 1"  # noqa: S608
        return bool(connection.execute(query, {"files": list(self.files)}).fetchall())

    def _restate(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Swap the rows that differ; the others, nearly all in a nightly file, stay in place."""
        name = self.table.qualified_name
        whole = _hash(arriving(self.table).column_names)
        said, keyed = _hash(stated(self.table)), _hash(self.table.key)
        identity = f"case when touched.reread then {keyed} else {said} end"
        # As often in the new rows as in the old ones is no difference, other counts are.
        connection.execute(
            "create or replace temp table differing as select hashed from "  # noqa: S608
            f"(select {whole} as hashed, 1 as side from incoming as rows union all "
            f"select {whole}, -1 from {name} as rows where file in (select file from touched)) "
            "group by hashed having sum(side) <> 0"
        )
        connection.execute(
            f"create or replace temp table before as select rows.rowid as place, {said} as said, "  # noqa: S608
            f"{identity} as identity, rows.known_from, touched.reread from {name} as rows "
            f"inner join touched on rows.file = touched.file "
            f"where {whole} in (select hashed from differing)"
        )
        if self.history is not None:
            connection.execute(
                f"insert into {self.history.qualified_name} by name "  # noqa: S608
                f"select rows.*, cast($at as timestamp) as known_to from {name} as rows "
                "inner join before on rows.rowid = before.place "
                "where not before.reread and before.known_from < $at and before.said not in "
                f"(select {said} from incoming as rows where {whole} in (from differing))",
                {"at": self.at},
            )
        if self.history is not None and self.restated:
            self._record_diff(connection, whole)
        connection.execute(f"delete from {name} where rowid in (select place from before)")  # noqa: S608
        connection.execute(
            f"insert into {name} by name select rows.* exclude (position), "  # noqa: S608
            "coalesce(earlier.known_from, touched.known_from) as known_from "
            "from incoming as rows inner join touched on rows.file = touched.file "
            "left join (select identity, min(known_from) as known_from from before group by all) "
            f"as earlier on earlier.identity = {identity} "
            f"where {whole} in (from differing) order by rows.position"
        )
        connection.execute("drop table before")
        connection.execute("drop table differing")

    def _record_diff(self, connection: duckdb.DuckDBPyConnection, whole: str) -> None:
        restated = "inner join touched on rows.file = touched.file where touched.restated"
        connection.execute(
            "create or replace temp table arrived as select rows.* from incoming as rows "  # noqa: S608
            f"{restated} and {whole} in (from differing)"
        )
        connection.execute(
            "create or replace temp table left_over as select rows.* "  # noqa: S608
            f"from {self.table.qualified_name} as rows {restated} "
            "and rows.rowid in (select place from before)"
        )
        record_diff(
            connection,
            self.table,
            data_set=self.data_set,
            known_from=self.at,
            known_before=max(self.restated.values()),
        )
        connection.execute("drop table arrived")
        connection.execute("drop table left_over")


def _hash(columns: Sequence[str]) -> str:
    """Return SQL for a 64-bit hash of ``rows``; two of n rows share one with a chance n²/2**65."""
    named = ", ".join(f'rows."{column}"' for column in columns)
    return f"hash({named})"
