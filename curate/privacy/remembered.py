"""Know a row again that was forgotten: by its keyed hash, as long as the key was not thrown away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sluice.core.forgotten import Forgotten, told
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.rows import SHOWN
from sluice.curate.privacy.sealed import key_id, keyed, secret_key

_ROW = re.compile(rf"[0-9a-f]{{{SHOWN},64}}")


def was_forgotten(project: Project) -> Callable[[str], str | None]:
    """Return a function from a row (its hash, its first ten digits, or its keyed hash) to when and why it was erased.

    Where the key was thrown away nobody knows a row again.
    """
    facts = Forgotten(Ledger(project).read(write_back=False)).rows()
    key = secret_key(project) if facts else None

    def find(word: str) -> str | None:
        word = word.lower()
        if not facts or not _ROW.fullmatch(word):
            return None
        fact = facts.get(word)
        if fact is None and key is not None:
            fact = facts.get(keyed(key, word if len(word) == 64 else word[:SHOWN]))
        return None if fact is None else told(fact)

    return find


def forgotten_among(project: Project, rows: Iterable[str]) -> set[str]:
    """Return those of some rows that were forgotten here: `add` does not take them again."""
    told_of = _facts(project)
    facts = told_of.rows() if told_of else {}
    key = secret_key(project) if facts else None
    return set() if key is None else {row for row in rows if keyed(key, row) in facts}


def forgotten_unknown(project: Project) -> int:
    """Return how many forgotten rows nobody can know again in this copy: the key of their hashes stayed in another one.

    Rows whose key was thrown away on purpose do not count.
    """
    told_of = _facts(project)
    if not told_of:
        return 0
    key = secret_key(project)
    known = {None, key_id(key) if key is not None else None}
    return sum(len(fact.body.get("rows") or ()) for fact in told_of.facts if fact.body.get("key") not in known)


def _facts(project: Project) -> Forgotten | None:
    """Return the facts of a project; None without a ledger, in the working tree (a fresh clone) or in the store."""
    if not any(folder.is_dir() for folder in (project.ledger, project.ledger_copy)):
        return None
    return Forgotten(Ledger(project).read(write_back=False))
