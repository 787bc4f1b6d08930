"""What an expression of `filter`, or the SELECT of a check, must never reach: each attack is refused before it runs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl
import pytest

from sluice.core.errors import InputError, SluiceError, SurroundingsError
from sluice.core.rows import Example
from sluice.curate.checks import CheckContext
from sluice.curate.sql.ask import judge, select
from sluice.curate.sql.locked import answer, locked
from sluice.curate.sql.names import Names

SECRET = 7  # a python variable that no question may see
ATTACKS = [
    "(SELECT count(*) FROM read_text('/etc/passwd')) > 0",
    "EXISTS (SELECT 1 FROM '/etc/passwd')",
    "n IN (SELECT n FROM rows)",
    "n = ANY (SELECT 1)",
    "(SELECT 1) = 1",
    "(FROM rows SELECT 1) = 1",
    "read_text('/etc/passwd') IS NULL",
    "read_csv('/etc/passwd') IS NULL",
    "read_blob('/etc/passwd') IS NULL",
    "read_parquet('x.parquet') IS NULL",
    "read_json_auto('https://example.invalid/x') IS NULL",
    "glob('/*') IS NULL",
    "getenv('HOME') = 'x'",
    "current_setting('threads') = '1'",
    "getvariable('x') = 1",
    "set_config('threads', '1') = 1",
    "pragma_version() = 'x'",
    "duckdb_settings() IS NULL",
    "query('SELECT 1') = 1",
    "query_table('rows') = 1",
    "json_execute_serialized_sql('x') = 1",
    "json_serialize_sql('SELECT 1') = 'x'",
    "main.lower('x') = 'x'",
    "system.main.lower('x') = 'x'",
    "pg_read_file('/etc/passwd') = 'x'",
    "nextval('s') > 0",
    "txid_current() > 0",
    "random() < 0.5",
    "uuid() = 'x'",
    "now() > DATE '2024-01-01'",
    "current_date > DATE '2024-01-01'",
    "sleep_ms(100000) IS NULL",
    "repeat('x', 1000000000) = 'y'",
    "lpad('x', 1000000000, 'y') = 'y'",
    "len(range(1000000000)) > 1",
    "len(generate_series(1, 1000000000)) > 1",
    "format('{:1000000000}', 1) = 'x'",
    "printf('%1000000000d', 1) = 'x'",
    "list_transform([1], x -> x + 1) = [2]",
    "list_reduce([1], lambda x, y: x + y) = 1",
    "unnest([1, 2]) = 1",
    "COLUMNS('n') = 1",
    "* = 1",
    "rows.* = 1",
    "count(*) > 1",
    "sum(n) OVER () > 1",
    "row_number() OVER () > 1",
    "n > ?",
    "n > $1",
    "#1 = 1",
    "n = SECRET",
    "n = SLUICE_HOME",
    "current_user = 'x'",
    "current_schema = 'main'",
    "1 FROM rows",
    "1 WHERE true",
    "true; DROP TABLE rows",
    "true; ATTACH '/tmp/x.db'",
    "true) UNION (SELECT true",
    "true) OR (true",
    "true UNION SELECT true",
    "true ORDER BY 1",
    "true LIMIT 1",
    "true, false",
    "true AS x, true",
    "COPY rows TO '/tmp/x'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "PRAGMA version",
    "ATTACH 'x.db'",
    "EXPORT DATABASE '/tmp/x'",
    "CALL duckdb_functions()",
    "CREATE TABLE x AS SELECT 1",
    "DELETE FROM rows",
    "n::secret_type = 1",
    "'x'::regclass IS NULL",
    "a COLLATE nocase = 'x'",
    "n > 1 --\n) FROM rows; SELECT (true",
    "/* ) */ true) FROM rows --",
    "(" * 300 + "true" + ")" * 300,
    "[" * 300,
    "true\x00",
    "n = 1 AND " * 5000 + "true",
    "",
    "   ",
]
SELECTS = [
    "SELECT row FROM '/etc/passwd'",
    "SELECT content AS row FROM read_text('/etc/passwd')",
    "SELECT row FROM rows, read_csv('/etc/passwd')",
    "SELECT row FROM rows JOIN other USING (row)",
    "SELECT table_name AS row FROM information_schema.tables",
    "SELECT name AS row FROM pragma_database_list()",
    "SELECT row FROM duckdb_settings()",
    "SELECT row FROM rows; SELECT 1",
    "COPY (SELECT row FROM rows) TO '/tmp/x'",
    "SELECT row FROM rows TABLESAMPLE 10%",
    "SELECT row FROM rows USING SAMPLE 1",
    "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT row FROM rows, t",
    "WITH t AS (FROM read_text('/etc/passwd')) SELECT row FROM rows, t",
    "SELECT row, getenv('HOME') AS detail FROM rows",
    "SELECT row FROM rows WHERE n = (SELECT getvariable('x'))",
    "SELECT row FROM range(1000000000)",
    "SELECT row FROM memory.main.rows",
    "INSERT INTO rows SELECT 1",
    "SHOW TABLES",
    "DESCRIBE rows",
    "SELECT 1 AS n",
    "SELECT 'a stranger' AS row",
]


@pytest.fixture
def names() -> Names:
    rows = [Example(input={"n": i, "a": f"text {i}"}, target="x") for i in range(5)]
    return Names(CheckContext(rows))


def no_check(name: str) -> Collection[str]:
    raise AssertionError(f"{name} was asked for")


@pytest.mark.parametrize("expression", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_is_refused_with_a_remedy(names: Names, expression: str):
    with pytest.raises(InputError) as caught:
        judge(expression, names, no_check)
    assert caught.value.remedy
    assert "the expression" in str(caught.value.where)


@pytest.mark.parametrize("statement", SELECTS, ids=range(len(SELECTS)))
def test_a_select_reaches_nothing_but_the_rows(names: Names, statement: str):
    with pytest.raises(InputError) as caught:
        select(statement, names, "checks/mine.sql")
    assert caught.value.remedy
    assert "checks/mine.sql" in str(caught.value.where)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY rows TO '{tmp}/out.csv'",
        "ATTACH '{tmp}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SELECT * FROM frame",
        "SELECT * FROM SECRET",
    ],
)
def test_the_second_lock_holds_where_the_first_is_open(tmp_path: Path, statement: str):
    frame = pl.DataFrame({"a": [1]})
    with locked(frame) as connection, pytest.raises(SluiceError):
        answer(connection, statement.format(tmp=tmp_path), "a test")
    assert not list(tmp_path.iterdir())


def test_a_question_that_takes_too_long_is_stopped():
    with (
        locked(pl.DataFrame({"a": list(range(3000))})) as connection,
        pytest.raises(SurroundingsError, match="more than"),
    ):
        answer(
            connection, "SELECT count(*) FROM rows a, rows b, rows c WHERE a.a + b.a * c.a = 17", "a test", seconds=0.3
        )
