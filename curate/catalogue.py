"""The catalogue: a DuckDB index over versions, operations and the story of each row. All SQL lives here.

`.sluice/store.duckdb` can be deleted at any time: the next question rebuilds it from the files, to the same contents.
DuckDB has one writer, which shuts out readers of other processes: each opening is one short transaction, retried while
another process has it.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.core.errors import InputError, StoreBusy
from sluice.core.project import Project
from sluice.curate.dataset import Version, read_name, read_stored
from sluice.curate.operation import NameEntry, Operation, read_operation, recover

if TYPE_CHECKING:
    import duckdb

FORMAT = 1
PATIENCE_SECONDS = 20.0
SHORTEST_PREFIX = 6
TABLES: dict[str, str] = {
    "format": "version INTEGER",
    "operations": "id VARCHAR PRIMARY KEY, verb VARCHAR, time VARCHAR, rows_in BIGINT, rows_out BIGINT, record VARCHAR",
    "names": "dataset VARCHAR, number BIGINT, version VARCHAR, operation VARCHAR, time VARCHAR",
    "contents": 'version VARCHAR, "row" VARCHAR, input_hash VARCHAR',
    "occurrences": 'operation VARCHAR, "row" VARCHAR, file VARCHAR, line BIGINT, metadata VARCHAR',
    "dropped": 'operation VARCHAR, "row" VARCHAR, reason VARCHAR, kept VARCHAR, similarity DOUBLE, detail VARCHAR',
    "edges": "operation VARCHAR, old VARCHAR, new VARCHAR",
}
_CONFIG: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": "false"}
_INDEXES = ("contents", "occurrences", "dropped")


class Catalogue:
    """Questions about rows that span versions.

    Args:
        project: whose store is indexed.
    """

    def __init__(self, project: Project):
        self.project = project
        self._held: duckdb.DuckDBPyConnection | None = None

    @contextlib.contextmanager
    def together(self) -> Generator[Catalogue]:
        """Answer several short questions in one opening; other processes wait meanwhile."""
        with self._open() as connection:
            self._held = connection
            try:
                yield self
            finally:
                self._held = None

    @contextlib.contextmanager
    def _open(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Open the index for one short transaction, brought up to date; a file that is no index is made anew.

        In a store that may only be read it is made in memory, each time.
        """
        recover(self.project)
        if self._may_be_kept():
            self.project.make_store()
            connection = self._connect(self.project.catalogue)
        else:
            connection = self._connect(None)
        try:
            connection.execute("BEGIN")
            self._bring_up_to_date(connection)
            connection.execute("COMMIT")
            yield connection
        finally:
            connection.close()

    def _may_be_kept(self) -> bool:
        file, store = self.project.catalogue, self.project.store
        return os.access(store if store.exists() else self.project.root, os.W_OK) and (
            not file.exists() or os.access(file, os.R_OK | os.W_OK)
        )

    def _connect(self, path: Path | None) -> duckdb.DuckDBPyConnection:
        """Open the index at a path, or an empty one in memory."""
        import duckdb

        if path is None:
            connection = duckdb.connect(":memory:", config=_CONFIG)
            self._usable(connection)
            return connection
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                connection = duckdb.connect(str(path), config=_CONFIG)
            except duckdb.IOException as problem:
                if "lock" not in str(problem).lower():
                    path.unlink(missing_ok=True)
                    connection = duckdb.connect(str(path), config=_CONFIG)
                elif time.monotonic() > deadline:
                    holder = re.search(r"PID (\d+)", str(problem))
                    who = f"process {holder[1]}" if holder else "another process"
                    raise StoreBusy(
                        f"the catalogue is held by {who}", where=str(path), remedy="wait for it, then run it again"
                    ) from problem
                else:
                    time.sleep(0.05)
                    continue
            if self._usable(connection):
                return connection
            connection.close()
            path.unlink(missing_ok=True)
            Path(f"{path}.wal").unlink(missing_ok=True)

    def _usable(self, connection: duckdb.DuckDBPyConnection) -> bool:
        tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if not tables:
            for name, columns in TABLES.items():
                connection.execute(f"CREATE TABLE {name} ({columns})")
            for name in _INDEXES:
                connection.execute(f'CREATE INDEX by_row_{name} ON {name} ("row")')
            connection.execute("INSERT INTO format VALUES (?)", [FORMAT])
            return True
        found = connection.execute("SELECT max(version) FROM format").fetchone() if "format" in tables else None
        return set(TABLES) <= tables and found == (FORMAT,)

    def _bring_up_to_date(self, connection: duckdb.DuckDBPyConnection) -> None:
        indexed = set(connection.execute("SELECT dataset, number FROM names").fetchall())
        operations = {i for (i,) in connection.execute("SELECT id FROM operations").fetchall()}
        for file in sorted(self.project.names.rglob("*.json")):
            dataset = file.parent.relative_to(self.project.names).as_posix()
            if not file.stem.isdigit() or (dataset, int(file.stem)) in indexed:
                continue
            entry = read_name(self.project, dataset, int(file.stem))
            if entry.operation not in operations:  # one that no name leads to was cut before it counted
                self._index(connection, read_operation(self.project, entry.operation))
                operations.add(entry.operation)
            self._index_name(connection, entry)

    def _index(self, connection: duckdb.DuckDBPyConnection, operation: Operation) -> None:
        connection.execute(
            "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?)",
            [
                operation.id,
                operation.verb,
                operation.time,
                operation.rows_in,
                operation.rows_out,
                operation.model_dump_json(),
            ],
        )
        folder = self.project.operations / operation.id
        for table, columns in (
            ("occurrences", '"row", file, line, metadata'),
            ("dropped", '"row", reason, kept, similarity, detail'),
            ("edges", "old, new"),
        ):
            file = folder / f"{table}.parquet"
            if file.exists():
                self._read(
                    connection, f"INSERT INTO {table} SELECT ?, {columns} FROM read_parquet(?)", operation.id, [file]
                )

    def _index_name(self, connection: duckdb.DuckDBPyConnection, entry: NameEntry) -> None:
        connection.execute(
            "INSERT INTO names VALUES (?, ?, ?, ?, ?)",
            [entry.dataset, entry.number, entry.version, entry.operation, entry.time],
        )
        have = connection.execute("SELECT 1 FROM contents WHERE version = ? LIMIT 1", [entry.version]).fetchone()
        version = Version(self.project, entry)
        if have is None and version.is_here:
            insert = 'INSERT INTO contents SELECT ?, "row", input_hash FROM read_parquet(?)'
            self._read(connection, insert, entry.version, version.files)

    def _read(self, connection: duckdb.DuckDBPyConnection, insert: str, owner: str, files: list[Path]) -> None:
        """Take Parquet files of the store into the index. Raises Tampered for one that is gone or damaged."""
        import duckdb

        try:
            connection.execute(insert, [owner, [str(file) for file in files]])
        except duckdb.Error:
            for file in files:
                read_stored(self.project, file)  # says which
            raise

    def ask(self, sql: str, values: list[Any]) -> list[dict[str, Any]]:
        """Answer one of this module's questions as a list of records."""
        with self._open() if self._held is None else contextlib.nullcontext(self._held) as connection:
            cursor = connection.execute(sql, values)
            names = [c[0] for c in cursor.description or []]
            return [dict(zip(names, record, strict=True)) for record in cursor.fetchall()]

    def find_rows(self, prefix: str) -> list[str]:
        """Return every row whose hash begins with `prefix`: held by a version, seen in a file, or dropped."""
        sql = """
            SELECT DISTINCT "row" FROM (
              SELECT "row" FROM contents UNION ALL SELECT "row" FROM occurrences UNION ALL SELECT "row" FROM dropped
            ) WHERE starts_with("row", ?) ORDER BY "row" LIMIT 12"""
        return [r["row"] for r in self.ask(sql, [prefix.lower()])]

    def rows_at(self, file: str, line: int) -> list[str]:
        """Return the rows seen at a line of a file; the file by its name, or the end of its path."""
        sql = """
            SELECT DISTINCT "row" FROM occurrences
            WHERE line = ? AND (file = ? OR ends_with(file, '/' || ?)) ORDER BY "row" """
        return [r["row"] for r in self.ask(sql, [line, file, file])]

    def resolve(self, word: str) -> str:
        """Return the one row that a prefix or FILE:LINE means. Raises InputError where it is none or many."""
        if re.fullmatch(r"[0-9a-fA-F]{1,64}", word):
            if len(word) < SHORTEST_PREFIX:
                raise InputError(f"'{word}' is too short for a row", remedy=f"give {SHORTEST_PREFIX} digits or more")
            found = self.find_rows(word)
        elif re.fullmatch(r".+:\d+", word, re.DOTALL):
            file, _, line = word.rpartition(":")
            found = self.rows_at(file, int(line))
        else:
            raise InputError(f"'{word}' is no row", remedy="give the first digits of its hash, or FILE:LINE")
        if not found:
            raise InputError(f"no row is called '{word}' here", remedy="sluice show NAME lists rows")
        if len(found) > 1:
            raise InputError(
                f"'{word}' fits {len(found)} rows", remedy=f"give more digits: {', '.join(r[:14] for r in found)}"
            )
        return found[0]

    def occurrences(self, row: str) -> list[dict[str, Any]]:
        """Return each place a row was seen at: {operation, file, line, metadata}."""
        sql = 'SELECT operation, file, line, metadata FROM occurrences WHERE "row" = ? ORDER BY file, line, operation'
        return self.ask(sql, [row])

    def dropped(self, row: str) -> list[dict[str, Any]]:
        """Return each time a row was dropped: {operation, verb, time, reason, kept, similarity, detail}."""
        sql = """
            SELECT d.operation, o.verb, o.time, d.reason, d.kept, d.similarity, d.detail
            FROM dropped d JOIN operations o ON o.id = d.operation WHERE d."row" = ? ORDER BY o.time, d.operation"""
        return self.ask(sql, [row])

    def stands_for(self, row: str) -> list[dict[str, Any]]:
        """Return the rows that were dropped because this one was kept: {row, reason, similarity}."""
        sql = 'SELECT DISTINCT "row", reason, similarity FROM dropped WHERE kept = ? ORDER BY "row"'
        return self.ask(sql, [row])

    def held_by(self, row: str) -> list[dict[str, Any]]:
        """Return the versions that hold a row: {dataset, number, version, operation, time, verb}."""
        sql = """
            SELECT n.dataset, n.number, n.version, n.operation, n.time, o.verb FROM names n
            JOIN contents c ON c.version = n.version JOIN operations o ON o.id = n.operation
            WHERE c."row" = ? ORDER BY n.dataset, n.number"""
        return self.ask(sql, [row])

    def edges(self, row: str) -> list[dict[str, Any]]:
        """Return the changes that a row came from or went to: {operation, old, new}."""
        return self.ask("SELECT operation, old, new FROM edges WHERE old = ? OR new = ? ORDER BY operation", [row, row])

    def operations(self) -> list[dict[str, Any]]:
        """Return every operation that counts, those that others stand on first: {id, verb, time, results}."""
        records = [Operation.model_validate_json(r["record"]) for r in self.ask("SELECT record FROM operations", [])]
        made = {(result.dataset, result.number): o.id for o in records for result in o.results}
        by_id = {o.id: o for o in records}
        ordered: dict[str, Operation] = {}
        for operation in sorted(records, key=lambda o: (o.time, o.id)):
            waiting = [operation.id]
            while waiting:  # a clock has whole seconds: what an operation read comes before it
                top = by_id[waiting[-1]]
                before = [made[p.dataset, p.number] for p in top.parents if (p.dataset, p.number) in made]
                open_ = [o for o in before if o not in ordered]
                if open_ and top.id not in ordered:
                    waiting += open_
                else:
                    ordered.setdefault(waiting.pop(), top)
        return [
            {"id": o.id, "verb": o.verb, "time": o.time, "results": [r.model_dump() for r in o.results]}
            for o in ordered.values()
        ]

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the whole index, sorted: equal before a deletion and after the rebuilding."""
        with self._open() as connection:
            return {name: sorted(connection.execute(f"FROM {name}").fetchall(), key=repr) for name in TABLES}

    def rebuild(self) -> None:
        """Delete the index and build it again from the files."""
        self.project.catalogue.unlink(missing_ok=True)
        Path(f"{self.project.catalogue}.wal").unlink(missing_ok=True)
        with self._open():
            pass
