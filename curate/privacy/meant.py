"""Which rows a `forget` means: by name, everything of a person, or by a column; and what goes with them.

Rows are looked for wherever they are stored: versions, dropped rows, frozen sets. A text that several people wrote is
kept when one of them is forgotten, without the place that it was seen at with that person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.evalset import set_folders
from sluice.core.files import read_lines
from sluice.core.project import Project
from sluice.core.rows import COLUMNS, AnyRow, from_record
from sluice.curate.catalogue import SHORTEST_PREFIX
from sluice.curate.dataset import Manifest, lineage, open_dataset, read_stored, versions
from sluice.curate.metadata import metadata_of
from sluice.curate.operation import read_operation
from sluice.curate.privacy.kind import REDACTED
from sluice.curate.privacy.person import Person

_EXPRESSION = re.compile(r"['\"()<>!]|\b(and|or|not|is|in|like|ilike|between)\b", re.IGNORECASE)
"""What tells an expression (`customer = 'C17' AND year < 2024`) from COLUMN=VALUE."""

if TYPE_CHECKING:
    import polars as pl

SAID = ("input", "target", "chosen", "rejected", "answer")
TWINS = ("exact-duplicate", "near-duplicate", "mojibake")
"""Reasons for which a dropped row says what the row kept in its place says: its duplicate, or its garbled spelling."""

EARLIER = ("labelled", "relabelled")
"""Reasons for which a dropped row has the input of the row made of it, with another label."""


@dataclass
class Meant:
    """What is to go."""

    rows: dict[str, str] = field(default_factory=dict[str, str])
    """Why each row is meant: `row`, `person`, `where`, or what it goes with."""
    places: int = 0
    """Places of rows that stay, to be taken out."""
    set_aside: int = 0
    """Lines that were set aside."""
    spelled: set[str] = field(default_factory=set[str])
    """Spellings of the people, as they stand in rows."""
    redacted: int = 0
    """Rows that were redacted from rows that go, and stay."""
    sources: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Files that the rows were read from, and their lines."""


def versions_stored(project: Project) -> Iterator[tuple[Path, Manifest]]:
    """Yield the folder and manifest of every version whose content is here, named or not."""
    for file in sorted(project.data.glob("*/manifest.json")) if project.data.is_dir() else []:
        yield file.parent, Manifest.model_validate_json(file.read_bytes())


def operation_files(project: Project, name: str) -> Iterator[Path]:
    """Yield the files of that name of every operation, those that count for nothing among them."""
    yield from sorted(project.operations.glob(f"*/{name}")) if project.operations.is_dir() else []


def content_of(project: Project, manifest: Manifest) -> pl.DataFrame:
    """Return the rows of a version as they are stored."""
    import polars as pl

    return pl.concat([read_stored(project, project.data / f.path) for f in manifest.files]).select(COLUMNS)


def every_record(project: Project) -> dict[str, dict[str, Any]]:
    """Return each row that is stored anywhere, by its hash."""
    found: dict[str, dict[str, Any]] = {}
    for _, manifest in versions_stored(project):
        for record in content_of(project, manifest).iter_rows(named=True):
            found.setdefault(record["row"], record)
    for file in operation_files(project, "dropped.parquet"):
        for record in read_stored(project, file).select(COLUMNS).iter_rows(named=True):
            found.setdefault(record["row"], record)
    for folder in set_folders(project.evals):
        for record in read_lines(folder / "rows.jsonl"):
            found.setdefault(str(record.get("row")), record)
    return found


def find_meant(
    project: Project,
    dataset: str,
    *,
    rows: Sequence[str] = (),
    people: Sequence[Person] = (),
    where: str | None = None,
) -> Meant:
    """Return what is to go.

    Args:
        dataset: for `where`: its rows are asked, those of all its versions.
        rows: beginnings of row hashes, 6 digits or more.
        people: everything in which one of them is named, in the whole project.
        where: `COLUMN=VALUE`: a column beside a row, a field of its input, or `target`; or an expression of `filter`.

    Raises InputError for a row that is not there or not the only one, and for a column that no row has.
    """
    records = every_record(project)
    meant = Meant()
    for word in rows:
        meant.rows[_resolve(records, word)] = "row"
    if where is not None:
        meant.rows |= dict.fromkeys(_where(project, dataset, records, where), "where")
    if people:
        _of_people(project, records, people, meant)
    _with_them(project, meant)
    _sources(project, meant)
    return meant


def _resolve(records: dict[str, dict[str, Any]], word: str) -> str:
    if len(word) < SHORTEST_PREFIX:
        raise InputError(f"'{word}' is too short for a row", remedy=f"give {SHORTEST_PREFIX} digits or more")
    found = [row for row in records if row.startswith(word.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(f"no row is called '{word}' here", remedy="sluice show NAME lists rows")
    raise InputError(f"'{word}' fits {len(found)} rows", remedy=f"give more digits: {', '.join(r[:14] for r in found)}")


def _where(project: Project, dataset: str, records: dict[str, dict[str, Any]], where: str) -> list[str]:
    held: set[str] = set()
    beside: dict[str, dict[str, Any]] = {}
    base = open_dataset(project, dataset)
    for version in versions(project, base.dataset):
        held |= set(version.frame()["row"]) if version.is_here else set()
    for operation in lineage(base):
        file = project.operations / operation.id / "dropped.parquet"
        held |= set(read_stored(project, file)["row"]) if file.is_file() else set()
    beside = metadata_of(base)
    held &= records.keys()
    column, sign, value = (part.strip() for part in where.partition("="))
    if _EXPRESSION.search(where) and not value.startswith(("{", "[")):  # a JSON value has quotes of its own
        return _true_of(where, [from_record(records[row]) for row in sorted(held)], beside)
    if not sign or not column or not value:
        raise InputError(
            f"'{where}' is no condition", where="--where", remedy="write COLUMN=VALUE, or an expression as for filter"
        )
    found: list[str] = []
    known = False
    for row in sorted(held):
        given = _field(records[row], beside.get(row, {}), column)
        known = known or given is not None
        if given is not None and (given if isinstance(given, str) else dump_exact(given)) == value:
            found.append(row)
    if not known:
        columns = sorted({c for columns in beside.values() for c in columns})
        raise InputError(
            f"no row of '{dataset}' has '{column}'", where="--where", remedy=f"columns: {', '.join(columns) or 'none'}"
        )
    return found


def _true_of(expression: str, rows: list[AnyRow], beside: dict[str, dict[str, Any]]) -> list[str]:
    """Return the rows that an expression of `filter` is true of."""
    from sluice.curate.checks import CheckContext
    from sluice.curate.sql.ask import judge
    from sluice.curate.sql.names import Names

    def failing(check: str) -> set[str]:
        raise InputError(
            f"failing('{check}') asks a check, and rows are not erased for what a check says",
            where="--where",
            remedy=f"sluice filter NAME --failing {check}; or name the rows: --row",
        )

    judged = judge(expression, Names(CheckContext(rows, metadata=beside)), failing)
    return [row.row for row, value in zip(rows, judged.values, strict=True) if value is True]


def _field(record: dict[str, Any], beside: dict[str, Any], column: str) -> Any:
    if column in beside:
        return beside[column]
    if column in SAID[1:]:
        return record[column]
    content = parse_exact(record["input"])
    return cast("dict[str, Any]", content).get(column) if isinstance(content, dict) else None


def _of_people(project: Project, records: dict[str, dict[str, Any]], people: Sequence[Person], meant: Meant) -> None:
    def spelled(text: str) -> bool:
        found = [s for one in people for s in one.spelled_in(text)]
        meant.spelled.update(found)
        return bool(found)

    for row, record in records.items():  # a spelling is found by code, text by text: there is no column form
        found = [spelled(record[name]) for name in SAID if record.get(name)]  # every spelling is wanted: no short cut
        if any(found):
            meant.rows[row] = "person"
    with_them: dict[str, int] = {}
    others: set[str] = set()
    for file in operation_files(project, "occurrences.parquet"):
        for place in read_stored(project, file).iter_rows(named=True):
            if spelled(place["metadata"]) or spelled(place["file"]):
                with_them[place["row"]] = with_them.get(place["row"], 0) + 1
            else:
                others.add(place["row"])
    for row, places in with_them.items():
        if row in meant.rows:
            continue
        if row in others:
            meant.places += places
        elif row in records:
            meant.rows[row] = "person"
    for file in operation_files(project, "set_aside.jsonl"):
        meant.set_aside += sum(spelled(str(line.get("raw"))) for line in read_lines(file))
    for record in records.values():
        any(spelled(group) for group in cast("list[str]", record.get("groups") or []))


def _with_them(project: Project, meant: Meant) -> None:
    """Add what says the same as a row that goes: its duplicates, what it was redacted from, pairs of its input."""
    dropped = [read_stored(project, f) for f in operation_files(project, "dropped.parquet")]
    twins: list[tuple[str, str, str]] = []
    for frame in dropped:
        twins += [
            (row, str(kept), reason)
            for row, kept, reason in frame.select("row", "kept", "reason").iter_rows()
            if kept is not None
        ]
    pairs = [
        (str(new), str(old))
        for file in operation_files(project, "edges.parquet")
        if read_operation(project, file.parent.name).verb == "pairs"
        for old, new in read_stored(project, file).select("old", "new").iter_rows()
    ]
    grew = True
    while grew:
        grew = False
        for row, kept, reason in twins:
            if row in meant.rows or kept not in meant.rows:
                continue
            if reason in TWINS and meant.rows[kept] != "person":
                meant.rows[row] = f"a duplicate of {kept[:10]}"
                grew = True
            elif reason in EARLIER and meant.rows[kept] != "person":
                meant.rows[row] = f"an earlier label of {kept[:10]}"
                grew = True
            elif reason == REDACTED:
                meant.rows[row] = f"what {kept[:10]} was redacted from"
                grew = True
        for pair, row in pairs:
            if pair not in meant.rows and row in meant.rows:
                meant.rows[pair] = f"a pair of answers to the input of {row[:10]}"
                grew = True
    meant.redacted = len(
        {kept for row, kept, reason in twins if reason == REDACTED and row in meant.rows} - set(meant.rows)
    )


def _sources(project: Project, meant: Meant) -> None:
    for file in operation_files(project, "occurrences.parquet"):
        frame = read_stored(project, file)
        for row, name, line in frame.select("row", "file", "line").iter_rows():
            if row in meant.rows and line > 0 and (project.root / name).is_file():  # 0: a file of the store
                lines = meant.sources.setdefault(name, [])
                if line not in lines:
                    lines.append(line)
