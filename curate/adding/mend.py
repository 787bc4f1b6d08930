"""`add --fix`: take lines back that a person mended in a sheet; each becomes the row of its own file and line.

A line is read as its file was: the same columns, shape and options. What is still broken stays set aside, with the new
reason; what was not touched stays as it is. Repeating changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.columns import DELIMITERS
from sluice.core.errors import BadPath, InputError
from sluice.core.files import file_sha256
from sluice.core.project import Project
from sluice.curate.adding.add import AddResult, name_of, take_in
from sluice.curate.adding.set_aside import Place, Waiting, facts_of, read_sheet, set_aside_history
from sluice.curate.dataset import open_newest
from sluice.curate.formats import FORMATS, ReadOptions, ReadResult, Reads, SetAside, Source, Table
from sluice.curate.formats.read import take_rows


@dataclass(slots=True)
class _Block:
    """What was mended of one file: records with their lines and texts, and what is still broken."""

    lines: list[int] = field(default_factory=list[int])
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    raws: list[str] = field(default_factory=list[str])
    aside: list[SetAside] = field(default_factory=list[SetAside])


def mend(project: Project, dataset: str, sheet: Path, *, dry_run: bool = False) -> AddResult:
    """Take mended lines back into a dataset.

    Args:
        project: of the dataset.
        dataset: its name.
        sheet: what `show NAME --set-aside --out FILE` wrote, mended by a person.
        dry_run: only say what would be taken.

    Raises InputError for a file that is no sheet, and for a line that this dataset never set aside.
    """
    texts = read_sheet(_text(sheet), str(sheet))
    history = set_aside_history(open_newest(project, dataset))
    strange = [place for place in texts if place not in history]
    if strange:
        raise InputError(
            f"no line of '{dataset}' was set aside at {strange[0][0]}:{strange[0][1]}",
            where=str(sheet),
            remedy=f"sluice show {dataset} --set-aside lists those that were; leave the marks as they are",
        )
    groups: dict[str, dict[str, dict[Place, str]]] = {}
    for place, text in texts.items():
        groups.setdefault(_origin(history[place]).operation.id, {}).setdefault(place[0], {})[place] = text
    fix = {"file": name_of(project, sheet), "sha256": file_sha256(sheet)}
    results = [
        take_in(project, dataset, options, Reads(reads, [], []), fix=fix, dry_run=dry_run)
        for files in groups.values()
        for options in [_options(history[next(iter(next(iter(files.values()))))])]
        for reads in [[(file, _read(file, part, history, options)) for file, part in files.items()]]
    ]
    return _together(results)


def _origin(times: Sequence[Waiting]) -> Waiting:
    """Return a line as its file was read: what was told then holds for the mended line as well."""
    return next((w for w in times if not w.operation.parameters.get("fix")), times[0])


def _options(times: Sequence[Waiting]) -> ReadOptions:
    told = _origin(times).operation.parameters
    return ReadOptions(**{f.name: _option(told.get(f.name), f.default) for f in fields(ReadOptions)})


def _text(sheet: Path) -> str:
    try:
        return sheet.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BadPath("no such file", where=str(sheet), remedy="check the path") from None
    except (UnicodeDecodeError, OSError) as problem:
        what = "it is not UTF-8" if isinstance(problem, UnicodeDecodeError) else f"cannot be read: {problem.strerror}"
        raise InputError(what, where=str(sheet), remedy="save it as UTF-8 text") from None


def _read(file: str, part: dict[Place, str], history: dict[Place, list[Waiting]], options: ReadOptions) -> ReadResult:
    """Return the mended lines of a file as a file that was read."""
    facts: dict[str, Any] = dict(facts_of(_origin(history[next(iter(part))])))
    block = _Block()
    for (_, line), text in part.items():
        times = history[file, line]
        if text == times[-1].line.raw and not options.thread:  # a thread is read again whole, touched or not
            block.aside.append(SetAside(line, times[-1].line.column, times[-1].line.reason, text))
        elif facts.get("format") == "csv":
            _cells(block, line, text, list(facts["columns"]), options)
        elif facts.get("format") == "text":
            block.aside.append(
                SetAside(line, None, "a line of a plain text: mend the file itself, and add it again", text)
            )
        else:
            _object(block, line, text)
    columns = list(dict.fromkeys([*facts["columns"], *(key for record in block.records for key in record)]))
    table = Table(
        columns,
        block.lines,
        block.records,
        block.raws.__getitem__,
        block.aside,
        str(facts["encoding"]),
        nulls_are_gaps=facts["encoding"] == "binary",
    )
    taken = take_rows(table, replace(options, shape=str(facts["shape"])), Path(file))
    return ReadResult(
        path=file,
        sha256=str(facts["sha256"]),
        size=0,
        format=str(facts["format"]),
        shape=taken.reading.shape,
        read_as=taken.reading.title,
        encoding=str(facts["encoding"]),
        columns=columns,
        rows=taken.rows,
        set_aside=taken.set_aside,
    )


def _option(value: Any, default: Any) -> Any:
    return default if value is None else tuple(value) if isinstance(value, list) else value


def _object(block: _Block, line: int, text: str) -> None:
    """Take a line of JSON: one object."""
    try:
        value = parse_exact(text)
    except JsonProblem as problem:
        block.aside.append(SetAside(line, problem.column, problem.reason, text))
        return
    if not isinstance(value, dict):
        block.aside.append(SetAside(line, None, "not an object", text))
        return
    block.lines.append(line)
    block.records.append(value)
    block.raws.append(text)


def _cells(block: _Block, line: int, text: str, columns: list[str], options: ReadOptions) -> None:
    """Take cells under the header of their file, under the delimiter that fits them."""
    tried: list[Table | InputError] = []
    for delimiter in [options.delimiter] if options.delimiter else DELIMITERS:
        sign = {"tab": "\t"}.get(delimiter, delimiter)
        header = sign.join('"' + name.replace('"', '""') + '"' for name in columns) + "\n"
        try:
            table = FORMATS.get("csv").read(
                Source(Path("line"), (header + text).encode()), ReadOptions(delimiter=delimiter, format="csv"), None
            )
        except InputError as problem:
            tried.append(problem)
            continue
        if not table.set_aside:
            above = header.count("\n") + 1
            block.lines += [line + number - above for number in table.lines]
            block.records += table.records
            block.raws += [table.raw(i) for i in range(len(table.records))]
            return
        tried.append(table)
    first = tried[0]
    reason = first.set_aside[0].reason if isinstance(first, Table) else first.message.rpartition("; line ")[2]
    block.aside.append(SetAside(line, None, reason.removeprefix("2: "), text))


def _together(results: list[AddResult]) -> AddResult:
    """Return the results of several files as one."""
    last = results[-1]
    return last.model_copy(
        update={
            "changed": any(r.changed for r in results),
            "files": tuple(file for r in results for file in r.files),
            "first_set_aside": tuple(line for r in results for line in r.first_set_aside)[:5],
            "first_rows": tuple(row for r in results for row in r.first_rows)[:5],
            **{
                name: sum(getattr(r, name) for r in results)
                for name in ("added", "repeated", "dropped_before", "set_aside", "unanswered", "fixed")
            },
        }
    )
