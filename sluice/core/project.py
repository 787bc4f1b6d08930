"""Where a project lies and what its folders are called. It opens nothing that is in them.

A project is the nearest folder, upwards, with a `sluice.toml` or a `.sluice/`. Files written by people, frozen sets,
the ledger and decisions are kept in git; `.sluice/` is big or of this machine and is not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.core.errors import BadPath, InputError
from sluice.core.files import Staging, atomic_write, disk_errors, held

if TYPE_CHECKING:
    from sluice.core.task import Config

CONFIG = "sluice.toml"
STORE = ".sluice"
DATASET_NAME = r"[a-z0-9][a-z0-9._-]{0,99}"
"""What the names of datasets, tags and frozen sets are like: file names on every system, with room for an ending."""
NAME_RULE = "use lower-case letters, digits, dots, dashes, underscores; 100 at most"
_KEPT_AS_WRITTEN = ("ledger/**", "evals/**", "prompts/**", "graders/**", "rubric.md", "schema.json")


def gitignore_text() -> str:
    """Return what a project's .gitignore holds: the store, which is big and of this machine."""
    return f"{STORE}/\n"


def gitattributes_text(files: Iterable[str] = ()) -> str:
    """Return what a project's .gitattributes holds.

    Bytes that hashes are taken over are never changed by git (line ends), and decisions of two copies are merged line
    by line.

    Args:
        files: other files that sluice.toml names (a rubric, a schema, graders, prompts), by path in the project.
    """
    names = [*_KEPT_AS_WRITTEN, *sorted(set(files) - set(_KEPT_AS_WRITTEN))]
    lines = [f"{_quoted(name)} -text" for name in names]
    return "\n".join([*lines, "decisions/*.jsonl merge=union -text"]) + "\n"


def _quoted(name: str) -> str:
    pattern = name if name in _KEPT_AS_WRITTEN else "".join("\\" + c if c in "\\*?[" else c for c in name)
    if any(c in pattern for c in ' \t"'):
        return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"\\{pattern}" if pattern[:1] in ("#", "!") else pattern


class Project:
    """A project's folders.

    Args:
        root: the folder that holds `sluice.toml` or `.sluice/`.
    """

    def __init__(self, root: str | Path = "."):
        self.root = Path(root).resolve()
        self.store = self.root / STORE
        self.data = self.store / "data"
        self.operations = self.store / "operations"
        self.names = self.store / "names"
        self.tags = self.store / "tags"
        self.runs = self.store / "runs"
        self.adapters = self.store / "adapters"
        self.ledger_copy = self.store / "ledger"
        self.catalogue = self.store / "store.duckdb"
        self.cache = self.store / "cache"
        self.ledger = self.root / "ledger"
        self.decisions = self.root / "decisions"
        self.evals = self.root / "evals"
        self.config_file = self.root / CONFIG

    @classmethod
    def find(cls, start: str | Path = ".") -> Project:
        """Return the project that `start` lies in. Raises InputError where there is none."""
        found = cls.find_or_none(start)
        if found is None:
            raise InputError("no project here", where=str(Path(start).resolve()), remedy="sluice init")
        return found

    @classmethod
    def find_or_none(cls, start: str | Path = ".") -> Project | None:
        """Return the project that `start` lies in, or None."""
        here = Path(start).resolve()
        for folder in (here, *here.parents):
            if (folder / CONFIG).is_file() or (folder / STORE).is_dir():
                return cls(folder)
        return None

    def make_store(self) -> Project:
        """Create `.sluice/` where it is missing (what `add` needs outside a project)."""
        with disk_errors(self.store):
            for folder in (self.store, self.data, self.operations, self.names):
                folder.mkdir(parents=True, exist_ok=True)
            ignore = self.store / ".gitignore"
            if not ignore.exists():
                atomic_write(ignore, b"*\n")
        return self

    @property
    def staging(self) -> Staging:
        """The staging area for writes, on the same volume as the store."""
        return Staging(self.store / "tmp")

    @contextlib.contextmanager
    def lock(self, name: str, *, what: str, wait_seconds: float = 30.0) -> Generator[None]:
        """Hold a lock of this copy of the project ("freeze-tickets", "opening"); others wait, then StoreBusy."""
        with held(self.store / "locks" / f"{name}.lock", what=what, wait_seconds=wait_seconds):
            yield

    @cached_property
    def config(self) -> Config:
        """The checked contents of sluice.toml. Raises InputError where it is missing or wrong."""
        from sluice.core.task import read_config

        return read_config(self.config_file)

    @property
    def has_config(self) -> bool:
        """Whether `init` has been here."""
        return self.config_file.is_file()

    @property
    def only_curates(self) -> bool:
        """Whether nothing here is to be measured or trained: no task, or one of curation only."""
        return not self.has_config or self.config.task.curate_only

    def file(self, name: str, *, what: str) -> Path:
        """Return a project file named in sluice.toml. Raises InputError where it is missing or leaves the project."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root):
            raise InputError(f"{what} lies outside the project", where=name, remedy="copy it into the project")
        if not path.is_file():
            raise BadPath(f"{what} does not exist", where=name, remedy=f"write it, or correct the name in {CONFIG}")
        return path

    def read_text(self, name: str, *, what: str) -> str:
        """Return the text of a project file (UTF-8)."""
        path = self.file(name, what=what)
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as problem:
            raise InputError(f"{what} is not UTF-8 text", where=name, remedy="save it as UTF-8") from problem
