"""A database in memory that holds one table of rows and can reach nothing else: no file, network, setting, extension.

DuckDB's own locks stand behind the list of what may be asked (`sluice.curate.sql.parse`): either alone would do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sluice.core.errors import InputError, SurroundingsError

if TYPE_CHECKING:
    import duckdb
    import polars as pl

MEMORY = "2GB"
SECONDS = 60.0
"""A question over 2 million rows takes under 5."""
LOCKS = (
    "SET temp_directory = ''",
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    f"SET memory_limit = '{MEMORY}'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@contextmanager
def locked(frame: pl.DataFrame, table: str = "rows") -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that holds a frame as `table`, and lock it."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("given", frame.to_arrow())
        connection.execute(f'CREATE TABLE "{table}" AS SELECT * FROM given')
        connection.unregister("given")
        for lock in LOCKS:
            connection.execute(lock)
        yield connection


def answer(connection: duckdb.DuckDBPyConnection, sql: str, what: str, seconds: float = SECONDS) -> pl.DataFrame:
    """Return what a question answers, all of it.

    Raises InputError with what DuckDB says is wrong (a type that does not fit, a name), SurroundingsError where it
    takes
    more than `seconds` or the memory.
    """
    import duckdb
    import polars as pl

    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        return pl.DataFrame(pl.from_arrow(connection.sql(sql).to_arrow_table()))
    except duckdb.InterruptException:
        raise SurroundingsError(
            f"it took more than {seconds:.0f} s", where=what, remedy="ask for less at a time"
        ) from None
    except duckdb.OutOfMemoryException:
        raise SurroundingsError(f"it takes more than {MEMORY} of memory", where=what, remedy="ask for less") from None
    except duckdb.Error as problem:
        first = str(problem).splitlines()[0]
        hint = "mend it"
        if isinstance(problem, duckdb.ConversionException):
            hint = "a value that does not fit: TRY_CAST(column AS DOUBLE) makes it null"
        elif isinstance(problem, duckdb.BinderException):
            hint = "compare like with like: TRY_CAST(column AS DOUBLE), column = '3'"
        raise InputError(first, where=what, remedy=hint) from None
    finally:
        timer.cancel()
