"""The words of a command to the files they mean: files, folders, patterns, stdin and ids of the hub.

A folder stands for all files of known forms below it, sorted; what is passed over there is named. A pattern that the
shell did not expand is expanded here. Files named twice are read once. Knows nothing of what is in a file.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice.core.errors import BadPath, InputError, NoPermission, UsageError
from sluice.curate.formats.hub import PREFIX, hub_entries
from sluice.curate.formats.open_file import NAMED_ONLY, extensions, is_readable_name
from sluice.curate.formats.records import Entry, Progress
from sluice.curate.formats.saved_dataset import SIDECARS, is_saved, saved_files
from sluice.curate.formats.unpack import inner_path

STDIN = "-"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that is not read, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What words stand for."""

    entries: list[Entry]
    passed_over: list[PassedOver]


def gather(words: Sequence[str | Path | Entry], progress: Progress | None = None) -> Gathered:
    """Return the files that words mean, each once, in the order of the words.

    Args:
        words: paths, folders, patterns (`raw/*.csv`), `hf://owner/name`, or Entries, such as what stdin gave.
        progress: called with (what, done, total) while files are fetched.

    Raises UsageError for the empty name and for an address of the web, BadPath for a pattern or folder with nothing to
    read, InputError and SurroundingsError as hub and
    saved_dataset do.
    """
    found: dict[str, Entry] = {}
    passed: list[PassedOver] = []
    for word in words:
        for entry in _meant(word, passed, progress):
            key = entry.name or str(entry.path.resolve() if not _loops(entry.path) else entry.path)
            found.setdefault(key, entry)
    return Gathered(list(found.values()), passed)


def _meant(word: str | Path | Entry, passed: list[PassedOver], progress: Progress | None) -> list[Entry]:
    if isinstance(word, Entry):
        return [word]
    text = str(word)
    if isinstance(word, str) and text.startswith(PREFIX):
        return hub_entries(text, progress)
    if text == STDIN:
        raise InputError("'-' is stdin, which the command line reads", remedy="give an Entry with its bytes")
    if not text.strip():
        raise UsageError("a file has no name: ''", remedy="name it; '.' is the folder you are in")
    if _ADDRESS.match(text):
        raise UsageError(
            "nothing is downloaded from the web",
            where=text,
            remedy="fetch it yourself (curl -LO ADDRESS) and name the file; of Hugging Face: hf://OWNER/NAME",
        )
    path = Path(text)
    if _is_folder(path):
        return _below(path, passed)
    if glob.has_magic(text) and not os.path.lexists(path):
        return _matching(text, passed)
    return [Entry(path)]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False  # opening it says what is wrong


def _loops(path: Path) -> bool:
    try:
        path.resolve()
    except (OSError, RuntimeError, ValueError):
        return True
    return False


def _matching(pattern: str, passed: list[PassedOver]) -> list[Entry]:
    """Return the files that match a pattern, sorted; folders among them are passed over."""
    matches = sorted(glob.glob(pattern, recursive=True))
    files = [m for m in matches if not os.path.isdir(m)]
    if not files:
        raise BadPath(
            f"nothing matches {pattern}" if not matches else f"only folders match {pattern}",
            where=pattern,
            remedy="check the pattern" if not matches else f"name the folder, or {pattern}/*",
        )
    passed += [PassedOver(m, "a folder, where the pattern means files") for m in matches if os.path.isdir(m)]
    return [Entry(Path(m)) for m in files]


def _below(folder: Path, passed: list[PassedOver]) -> list[Entry]:
    """Return the files of known forms below a folder, sorted; texts only where there is nothing else."""
    if is_saved(folder):
        return [Entry(path) for path in saved_files(folder)]
    data: list[Path] = []
    texts: list[Path] = []
    start = len(passed)
    for here, folders, names in os.walk(folder, onerror=_refuse):
        place = Path(here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in [name for name in folders if is_saved(place / name)]:
            folders.remove(name)
            data += saved_files(place / name)
        for name in sorted(names):
            path = place / name
            if name.startswith("."):
                continue
            reason = _why_not(path)
            if reason:
                passed.append(PassedOver(str(path), reason))
            elif extensions()[inner_path(path).suffix.lower()].name == "text":
                texts.append(path)
            else:
                data.append(path)
    if data:
        passed += [PassedOver(str(p), "a text beside data: name it to have it read") for p in texts]
    chosen = sorted(data or texts)
    if not chosen:
        looked = f"; passed over: {', '.join(p.file for p in passed[start:][:5])}" if passed[start:] else ""
        raise BadPath(
            f"no file in this folder is of a form that is read{looked}",
            where=str(folder),
            remedy=f"files end in {', '.join(sorted(extensions()))}, or those and .gz or .zst",
        )
    return [Entry(path) for path in chosen]


def _why_not(path: Path) -> str | None:
    """Return why a file in a folder is passed over, None where it is read."""
    if path.name in SIDECARS:
        return "it describes a dataset"
    if not path.is_file():
        return "a link that leads nowhere" if path.is_symlink() else "no plain file"
    if is_readable_name(path):
        return None
    suffix = inner_path(path).suffix.lower()
    return f"{suffix} files are not read" if suffix in NAMED_ONLY else "its name tells no form that is read"


def _refuse(problem: OSError) -> None:
    raise NoPermission(
        "this folder may not be read",
        where=str(problem.filename),
        remedy=f"chmod u+rx {problem.filename}, or ask its owner",
    )
