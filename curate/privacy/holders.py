"""Who still holds what was erased: commits of git, and files that people wrote. Nothing of them is changed."""

from __future__ import annotations

import codecs
import io
import subprocess
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.project import STORE, Project
from sluice.curate.formats.unpack import packing, too_much, unpack
from sluice.curate.privacy.erasure import Eraser

GIT_SECONDS = 30.0
LARGEST = 512 * 1024 * 1024  # bytes of a file that is looked through
MOST_LINES = 20
_ZIP, _PARQUET, _ARROW = b"PK\3\4", b"PAR1", b"ARROW1"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class GitCommit(BaseModel):
    """A commit that brought in, or took out, something that was erased."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: str
    time: str
    files: tuple[str, ...]


class StillThere(BaseModel):
    """A file that still holds something that was erased."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    lines: tuple[int, ...]
    """The first lines, from 1; empty where the file is no text."""


def commits_with(project: Project, words: Sequence[str]) -> tuple[GitCommit, ...]:
    """Return the commits of all branches that changed how often any of some words stands in the project's files.

    Every commit from the one that brought a word in to the one that took it out holds it. None without git.
    """
    found: dict[str, GitCommit] = {}
    for word in words:
        command = ["git", "-C", str(project.root), "log", "--all", f"-S{word}", "--format=%x00%H %cI", "--name-only"]
        try:
            done = subprocess.run([*command, "--", "."], capture_output=True, check=False, timeout=GIT_SECONDS)
        except (FileNotFoundError, subprocess.TimeoutExpired):
            break
        if done.returncode:
            break
        for entry in done.stdout.decode(errors="replace").split("\0")[1:]:
            head, *names = entry.strip().splitlines()
            digest, _, time = head.partition(" ")
            files = {name for name in names if name}
            if digest in found:
                files |= set(found[digest].files)
            found[digest] = GitCommit(commit=digest, time=time, files=tuple(sorted(files)))
    return tuple(sorted(found.values(), key=lambda c: (c.time, c.commit)))


def files_with(
    project: Project, eraser: Eraser, spelled: Iterable[str], *, store: bool = True
) -> tuple[StillThere, ...]:
    """Return the files below the project, git's own apart, that still hold rows or people that go.

    Args:
        spelled: spellings of the people as they were found.
        store: whether `.sluice/` is looked through, too: after the work nothing should be there.
    """
    words = [w.encode() for w in (*eraser.rows, *spelled)]
    found: list[StillThere] = []
    for file in _files(project.root, store=store):
        if file.stat().st_size > LARGEST:
            continue
        data, has_lines = _content(file)
        text = data.decode(errors="replace")
        if any(word in data for word in words) or eraser.names_a_person(text):
            lines = [
                i
                for i, line in enumerate(text.splitlines(), 1)
                if any(w.decode() in line for w in words) or eraser.names_a_person(line)
            ]
            name = file.relative_to(project.root).as_posix()
            found.append(StillThere(file=name, lines=tuple(lines[:MOST_LINES]) if has_lines else ()))
    return tuple(found)


def _content(file: Path) -> tuple[bytes, bool]:
    """Return (what a file says, whether it has lines of its own).

    Packed files are unpacked; of a workbook its parts are taken, of Parquet and Arrow the rows as JSON lines. A file
    that is damaged, or that unpacks to far more than it weighs, is taken as it lies.
    """
    import polars as pl

    data = file.read_bytes()
    damaged = (InputError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
    with suppress(*damaged, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        if kind := packing(data):
            data = unpack(file, data, kind)
        if data.startswith(_ZIP):
            return _parts(data), False
        if data.startswith(_PARQUET):
            return pl.read_parquet(data).write_ndjson().encode(), False
        if data.startswith(_ARROW):
            return pl.read_ipc(data, use_pyarrow=False).write_ndjson().encode(), False
    if data.startswith(_UTF_16):
        return data.decode("utf-16", "replace").encode(), True
    return data, b"\0" not in data


def _parts(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if too_much(len(data), sum(part.file_size for part in packed.infolist())):
            return data
        return b"\n".join(packed.read(part) for part in packed.infolist())


def _files(root: Path, *, store: bool) -> Iterator[Path]:
    skipped = {".git", *(() if store else (STORE, "evals", "decisions"))}
    for place in sorted(root.iterdir()):
        if place.name in skipped or place.is_symlink():
            continue
        if place.is_file():
            yield place
        else:
            yield from (
                p for p in sorted(place.rglob("*")) if p.is_file() and not p.is_symlink() and ".git" not in p.parts
            )
