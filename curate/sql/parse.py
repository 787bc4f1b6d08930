"""From the text of a question to a tree that is known to be harmless; every refusal points at its place.

DuckDB's own parser makes the tree (`json_serialize_sql`), so that what is looked at is what would run; the tree is
changed (names of columns) and written back (`json_deserialize_sql`). It knows nothing of rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from sluice.core.errors import InputError
from sluice.curate.sql.functions import AGGREGATES, FUNCTIONS, NODES, SELECT_NODES, TYPES

LONGEST = 20_000
"""Characters of a question: longer ones are no longer read by anybody."""
DEEPEST = 100
"""Levels of a tree, far below what a parser or Python's own stack bears."""
FRONT = "SELECT (\n"
BACK = "\n)"
Node = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A question as it was written, and its tree."""

    text: str
    tree: Node
    what: str
    """How messages call it: `the expression`, `checks/short.sql`."""
    front: int
    """Bytes that stand before `text` in what was parsed."""

    def place(self, node: Node) -> str:
        """Return where a node stands, in words."""
        location = int(node.get("query_location", -1)) - self.front
        raw = self.text.encode()
        if not 0 <= location < len(raw):
            return self.what
        return f"{self.what}, character {len(raw[:location].decode(errors='ignore')) + 1}"

    def columns(self) -> Iterator[Node]:
        """Yield the nodes that name a column."""
        return (node for node in walk(self.tree) if node.get("class") == "COLUMN_REF")

    def calls(self, name: str) -> Iterator[Node]:
        """Yield the nodes that call a function."""
        return (node for node in walk(self.tree) if _function(node) == name)

    def sql(self) -> str:
        """Return the tree written as SQL."""
        import duckdb

        with duckdb.connect() as connection:
            found = connection.execute("SELECT json_deserialize_sql(?)", [json.dumps(self.tree)]).fetchone()
        return str(found[0]) if found else ""


def walk(value: Any) -> Iterator[Node]:
    """Yield every object of a tree, outermost first."""
    waiting = [value]
    while waiting:
        top = waiting.pop()
        if isinstance(top, dict):
            yield cast("Node", top)
            waiting += reversed(list(cast("Node", top).values()))
        elif isinstance(top, list):
            waiting += reversed(cast("list[Any]", top))


def parse_expression(text: str, own: frozenset[str] = frozenset()) -> Question:
    """Return one boolean expression over a row. Raises InputError for whatever else it is, with the place.

    Args:
        text: what the user wrote.
        own: names of functions that are ours (`failing`), replaced by the caller before anything runs.
    """
    what = "the expression"
    if not text.strip():
        raise InputError("there is no expression", where=what, remedy="write one, such as: target_words > 3")
    _parse("SELECT " + text + "\n", text, what, 7)  # so that `a) OR (b` is no expression
    tree = _parse(FRONT + text + BACK, text, what, len(FRONT))
    question = Question(text, tree, what, len(FRONT))
    node = cast("Node", tree["statements"][0]["node"])
    selected = cast("list[Node]", node.get("select_list", []))
    bare = node.get("type") == "SELECT_NODE" and node.get("from_table", {}).get("type") == "EMPTY"
    rest = [
        *(node.get(key) for key in ("where_clause", "group_expressions", "having", "sample", "qualify", "modifiers")),
        node.get("cte_map", {}).get("map"),
    ]
    if not bare or len(tree["statements"]) != 1 or len(selected) != 1 or any(rest):
        raise InputError(
            "that is more than one expression", where=what, remedy="write one condition: a > 3 AND b = 'x'"
        )
    _check(question, NODES, FUNCTIONS | own)
    return question


def parse_select(text: str, what: str) -> Question:
    """Return one SELECT over the view `rows`. Raises InputError for whatever else it is, with the place.

    Args:
        text: the statement.
        what: how messages call it.
    """
    tree = _parse(text, text, what, 0)
    question = Question(text, tree, what, 0)
    if len(tree["statements"]) != 1:
        raise InputError("that is more than one statement", where=what, remedy="write one SELECT")
    _check(question, SELECT_NODES, FUNCTIONS | AGGREGATES)
    _check_tables(question)
    return question


def _parse(sql: str, text: str, what: str, front: int) -> Node:
    import duckdb

    if len(text) > LONGEST:
        raise InputError(f"it has more than {LONGEST:,} characters", where=what, remedy="write a shorter one")
    if "\x00" in text or _deep(text):
        raise InputError("it cannot be read as SQL", where=what, remedy="write a simpler one")
    try:
        with duckdb.connect() as connection:
            found = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    except (duckdb.Error, UnicodeEncodeError) as problem:
        raise InputError(f"it cannot be read as SQL: {_first_line(problem)}", where=what, remedy="mend it") from None
    tree = cast("Node", json.loads(found[0])) if found else {"error": True}
    if tree.get("error"):
        place = Question(text, tree, what, front).place({"query_location": int(tree.get("position") or 0)})
        message = str(tree.get("error_message", "it cannot be read as SQL")).splitlines()[0]
        if tree.get("error_type") == "not implemented":
            message = "that is no SELECT" if front == 0 else "that is no expression"
        raise InputError(
            message.replace("Parser Error: ", ""),
            where=place,
            remedy='mend it there; a name that is a word of SQL, or has blanks, is written "so"',
        )
    return tree


def _deep(text: str) -> bool:
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def _first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or ["no reason given"])[0]


def _check(question: Question, nodes: frozenset[str], functions: frozenset[str]) -> None:
    for node in walk(question.tree):
        kind = node.get("class")
        if not isinstance(kind, str):
            continue
        if kind not in nodes:
            _refuse(
                question,
                node,
                f"{_WORDS.get(kind, kind.lower())} may not stand here",
                "conditions on one row's columns",
            )
        if kind == "FUNCTION" or kind == "WINDOW":
            name = _function(node)
            if node.get("schema") or node.get("catalog"):
                _refuse(question, node, "a function of a schema, or called on a column", "write it as contains(a, 'x')")
            if name not in functions:
                near = get_close_matches(name, functions, n=1, cutoff=0.75)
                known = "text, number, list, date and JSON functions of one row"
                _refuse(
                    question,
                    node,
                    f"the function {name} may not be used here",
                    f"did you mean {near[0]}?" if near else f"allowed are {known}",
                )
        if kind == "TYPE":
            name = str(node.get("type_name", "")).upper()
            if name not in TYPES or node.get("schema") or node.get("catalog"):
                _refuse(
                    question, node, f"no value is turned into {name or 'that type'} here", "VARCHAR, DOUBLE, DATE, ..."
                )


_WORDS = {
    "SUBQUERY": "a subquery",
    "STAR": "*",
    "PARAMETER": "a parameter",
    "LAMBDA": "a function of its own (x -> ...)",
    "WINDOW": "a window function",
    "COLLATE": "a collation",
    "POSITIONAL_REFERENCE": "a column by its number",
    "DEFAULT": "DEFAULT",
}


def _function(node: Node) -> str:
    return str(node.get("function_name", "")).lower() if node.get("class") in ("FUNCTION", "WINDOW") else ""


def _check_tables(question: Question) -> None:
    """Refuse every table but `rows`, the question's own WITH names and subqueries."""
    named = {
        str(entry.get("key", "")).lower()
        for node in walk(question.tree)
        if "cte_map" in node
        for entry in node["cte_map"].get("map", [])
    }
    for node in walk(question.tree):
        kind = node.get("type")
        if kind == "BASE_TABLE":
            table = str(node.get("table_name", ""))
            if node.get("schema_name") or node.get("catalog_name") or table.lower() not in named | {"rows"}:
                _refuse(question, node, f"no other table than `rows` can be read, not {table}", "SELECT row FROM rows")
        elif kind in ("TABLE_FUNCTION", "SHOW_REF", "PIVOT", "COLUMN_DATA", "DELIM_GET", "BOUND_TABLE_REF"):
            _refuse(question, node, "a table function may not be used here", "SELECT row, ... FROM rows")
        elif kind == "RECURSIVE_CTE_NODE":
            _refuse(question, node, "WITH RECURSIVE may not be used here", "SELECT row, ... FROM rows")
        if node.get("sample"):
            _refuse(question, node, "a sample may not be taken here: each run would name other rows", "FROM rows")


def _refuse(question: Question, node: Node, message: str, remedy: str) -> None:
    raise InputError(message, where=question.place(node), remedy=remedy)
