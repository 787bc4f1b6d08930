"""What rows are held against, by name: eval sets and parts of the project, files of rows, documents.

A word of `--against` is a file or a pattern of files, a dataset or a part, or a frozen eval set. Markdown and plain
text are documents, cut into paragraphs; every other file is read as `add` reads it. Nothing comes into the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from sluice.core.errors import BadPath, InputError, NoPermission
from sluice.core.evalset import read_set, set_folders
from sluice.core.files import file_sha256
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Text
from sluice.core.wording import counted
from sluice.curate.adding.add import name_of
from sluice.curate.dataset import Version, dataset_names, has_dataset, open_dataset
from sluice.curate.formats import ReadOptions, read_file
from sluice.curate.formats.decode import decode
from sluice.curate.formats.idle import refuse_idle
from sluice.curate.formats.records import Source
from sluice.curate.leaks.eval_side import EvalSide

DOCUMENTS = (".md", ".markdown", ".txt", ".rst")
"""Endings of files that are documents: text to be searched, not rows."""
_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n")


@dataclass(frozen=True)
class Reference:
    """Rows that others must not repeat, and where they are from."""

    name: str
    """`eval set tickets`, `tickets/dev@2`, `bench/test.jsonl`."""
    rows: tuple[AnyRow, ...]
    """Of a document its paragraphs, as text rows."""
    groups: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    places: dict[str, str] = field(default_factory=dict[str, str])
    """By row, `FILE:LINE`; rows of the project need none: they are found by their hash."""
    document: str | None = None
    """The whole text of a document."""
    sha256: str | None = None
    """Of a file."""


def of_side(side: EvalSide) -> Reference:
    """Return the eval rows of a project as one reference."""
    return Reference(", ".join(side.names), side.rows, side.groups)


def of_version(version: Version) -> Reference:
    """Return the rows of a version."""
    rows = tuple(version.rows())
    if not rows:
        raise InputError("this version has no rows to hold others against", where=version.ref, remedy="sluice ls")
    return Reference(version.ref, rows, version.groups())


def references(
    project: Project, words: Iterable[str], options: ReadOptions | None = None, progress: Progress | None = None
) -> list[Reference]:
    """Return what the words name, in their order, each file once.

    Args:
        project: that datasets and eval sets are looked up in.
        words: files, patterns, datasets (`tickets/dev`, `tickets@2`), eval sets.
        options: columns and encoding of files of rows.
        progress: called with (what, done, total) while files are read.

    Raises InputError for a word that names nothing, and for a file or dataset that has no rows.
    """
    found: dict[str, Reference] = {}
    for word in words:
        for path in _files(project, word):
            name = name_of(project, path)
            if name not in found:
                found[name] = read_reference(name, path, options, progress)
        if not _files(project, word):
            one = _named(project, word)
            found[one.name] = one
    return list(found.values())


def documents(project: Project, words: Iterable[str]) -> dict[str, str]:
    """Return the texts of documents by name. Raises InputError for a word that is no file of text."""
    found: dict[str, str] = {}
    for word in words:
        files = _files(project, word)
        if not files:
            raise _no_such(project, word)
        found.update((name_of(project, path), read_document(path)) for path in files)
    return found


def read_reference(
    name: str, path: Path, options: ReadOptions | None = None, progress: Progress | None = None
) -> Reference:
    """Read one file: a document by its ending, else rows."""
    if path.suffix.lower() in DOCUMENTS:
        text = read_document(path)
        blocks = _paragraphs(text)
        rows = {row.row: (row, line) for line, block in blocks for row in [Text(input={"text": block})]}
        places = {row: f"{name}:{line}" for row, (_, line) in rows.items()}
        return Reference(name, tuple(r for r, _ in rows.values()), {}, places, text, file_sha256(path))
    read = read_file(path, options, progress)
    if options is not None:
        refuse_idle(options, [read])
    first = {r.row.row: r for r in reversed(read.rows)}
    places = {row: f"{name}:{r.line}" for row, r in first.items()}
    return Reference(name, tuple(r.row for r in first.values()), {}, places, None, read.sha256)


def read_document(path: Path) -> str:
    """Return the text of a document. Raises InputError for one that is not there, is empty, or is no text."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadPath("no such file", where=str(path), remedy="check the path") from None
    except IsADirectoryError:
        raise BadPath("this is a folder", where=str(path), remedy=f"name its files: '{path}/*.md'") from None
    except PermissionError:
        raise NoPermission("this file may not be read", where=str(path), remedy=f"chmod u+r {path}") from None
    text = decode(Source(path, data), None).text if data else ""
    if not text.strip():
        raise InputError(
            f"the document is empty ({counted(len(data), 'byte')})",
            where=str(path),
            remedy="name one that says something",
        )
    return text


def _paragraphs(text: str) -> list[tuple[int, str]]:
    """Return (line, paragraph) of a document."""
    found: list[tuple[int, str]] = []
    at = 0
    for match in [*_PARAGRAPHS.finditer(text), None]:
        end = match.start() if match else len(text)
        block = text[at:end]
        if block.strip():
            blanks = len(block) - len(block.lstrip())
            found.append((text.count("\n", 0, at + blanks) + 1, block.strip()))
        at = match.end() if match else end
    return found


def _files(project: Project, word: str) -> list[Path]:
    """Return the files that a word names: from the current folder, else from the project's."""
    for base in (Path(), project.root):
        path = base / word
        if path.exists() and not (path.is_dir() and has_dataset(project, word)):
            return [path]
        if any(c in word for c in "*?["):
            matches = sorted(p for p in map(Path, glob(str(path), recursive=True)) if p.is_file())
            if matches:
                return matches
    return []


def _named(project: Project, word: str) -> Reference:
    name = word.removeprefix("eval set ")
    for folder in set_folders(project.evals):
        frozen = read_set(folder)  # guard sets, too: they are named
        if name in (frozen.name, folder.name):
            return Reference(f"eval set {frozen.name}", tuple(frozen.rows), dict(frozen.groups_by_row()))
    base = re.split("[@:]", word)[0]
    if has_dataset(project, base):
        return of_version(open_dataset(project, word))
    raise _no_such(project, word)


def _no_such(project: Project, word: str) -> InputError:
    if any(c in word for c in "*?["):
        return InputError(
            f"no file fits '{word}'", where="--against", remedy="check the pattern; quote it for the shell"
        )
    if Path(word).suffix or ("/" in word and not has_dataset(project, word.split("/")[0])):
        return BadPath("no such file", where=word, remedy="check the path")
    known = [*dataset_names(project), *(folder.name for folder in set_folders(project.evals))]
    return InputError(
        f"'{word}' is no file, no dataset and no eval set",
        where="--against",
        remedy=f"known: {', '.join(known)}" if known else "check the path",
    )


def rows_of(some: Sequence[Reference]) -> tuple[AnyRow, ...]:
    """Return all rows of some references, each once."""
    return tuple({row.row: row for one in some for row in one.rows}.values())
