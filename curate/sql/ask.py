"""Answer a question about rows: which of them an expression is true of, or what a check's SELECT returns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.core.errors import InputError
from sluice.curate.sql.locked import answer, locked
from sluice.curate.sql.names import FEATURES, OWN, Names
from sluice.curate.sql.parse import Node, Question, parse_expression, parse_select

FAILING = "failing"
"""Our one function: whether a check of `audit` names the row."""
Failing = Callable[[str], Collection[str]]


@dataclass(frozen=True)
class Judged:
    """What an expression says of each row, in order."""

    values: tuple[bool | None, ...]
    """None where it is null: a column of it is absent in that row."""
    columns: tuple[str, ...]
    """Whole names of what it looked at, in order of appearance."""
    checks: tuple[str, ...]
    """Checks that it asked for by `failing('NAME')`."""


def judge(text: str, names: Names, failing: Failing) -> Judged:
    """Return what an expression says of each row.

    Args:
        text: a DuckDB expression over `names`, and `failing('CHECK')`.
        failing: hashes of the rows that a check names; raises InputError where that cannot be said.

    Raises InputError with the place for anything but one condition over what there is.
    """
    import polars as pl

    question = parse_expression(text, own=frozenset({FAILING}))
    series: list[pl.Series] = [pl.Series("i", range(len(names.rows)), dtype=pl.Int64)]
    checks: list[str] = []
    used: dict[str, str] = {}
    for node in list(question.calls(FAILING)):
        check = _argument(question, node)
        named = set(failing(check))
        checks.append(check)
        column = f"c{len(series)}"
        series.append(pl.Series(column, [row.row in named for row in names.rows], dtype=pl.Boolean))
        place = node.get("query_location")
        node.clear()
        node.update(_reference(column, place))
        node["ours"] = True
    for node in question.columns():
        if node.pop("ours", False):
            continue
        name, values = names.values(tuple(node["column_names"]), question.place(node))
        if name not in used:
            used[name] = f"c{len(series)}"
            series.append(_series(used[name], values))
        node["column_names"] = [used[name]]
    with locked(pl.DataFrame(series)) as connection:
        condition = question.sql().removesuffix(";").removeprefix("SELECT ")
        found = answer(connection, f"SELECT i, ({condition}) AS kept FROM rows", question.what)
    if found["kept"].dtype not in (pl.Boolean, pl.Null):
        raise InputError(
            f"it is no condition: it gives {_type(found['kept'].dtype)} for each row",
            where=question.what,
            remedy="compare it with something: target_words > 3",
        )
    kept = found.sort("i")["kept"].cast(pl.Boolean).to_list()
    return Judged(tuple(kept), tuple(used), tuple(dict.fromkeys(checks)))


def select(text: str, names: Names, what: str) -> list[tuple[str, str | None]]:
    """Return (row, detail) for each row that a check's SELECT returns.

    Args:
        text: one SELECT over the view `rows`, which has a column `row` in its result and may have `detail`.
        what: how messages call it.
    """
    import polars as pl

    question = parse_select(text, what)
    series: dict[str, pl.Series] = {"row": pl.Series("row", [row.row for row in names.rows], dtype=pl.String)}
    for node in question.columns():
        _offer(node, names, series, question)
    for name in (*OWN, *(f for f in FEATURES if f not in ("tokens", "language", "similarity"))):
        if name not in series and any(n.get("class") == "STAR" for n in _stars(question)):
            series[name] = _series(name, names.values((name,), question.what)[1])
    with locked(pl.DataFrame(list(series.values()))) as connection:
        found = answer(connection, question.sql(), what)
    if "row" not in found.columns:
        raise InputError(
            "its result has no column `row`", where=what, remedy="SELECT row, 'why' AS detail FROM rows WHERE ..."
        )
    details = found["detail"].cast(pl.String).to_list() if "detail" in found.columns else [None] * found.height
    known = set(series["row"].to_list())
    rows = found["row"].cast(pl.String).to_list()
    stranger = next((row for row in rows if row not in known), None)
    if stranger is not None or any(row is None for row in rows):
        raise InputError(
            f"it returns {stranger!r}, which is no row of these", where=what, remedy="SELECT row FROM rows"
        )
    return list(zip(rows, details, strict=True))


def _offer(node: Node, names: Names, series: dict[str, Any], question: Question) -> None:
    """Put what a name means into the table, where it means something; DuckDB judges the rest (aliases, WITH names)."""
    path = tuple(node["column_names"])
    for tried in (path, path[1:]):
        name = ".".join(tried)
        if not tried or name in series:
            break
        try:
            _, values = names.values(tried, question.place(node))
        except InputError:
            continue
        series[name] = _series(name, values)
        break
    else:
        return
    if len(path) > 1 and ".".join(path) in series:
        node["column_names"] = [".".join(path)]


def _stars(question: Question) -> list[Node]:
    from sluice.curate.sql.parse import walk

    return [node for node in walk(question.tree) if node.get("class") == "STAR"]


def _argument(question: Question, node: Node) -> str:
    given = [argument.get("expression", {}) for argument in node.get("arguments", [])]
    literal = given[0].get("literal", {}) if len(given) == 1 else {}
    if literal.get("kind") != "STRING":
        raise InputError(
            "failing() takes the name of one check as text", where=question.place(node), remedy="failing('truncated')"
        )
    return str(literal["text"])


def _reference(column: str, place: Any) -> Node:
    return {
        "class": "COLUMN_REF",
        "type": "COLUMN_REF",
        "alias": "",
        "query_location": place,
        "query_location_length": 0,
        "column_names": [column],
    }


def _series(name: str, values: Any) -> Any:
    import polars as pl

    if isinstance(values, pl.Series):
        return values.rename(name)
    given: Sequence[Any] = [v for v in values if v is not None]
    kinds: dict[type, Any] = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64, list: pl.List(pl.String)}
    return pl.Series(name, values, dtype=kinds.get(type(given[0]), pl.String) if given else pl.String)


def _type(dtype: Any) -> str:
    return {"String": "a text", "Int64": "a number", "Int32": "a number", "Float64": "a number"}.get(
        str(dtype), f"{dtype}"
    )
