"""What the ledger's facts `forgotten` say: which rows are gone on purpose, and what is left of what held them.

A fact names no row: only hashes keyed by a secret of the project. It names things by their hash (versions, sets, runs,
certificates) and says under which hash what is left of each can be checked. So a thing that lacks rows is either what a
fact says is left of it, or it was tampered with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from sluice.core.ledger import Fact, Facts


class Forgotten:
    """The facts `forgotten` of a project, asked by thing.

    Args:
        facts: of the project's ledger.
    """

    def __init__(self, facts: Facts):
        self.facts = facts.of("forgotten")
        self._under = facts.ancestors

    def __bool__(self) -> bool:
        return bool(self.facts)

    def _entries(self, key: str, **values: Any) -> Iterator[tuple[Fact, dict[str, Any]]]:
        """Yield (fact, entry) for the entries of a list in the facts' bodies, the newest first."""
        for fact in reversed(self.facts):
            listed = fact.body.get(key)
            for entry in cast("list[Any]", listed) if isinstance(listed, list) else []:
                if isinstance(entry, dict):
                    found = cast("dict[str, Any]", entry)
                    if all(found.get(k) == v for k, v in values.items()):
                        yield fact, found

    def version(self, digest: str, left: str) -> Fact | None:
        """Return the fact that says that `left` is what is left of a version; None where a later one says otherwise."""
        newest = next(self._entries("versions", version=digest), None)
        if newest is None:
            return None
        if newest[1].get("left") == left:
            return newest[0]
        for fact, _ in self._entries("versions", version=digest, left=left):
            if fact.hash not in self._under(newest[0].hash):  # written in a copy apart
                return fact
        return None

    def set(self, digest: str) -> tuple[Fact, str | None] | None:
        """Return the fact that took rows out of a frozen set, and the hash of the set that follows it."""
        found = next(self._entries("sets", set=digest), None)
        return None if found is None else (found[0], cast("str | None", found[1].get("after")))

    def run(self, identity: str) -> tuple[Fact, dict[str, Any]] | None:
        """Return the newest word on a run: its `answers`, `counts`, `rows`, `n`, `prompt`, `scores` and `mean` now."""
        return next(self._entries("runs", run=identity), None)

    def certificate(self, after: str) -> str:
        """Return the hash that a certificate had before rows were taken out of it; the same where none were."""
        for _, entry in self._entries("certificates"):
            if entry.get("after") == after and isinstance(entry.get("certificate"), str):
                after = cast("str", entry["certificate"])
        return after

    def rows(self) -> dict[str, Fact]:
        """Return the facts by keyed hash of a row, or of its first ten digits."""
        found: dict[str, Fact] = {}
        for fact in self.facts:
            for key in ("rows", "short"):
                listed = fact.body.get(key)
                for digest in cast("list[Any]", listed) if isinstance(listed, list) else []:
                    found.setdefault(str(digest), fact)
        return found


def told(fact: Fact) -> str:
    """Return when and why something was forgotten, as people are told."""
    return f"forgotten on {fact.time[:10]}: {fact.body.get('reason')}"
