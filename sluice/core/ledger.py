"""The ledger: evidence as small immutable files, one fact each, named by the hash of their bytes.

Like git objects the facts form a graph (each names the heads its writer saw), so merging two copies of a project is a
union of files. Every fact is written twice, to `ledger/` (kept in git) and to `.sluice/ledger/` (which git never
touches), and read from the union of both and HEAD's tree. Only facts of this project count: those of another project
id, copied in with its files, are named and left alone. What a fact means is the business of freeze, gate and verdict;
what is written down here is only how facts are stored, found and checked. See docs/formats.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from sluice import __version__
from sluice.core.canonical import parse_exact
from sluice.core.errors import InputError
from sluice.core.files import link_new, write_synced
from sluice.core.head import head_files
from sluice.core.project import Project

FORMAT = 1
PREFIX = b"sluice/ledger/1\n"
KINDS = (
    "frozen",
    "claimed",
    "chosen",
    "baseline",
    "reference",
    "graded",
    "opened",
    "evaluated",
    "waived",
    "passed",
    "trained",
    "promoted",
    "forgotten",
    "restored",
)
BEFORE_INIT = ("forgotten",)
"""Kinds that are written without a project's id, too, and then count in every project that holds the file."""
LARGEST_INT = 2**53 - 1
DEEPEST_ENTRY = 32  # levels; facts are flat, and every reader takes this many
_HASH = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset({"format", "project", "kind", "body", "parents", "time", "account", "tool"})


class Fact(BaseModel):
    """One entry of the ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str
    project: str
    kind: str
    body: dict[str, Any]
    """What the fact says: hashes of whole things, counts, decimal strings; never row text."""
    parents: tuple[str, ...]
    time: str
    """Information only: nothing is decided by a clock."""
    account: str
    tool: str

    @property
    def known(self) -> bool:
        """Whether this version of the tool knows the kind; unknown kinds are shown and satisfy nothing."""
        return self.kind in KINDS


class LedgerProblem(BaseModel):
    """A ledger file that does not count, or a hash that is named and found nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: str
    """What it is.

    `tampered`: a file whose bytes are not what its name says, or that is no entry. `absent`: a fact names that hash
    and no place has it. `foreign`: a whole entry of another project, or in a newer format than this version reads.
    """
    name: str
    reason: str


class Facts(BaseModel):
    """All facts that could be read, and what is wrong with the files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: tuple[Fact, ...]
    """In an order in which parents come first; ties by hash. The order never depends on a clock."""
    problems: tuple[LedgerProblem, ...]
    written_back: tuple[str, ...]
    uncommitted: tuple[str, ...] | None
    """Hashes that HEAD does not hold; None where there is no git."""
    foreign: tuple[Fact, ...] = ()
    """Whole entries of another project id, by hash: they count for nothing, and are no proof of innocence either."""

    def of(self, kind: str, **body: Any) -> list[Fact]:
        """Return the facts of a kind whose body holds all the given values, parents first."""
        return [f for f in self.facts if f.kind == kind and all(f.body.get(k) == v for k, v in body.items())]

    def get(self, digest: str) -> Fact | None:
        """Return the fact of that hash."""
        return next((f for f in self.facts if f.hash == digest), None)

    def heads(self) -> list[str]:
        """Return the facts that no other fact names as parent, sorted."""
        named = {p for f in self.facts for p in f.parents}
        return sorted(f.hash for f in self.facts if f.hash not in named)

    def ancestors(self, digest: str) -> set[str]:
        """Return every fact that `digest` stands on."""
        by_hash = {f.hash: f for f in self.facts}
        seen: set[str] = set()
        queue = [digest]
        while queue:
            fact = by_hash.get(queue.pop())
            for parent in fact.parents if fact else ():
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)
        return seen


def canonical_bytes(entry: dict[str, Any]) -> bytes:
    """Return the RFC 8785 bytes of an entry.

    Raises InputError for what an entry cannot hold: floats, integers beyond 2^53 - 1, keys that are not ASCII, half a
    surrogate pair, values that are not JSON.
    """
    _check_values(entry, 0)
    text = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InputError("the ledger holds no half of a surrogate pair", remedy="mend that text") from None


def _check_values(value: Any, level: int) -> None:
    if level > DEEPEST_ENTRY:
        raise InputError("a ledger entry is nested too deeply", remedy="name the thing by its hash")
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if abs(value) > LARGEST_INT:
            raise InputError(f"the ledger holds no integer beyond 2^53-1: {value}", remedy="write it as decimal string")
    elif isinstance(value, dict):
        for key, item in cast("dict[Any, Any]", value).items():
            if not isinstance(key, str) or not key.isascii():
                raise InputError(f"a ledger key is ASCII text: {key!r}", remedy="rename it")
            _check_values(item, level + 1)
    elif isinstance(value, (list, tuple)):
        for item in cast("list[Any]", value):
            _check_values(item, level + 1)
    else:
        raise InputError(f"the ledger holds no {type(value).__name__}: {value}", remedy="write it as decimal string")


def fact_hash(data: bytes) -> str:
    """Return the name of an entry: the SHA-256 of a fixed prefix and its bytes."""
    return hashlib.sha256(PREFIX + data).hexdigest()


def decimal(value: float, digits: int = 6) -> str:
    """Return a score or bound as the decimal string that the ledger keeps. Raises InputError for NaN and infinity."""
    if not math.isfinite(value):
        raise InputError(f"the ledger holds no {value}", remedy="say that there is no such value")
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def account() -> str:
    """Return the account's name. It is shown, not proven."""
    if os.name == "nt":
        return os.getlogin()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


class Ledger:
    """The ledger of one project."""

    def __init__(self, project: Project):
        self.project = project

    def write(self, kind: str, body: dict[str, Any], *, by: str | None = None) -> Fact:
        """Write a fact in both places and return it. Needs no lock: equal facts have equal names.

        Raises InputError for a kind that is not one of ours, or a body that RFC 8785 with integers cannot hold.
        """
        if kind not in KINDS:
            raise InputError(f"no fact is of the kind '{kind}'", remedy=f"known: {', '.join(KINDS)}")
        entry: dict[str, Any] = {
            "format": FORMAT,
            "project": self._identity(kind),
            "kind": kind,
            "body": body,
            "parents": self.read(write_back=False).heads(),
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "account": by or account(),
            "tool": f"sluice {__version__}",
        }
        data = canonical_bytes(entry)
        digest = fact_hash(data)
        with self.project.staging.job() as job:
            for place in (self.project.ledger_copy, self.project.ledger):
                _put(job, place, digest, data)
        return _parse(digest, data)

    def _identity(self, kind: str) -> str:
        """Return the project's id; rows can be forgotten before `init` gave it one, and that fact then has none."""
        if kind in BEFORE_INIT and not self.project.has_config:
            return ""
        return self.project.config.project_id

    def read(self, *, write_back: bool = True) -> Facts:
        """Return all facts over the union of both folders and HEAD's tree.

        What `ledger/` lacks and another place has is written back (named in `written_back`), unless told otherwise. A
        tampered file stays as it is, for `verify` to name; its fact counts where another place has it whole. Before
        `init` (no sluice.toml) there is no project id to hold facts against, and all count.
        """
        found: dict[str, Fact] = {}
        foreign: dict[str, Fact] = {}
        raw: dict[str, bytes] = {}
        problems: list[LedgerProblem] = []
        own = self.project.config.project_id if self.project.has_config else None
        head = head_files(self.project.root, "ledger", ".json")
        in_folder: set[str] = set()
        for place, entries in (
            ("ledger", _folder_entries(self.project.ledger)),
            (".sluice/ledger", _folder_entries(self.project.ledger_copy)),
            ("HEAD", head or {}),
        ):
            for name, data in entries.items():
                digest = name.removesuffix(".json")
                if place == "ledger":
                    in_folder.add(digest)
                fact, word, reason = _read_entry(digest, data)
                nobodys = fact is not None and fact.project == "" and fact.kind in BEFORE_INIT
                if fact is not None and own is not None and fact.project != own and not nobodys:
                    foreign[digest] = fact
                    word, reason = "foreign", f"a fact of another project ({fact.project})"
                if word:
                    problems.append(LedgerProblem(word=word, name=f"{place}/{name}", reason=reason))
                elif fact is not None:
                    found[digest], raw[digest] = fact, data
        problems += _absent(found, foreign)
        written = self._write_back(raw, in_folder) if write_back else []
        uncommitted = None if head is None else tuple(sorted(h for h in found if f"{h}.json" not in head))
        return Facts(
            facts=tuple(_in_order(found)),
            problems=tuple(problems),
            written_back=tuple(written),
            uncommitted=uncommitted,
            foreign=tuple(foreign[h] for h in sorted(foreign)),
        )

    def _write_back(self, raw: dict[str, bytes], in_folder: set[str]) -> list[str]:
        lacking = sorted(set(raw) - in_folder)
        lacking_copy = sorted(h for h in raw if not (self.project.ledger_copy / f"{h}.json").exists())
        if not lacking and not lacking_copy:
            return []
        if not os.access(self.project.root, os.W_OK):
            return []
        with self.project.staging.job() as job:
            for place, digests in ((self.project.ledger, lacking), (self.project.ledger_copy, lacking_copy)):
                for digest in digests:
                    _put(job, place, digest, raw[digest])
        return lacking


def _put(job: Path, place: Path, digest: str, data: bytes) -> None:
    """Write an entry to a place under a file of its own: one file under both names would be spoilt in both at once."""
    staged = job / f"{place.parent.name}-{digest}.json"
    write_synced(staged, data)
    link_new(staged, place / f"{digest}.json")


def _absent(found: dict[str, Fact], foreign: dict[str, Fact]) -> list[LedgerProblem]:
    named = {p for f in found.values() for p in f.parents}
    return [
        LedgerProblem(word="absent", name=f"ledger/{h}.json", reason="a fact names it, and no place has it")
        for h in sorted(named - set(found) - set(foreign))
    ]


def _folder_entries(folder: Path) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix == ".json" and path.is_file():
            with contextlib.suppress(FileNotFoundError):  # git may be changing branches beside us
                entries[path.name] = path.read_bytes()
    return entries


def _read_entry(digest: str, data: bytes) -> tuple[Fact | None, str, str]:
    """Return the fact, or the word and reason of a problem."""
    if not _HASH.fullmatch(digest):
        return None, "tampered", "the name is not a SHA-256"
    if fact_hash(data) != digest:
        return None, "tampered", "its bytes are not what its name says"
    try:
        number = _entry(data).get("format")
        if isinstance(number, int) and number > FORMAT:
            return None, "foreign", f"in format {number}, which this version does not read"
        return _parse(digest, data), "", ""
    except (ValueError, KeyError, TypeError, InputError):
        return None, "tampered", "not an entry of the ledger"


def _entry(data: bytes) -> dict[str, Any]:
    value = parse_exact(data.decode())
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return cast("dict[str, Any]", value)


def _parse(digest: str, data: bytes) -> Fact:
    entry = _entry(data)
    if canonical_bytes(entry) != data:
        raise ValueError("not in canonical form")
    if frozenset(entry) != _KEYS or entry["format"] != FORMAT:
        raise ValueError("not the keys of an entry")
    parents: list[str] = entry["parents"]
    if parents != sorted({p for p in parents if _HASH.fullmatch(p)}):
        raise ValueError("parents are sorted hashes")
    return Fact(
        hash=digest,
        project=entry["project"],
        kind=entry["kind"],
        body=entry["body"],
        parents=tuple(parents),
        time=entry["time"],
        account=entry["account"],
        tool=entry["tool"],
    )


def _in_order(found: dict[str, Fact]) -> Iterable[Fact]:
    """Yield facts parents first; among those free to come, by hash (Kahn's algorithm)."""
    import heapq

    children: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    for digest, fact in found.items():
        known = [p for p in fact.parents if p in found]
        waiting[digest] = len(known)
        for parent in known:
            children.setdefault(parent, []).append(digest)
    free = [h for h, n in waiting.items() if n == 0]
    heapq.heapify(free)
    while free:
        digest = heapq.heappop(free)
        yield found[digest]
        for child in children.get(digest, []):
            waiting[child] -= 1
            if waiting[child] == 0:
                heapq.heappush(free, child)
