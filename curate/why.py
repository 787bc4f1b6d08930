"""`why`: the whole story of one row, oldest first: where it was seen, what was done to it, where it is now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import parse_exact
from sluice.core.errors import InputError
from sluice.core.evalset import SetManifest, set_folders
from sluice.core.project import Project
from sluice.curate.adding.add import SetAsideLine, name_of
from sluice.curate.adding.set_aside import set_aside_history
from sluice.curate.catalogue import SHORTEST_PREFIX, Catalogue
from sluice.curate.dataset import Version, dataset_names, open_dataset
from sluice.curate.drops import ShownRow, find_records, shown_row
from sluice.curate.operation import Operation, read_operation
from sluice.curate.privacy.remembered import was_forgotten

_PLACE = re.compile(r"(.+):(\d+)", re.DOTALL)
"""FILE:LINE; a name of a file may hold a newline."""


class Place(BaseModel):
    """A place that a row was seen at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: int
    metadata: dict[str, Any]
    operation: str


class Event(BaseModel):
    """One thing that happened to a row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: str
    verb: str
    what: str
    """One sentence."""
    dataset: str | None
    version: int | None
    other: ShownRow | None = None
    """The row kept in its place, the eval row that it repeats, or what it was changed into."""


class Holding(BaseModel):
    """Versions of one dataset that hold a row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    versions: tuple[int, ...]
    newest: bool
    """Whether the newest version is one of them."""


class Story(BaseModel):
    """All that is known of one row, or of a line that is no row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str | None
    """None where the line was set aside."""
    input: Any
    target: str | None
    answers: tuple[str, ...] = ()
    """What the row says about its input, a line each: target, chosen and rejected, a judged answer."""
    seen: tuple[Place, ...] = ()
    events: tuple[Event, ...] = ()
    held_by: tuple[Holding, ...] = ()
    eval_sets: tuple[str, ...] = ()
    """Frozen sets that hold it."""
    stands_for: tuple[ShownRow, ...] = ()
    """Rows that were dropped because this one was kept."""
    set_aside: SetAsideLine | None = None
    forgotten: str | None = None
    """When and why it was erased; nothing else is known of it then."""


def why(project: Project, name: str, word: str) -> Story:
    """Tell the story of a row.

    Args:
        project: to look in.
        name: a dataset; where `word` fits rows of several datasets, those of this one are meant.
        word: the first 6 or more digits of a row, or FILE:LINE.

    Raises InputError where no row, or more than one, is meant.
    """
    version = open_dataset(project, name)
    gone = was_forgotten(project)
    told = gone(word)
    if told is not None:
        return Story(row=None, input=None, target=None, forgotten=told)
    with Catalogue(project).together() as catalogue:
        words = list(dict.fromkeys((_as_remembered(project, word), word)))
        row = next((r for r in (_resolve(catalogue, version.dataset, w) for w in words) if r is not None), None)
        if row is None:
            return _set_aside(project, version, words)
        told = gone(row)  # the line of a file that it was read from
        if told is not None:
            return Story(row=None, input=None, target=None, forgotten=told)
        places = catalogue.occurrences(row)
        dropped = catalogue.dropped(row)
        edges = [edge | {"how": _made_how(catalogue, edge)} for edge in catalogue.edges(row)]
        held = catalogue.held_by(row)
        stands_for = [r["row"] for r in catalogue.stands_for(row)]
        operations = catalogue.operations()
    others = {d["kept"] for d in dropped if d["kept"]} | {r for e in edges for r in (e["old"], e["new"])}
    records = find_records(version, {row, *others, *stands_for})
    for other in dataset_names(project):  # the row may never have been in the dataset that was named
        if row in records:
            break
        records |= find_records(open_dataset(project, other), {row, *others, *stands_for})
    record = records.get(row)
    shown = shown_row(record) if record else ShownRow(row=row, input=None)
    return Story(
        row=row,
        input=shown.input,
        target=shown.target,
        answers=tuple(shown.answers()) if shown.input is not None else (),
        seen=tuple(_place(p) for p in places),
        events=tuple(_events(operations, row, _told(project, version, places), dropped, edges, held, records)),
        held_by=tuple(_holdings(project, held)),
        eval_sets=tuple(_sets_with(project, row)),
        stands_for=tuple(_shown(r, records) for r in stands_for),
    )


def _as_remembered(project: Project, word: str) -> str:
    """Return FILE:LINE with the name that `add` remembers a file by that is here: behind links, from the project on."""
    place = _PLACE.fullmatch(word)
    if place is None or not Path(place[1]).exists():
        return word
    return f"{name_of(project, Path(place[1]))}:{place[2]}"


def _resolve(catalogue: Catalogue, dataset: str, word: str) -> str | None:
    """Return the row that is meant; None where FILE:LINE is no row, but was read."""
    if re.fullmatch(r"[0-9a-fA-F]+", word) and len(word) >= SHORTEST_PREFIX:
        found = catalogue.find_rows(word)
        base = dataset.partition("/")[0]
        own = [r for r in found if any(h["dataset"].partition("/")[0] == base for h in catalogue.held_by(r))]
        if len(found) > 1 and len(own) == 1:
            return own[0]
    place = _PLACE.fullmatch(word)
    if place:
        rows = catalogue.rows_at(place[1], int(place[2]))
        if not rows:
            return None
        read = _as_read(catalogue, dataset, rows)
        if len(read) == 1:
            return read[0]
    return catalogue.resolve(word)


def _as_read(catalogue: Catalogue, dataset: str, rows: list[str]) -> list[str]:
    """Return the rows of one line that the dataset holds or held, less those made of another one (redact, a mend).

    A line is seen again as each row that it was changed into, and as another row where a second dataset read it by
    other columns; its story begins with what was read.
    """
    base = dataset.partition("/")[0]
    own = [r for r in rows if any(h["dataset"].partition("/")[0] == base for h in catalogue.held_by(r))] or rows
    made = {e["new"] for r in own for e in catalogue.edges(r) if e["new"] == r and e["old"] in own}
    return [r for r in own if r not in made]


def _set_aside(project: Project, version: Version, words: Sequence[str]) -> Story:
    """Return the story of a line that is no row, by its names: of the dataset that was named, else of any other."""
    files, line = [word.rpartition(":")[0] for word in words], words[0].rpartition(":")[2]
    others = (open_dataset(project, name) for name in dataset_names(project) if name != version.dataset)
    for of in (version, *others):
        for (named, _), times in set_aside_history(of).items():
            last = times[-1].line
            lines = range(last.line, last.line + last.raw.count("\n") + 1)
            if int(line) in lines and any(named == f or named.endswith(f"/{f}") for f in files):
                told = tuple(
                    Event(
                        time=w.operation.time,
                        verb=w.operation.verb,
                        what=f"{_how(w.operation, named, w.line.line)}: {w.line.reason}",
                        dataset=of.dataset,
                        version=None,
                    )
                    for w in times
                )
                return Story(row=None, input=None, target=None, events=told, set_aside=last)
    raise InputError(
        f"no row was read at '{words[-1]}'",
        remedy="give the file as `add` was given it, and the line that the row begins on",
    )


def _how(operation: Operation, file: str, line: int) -> str:
    fix = operation.parameters.get("fix")
    return f"still set aside as it stands in {fix['file']}" if fix else f"set aside at {file}, line {line}"


def _place(found: dict[str, Any]) -> Place:
    return Place(
        file=found["file"],
        line=found["line"],
        metadata=parse_exact(found["metadata"]),
        operation=found["operation"],
    )


def _told(project: Project, version: Version, places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return places with what is said of each, and each time that the line of one was set aside before."""
    told: list[dict[str, Any]] = []
    mended: set[tuple[str, int]] = set()
    for place in places:
        operation = read_operation(project, place["operation"])
        fix = operation.parameters.get("fix")
        what = f"seen at {place['file']}, line {place['line']}"
        if operation.verb == "pairs":
            what = str(parse_exact(place["metadata"])["why"])
        if operation.verb == "redact":
            what += ", with what stands beside it as redacted"
        if fix:
            mended.add((place["file"], place["line"]))
            what += f", as mended in {fix['file']}"
        told.append({**place, "what": what})
    if not mended:
        return told
    history = set_aside_history(version)
    before = [
        {"operation": w.operation.id, "what": f"{_how(w.operation, *place)}: {w.line.reason}"}
        for place in sorted(mended)
        for w in history.get(place, [])
    ]
    return [*before, *told]


def _events(
    operations: list[dict[str, Any]],
    row: str,
    places: list[dict[str, Any]],
    dropped: list[dict[str, Any]],
    edges: list[dict[str, Any]],
    held: list[dict[str, Any]],
    records: dict[str, dict[str, Any]],
) -> list[Event]:
    """Return what happened, in order of the operations."""
    order = {operation["id"]: number for number, operation in enumerate(operations)}
    by_id = {operation["id"]: operation for operation in operations}
    found: list[tuple[int, Event]] = []

    def tell(operation: str, what: str, other: str | None = None) -> None:
        made = by_id[operation]
        result = made["results"][0] if made["results"] else {"dataset": None, "number": None}
        event = Event(
            time=made["time"],
            verb=made["verb"],
            what=what,
            dataset=result["dataset"],
            version=result["number"],
            other=_shown(other, records) if other else None,
        )
        found.append((order[operation], event))

    for place in places:
        tell(place["operation"], place["what"])
    for drop in dropped:
        near = f", similarity {drop['similarity']:.2f}" if drop["similarity"] is not None else ""
        detail = f" ({drop['detail']})" if drop["detail"] else ""
        tell(drop["operation"], f"dropped: {drop['reason']}{near}{detail}", drop["kept"])
    for edge in edges:
        came = edge["new"] == row
        if by_id[edge["operation"]]["verb"] == "pairs":
            what = "answers to the input of" if came else "answers to its input became"
        else:
            what = f"made from another row{edge['how']}" if came else "changed"
        tell(edge["operation"], what, edge["old"] if came else edge["new"])
    for entry in _entries(held):
        tell(entry["operation"], f"is in {entry['dataset']}@{entry['number']}")
    return [event for _, event in sorted(found, key=lambda item: item[0])]


def _made_how(catalogue: Catalogue, edge: dict[str, Any]) -> str:
    """Return what an operation says of the row that it changed: who labelled it, which labels it had."""
    told = [d for d in catalogue.dropped(edge["old"]) if d["operation"] == edge["operation"] and d["detail"]]
    return f": {told[0]['reason']} ({told[0]['detail']})" if told else ""


def _entries(held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the versions in which a row came into a dataset: the first, and each after one that lacks it."""
    entries: list[dict[str, Any]] = []
    before: dict[str, int] = {}
    for version in held:
        if before.get(version["dataset"]) != version["number"] - 1:
            entries.append(version)
        before[version["dataset"]] = version["number"]
    return entries


def _holdings(project: Project, held: list[dict[str, Any]]) -> list[Holding]:
    numbers: dict[str, list[int]] = {}
    for version in held:
        numbers.setdefault(version["dataset"], []).append(version["number"])
    return [
        Holding(dataset=name, versions=tuple(n), newest=open_dataset(project, name).number in n)
        for name, n in numbers.items()
    ]


def _sets_with(project: Project, row: str) -> list[str]:
    found: list[str] = []
    for folder in set_folders(project.evals):
        manifest = SetManifest.model_validate_json((folder / "manifest.json").read_bytes())
        if row in manifest.rows:
            found.append(manifest.name)
    return found


def _shown(row: str, records: dict[str, dict[str, Any]]) -> ShownRow:
    return shown_row(records[row]) if row in records else ShownRow(row=row, input=None)
