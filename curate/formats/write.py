"""`write_rows`: rows to a file, one row a line, in one atomic step; read back, they are the same rows.

messages            JSONL: {"messages": [...], "tools": [...]}, the target as the closing assistant turn
prompt-completion   JSONL: {"prompt": ..., "completion": ...}: texts for a row of one field, else lists of messages
csv, parquet, jsonl the columns as they came (input fields, target, metadata), chats in `messages` and `tools`

What a format cannot say is refused or written down here: CSV holds texts only (numbers and nested values become JSON
text, the empty text and absence are one cell), the two training forms carry no metadata, and a row of one field
becomes a prompt whose field name is lost. Columns of which a form changes values are named in the result. Knows nothing
of datasets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any, cast

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.files import atomic_write
from sluice.core.progress import Progress
from sluice.core.registry import Registry
from sluice.core.rows import SHOWN, Input, Messages, input_from_json
from sluice.curate.formats.quoting import join_cells
from sluice.curate.formats.records import STEP

Render = Callable[[Input], list[dict[str, Any]]]
"""From an input to the messages of a prompt, in chat-template form."""


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One row to write: its record (core's COLUMNS), its metadata and, for `--all`, what became of it."""

    record: dict[str, Any]
    metadata: dict[str, Any]
    status: str | None = None
    """`kept`, `dropped` or what else the operation said; None leaves the three columns out."""
    reason: str | None = None
    kept: str | None = None
    """The row that was kept in this one's place."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What was written."""

    path: str
    format: str
    rows: int
    columns: list[str]
    size: int
    """Bytes."""
    sha256: str
    """Of the file's bytes, 64 hex digits."""
    inexact: dict[str, str]
    """Columns that are not read back as they were, each with what became of their values."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How rows become columns."""

    columns: Sequence[str] = ()
    """The order of the original columns where known; all others follow in order of appearance."""
    target_column: str = "target"
    render: Render | None = None
    """A prompt for rows of fields in the two training forms; without one, a row of one field is its text."""


Shape = Callable[[ExportRow, Input, WriteOptions], dict[str, Any]]
Encode = Callable[[list[dict[str, Any]], list[str]], tuple[bytes, dict[str, str]]]
AS_TEXT, EMPTIED = "values became text", "empty texts became absent"


@dataclass(frozen=True, slots=True)
class Writer:
    """A form that rows can be written in."""

    name: str
    help: str
    shape: Shape
    """From a row and its input to the columns of the row's own, in order."""
    encode: Encode
    """From all lines and the order of their columns to the bytes of the file, and the columns that it changes."""
    carries_metadata: bool


class FileStands(InputError):
    """A file of that name is there and holds something else. Exit 2."""


WRITERS: Registry[Writer] = Registry("export format")


def write_rows(
    records: Iterable[ExportRow],
    path: Path,
    format: str,
    options: WriteOptions | None = None,
    progress: Progress | None = None,
    *,
    replace: bool = True,
) -> WriteResult:
    """Write rows to a file in one step.

    Args:
        records: rows in order.
        path: the file; its folder is made.
        format: a name in WRITERS: messages, prompt-completion, csv, parquet, jsonl.
        options: order of columns, name of the target column, prompt.
        progress: called with (what, rows done, rows in all).
        replace: whether a file that holds something else is replaced; the same bytes are never in the way.

    Raises FileStands where it is not, InputError for no rows and for a row that the format cannot hold (its name is
    given; nothing is written), SurroundingsError where the disk refuses.
    """
    writer = WRITERS.get(format)
    options = options or WriteOptions()
    exports = list(records)
    if not exports:
        raise InputError("no rows to write", where=str(path), remedy="choose other rows; no file was written")
    contents = [_content(export) for export in exports]
    options = _with_free_target(contents, options)
    lines: list[dict[str, Any]] = []
    for export, content in zip(exports, contents, strict=True):
        if progress is not None and len(lines) % STEP == 0:
            progress(f"writing {path.name}", len(lines), len(exports))
        lines.append(writer.shape(export, content, options))
    if writer.carries_metadata:
        _beside(lines, [export.metadata for export in exports], "metadata.")
    if any(export.status is not None for export in exports):
        stories = [{"status": e.status, "reason": e.reason, "kept_row": e.kept} for e in exports]
        _beside(lines, stories, "sluice_")
    columns = _order(lines, options)
    try:
        data, inexact = writer.encode(lines, columns)
    except UnicodeEncodeError:
        raise InputError("a text holds half a surrogate pair", where=str(path), remedy="mend that row") from None
    if not replace and path.is_file() and path.read_bytes() != data:
        raise FileStands(
            "a file of that name holds something else", where=str(path), remedy="choose another name, or add --yes"
        )
    try:
        atomic_write(path, data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        what = "this is a folder" if path.is_dir() else f"{path.parent} is not a folder"
        raise InputError(what, where=str(path), remedy="name a file in a folder") from None
    if any(isinstance(content, Messages) for content in contents):
        inexact = {name: what for name, what in inexact.items() if name not in ("messages", "tools")}  # read as JSON
    return WriteResult(str(path), format, len(lines), columns, len(data), hashlib.sha256(data).hexdigest(), inexact)


def _with_free_target(contents: list[Input], options: WriteOptions) -> WriteOptions:
    """Return options whose target column is no input field of any row."""
    fields = {name for content in contents if isinstance(content, dict) for name in content}
    name = options.target_column
    while name in fields:
        name = f"sluice_{name}"
    return replace(options, target_column=name)


def _beside(lines: list[dict[str, Any]], more: list[dict[str, Any]], prefix: str) -> None:
    """Add columns to lines; one whose name some line has already gets the prefix, in all lines."""
    taken = {name for line in lines for name in line}
    if "messages" in taken:
        taken.add("tools")  # beside a chat these are the chat's
    names = {name: name for columns in more for name in columns}
    for name in names:
        while names[name] in taken or (names[name] != name and names[name] in names):
            names[name] = prefix + names[name]
    for line, columns in zip(lines, more, strict=True):
        line.update((names[name], value) for name, value in columns.items())


def _order(lines: list[dict[str, Any]], options: WriteOptions) -> list[str]:
    found: dict[str, None] = {}
    for line in lines:
        if line.keys() - found.keys():
            found.update(dict.fromkeys(line))
    known = [c for c in options.columns if c in found]
    return known + [c for c in found if c not in set(known)]


def _columns(export: ExportRow, content: Input, options: WriteOptions) -> dict[str, Any]:
    """Return a row as the columns it came in, without its metadata."""
    if isinstance(content, Messages):
        return _chat(export, content)
    own = {name: value for name, value in content.items() if value is not None}
    if export.record["kind"] == "example":
        own[options.target_column] = export.record["target"]
    return own


def _content(export: ExportRow) -> Input:
    kind = export.record["kind"]
    if kind not in ("example", "text"):
        raise _cannot(export, f"a {kind} row has no export form yet")
    return input_from_json(export.record["input_form"], export.record["input"])


def _chat(export: ExportRow, content: Messages) -> dict[str, Any]:
    turns = [t.as_dict() for t in content.turns]
    answer = _answer(export)
    if answer is None and turns and turns[-1]["role"] == "assistant":
        raise _cannot(export, "a chat that ends with an assistant turn and has no target reads back as an answer")
    return {"messages": [*turns, answer] if answer else turns, **_tools(content)}


def _answer(export: ExportRow) -> dict[str, Any] | None:
    target = export.record["target"]
    if target is None:
        return None
    if export.record["target_form"] == "call":
        turn = cast("dict[str, Any]", parse_exact(target))
        return {**turn, "tool_calls": parse_exact(turn["tool_calls"])}
    return {"role": "assistant", "content": target}


def _tools(content: Messages) -> dict[str, Any]:
    return {"tools": parse_exact(content.tools)} if content.tools else {}


def _messages(export: ExportRow, content: Input, options: WriteOptions) -> dict[str, Any]:
    if isinstance(content, Messages) and options.render is None:
        return _chat(export, content)
    turns = options.render(content) if options.render else [{"role": "user", "content": _one_text(export, content)}]
    answer = _answer(export)
    tools = _tools(content) if isinstance(content, Messages) else {}
    return {"messages": [*turns, answer] if answer else turns, **tools}


def _prompt_completion(export: ExportRow, content: Input, options: WriteOptions) -> dict[str, Any]:
    if options.render is None and not isinstance(content, Messages):
        return {"prompt": _one_text(export, content), "completion": export.record["target"]}
    turns = options.render(content) if options.render else [t.as_dict() for t in cast("Messages", content).turns]
    answer = _answer(export)
    tools = _tools(content) if isinstance(content, Messages) else {}
    return {"prompt": turns, "completion": [answer] if answer else None, **tools}


def _one_text(export: ExportRow, content: Input) -> str:
    fields = [v for v in cast("dict[str, Any]", content).values() if v is not None]
    if len(fields) != 1:
        raise _cannot(export, f"{len(fields)} input fields are no prompt by themselves", "name a prompt, or use jsonl")
    return fields[0] if isinstance(fields[0], str) else dump_exact(fields[0])


def _cannot(export: ExportRow, why: str, remedy: str = "export it as prompt-completion, or leave it out") -> InputError:
    return InputError(why, where=f"row {str(export.record['row'])[:SHOWN]}", remedy=remedy)


def _jsonl(lines: list[dict[str, Any]], columns: list[str]) -> tuple[bytes, dict[str, str]]:
    return "".join(dump_exact({c: line[c] for c in columns if c in line}) + "\n" for line in lines).encode(), {}


def _csv(lines: list[dict[str, Any]], columns: list[str]) -> tuple[bytes, dict[str, str]]:
    out = [join_cells(columns)]
    out.extend(join_cells([_cell(line.get(c)) for c in columns]) for line in lines)
    emptied = {c: EMPTIED for c in columns if any(line.get(c) == "" for line in lines)}
    as_text = {c: AS_TEXT for c in columns if any(not isinstance(line.get(c), (str, NoneType)) for line in lines)}
    return "".join(out).encode(), emptied | as_text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dump_exact(value)


def _parquet(lines: list[dict[str, Any]], columns: list[str]) -> tuple[bytes, dict[str, str]]:
    from sluice.curate.formats.to_arrow import parquet_bytes

    data, as_text = parquet_bytes(lines, columns)
    return data, dict.fromkeys(as_text, AS_TEXT)


def _register(name: str, help: str, shape: Shape, encode: Encode, *, carries_metadata: bool) -> None:
    WRITERS.register(name)(Writer(name, help, shape, encode, carries_metadata))


_register("messages", "JSONL of chats, as trainers take them", _messages, _jsonl, carries_metadata=False)
_register("prompt-completion", "JSONL of prompt and completion", _prompt_completion, _jsonl, carries_metadata=False)
_register("csv", "CSV with the original columns", _columns, _csv, carries_metadata=True)
_register("parquet", "Parquet with the original columns", _columns, _parquet, carries_metadata=True)
_register("jsonl", "JSONL with the original columns", _columns, _jsonl, carries_metadata=True)
