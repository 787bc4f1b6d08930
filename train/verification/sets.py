"""Frozen sets and the ledger's files: each set against its freeze entry, each entry against its own name."""

from __future__ import annotations

from collections.abc import Iterator

from sluice.core.errors import InputError, Tampered
from sluice.core.evalset import FrozenSet, read_set, set_folders
from sluice.core.forgotten import Forgotten
from sluice.core.ledger import Facts
from sluice.core.project import Project
from sluice.evalsuite.openings import foreign_problem
from sluice.evalsuite.sets import SetState, all_sets, folder_name
from sluice.train.verification.finding import Finding, absent, intact, tampered

_ENTRY = {"set": str, "name": str, "guard": bool, "dataset": str, "version": str, "rows": int, "rows_sha256": str}
_SAID = ("name", "guard", "dataset", "version", "rows_sha256", "similarity")


def check_ledger(facts: Facts) -> list[Finding]:
    """Return each entry that counts as intact, and each problem of the ledger's files by file.

    Entries of another project are no word of ours: they are left alone and named in the report's notes.
    """
    found = [intact("ledger", f"ledger/{fact.hash}.json") for fact in facts.facts]
    for problem in facts.problems:
        if problem.word == "tampered":
            found.append(tampered("ledger", problem.name, problem.reason))
        elif problem.word == "absent":
            found.append(absent("ledger", problem.name, problem.reason))
    return found


def check_sets(project: Project, facts: Facts) -> tuple[list[Finding], dict[str, FrozenSet]]:
    """Return what was found of each set, and the whole ones by hash."""
    found: list[Finding] = []
    whole: dict[str, FrozenSet] = {}
    expected: set[str] = set()
    odd = [f for f in facts.of("frozen") if any(not isinstance(f.body.get(k), t) for k, t in _ENTRY.items())]
    found += [tampered("fact", f"frozen {f.hash[:10]}", "it is no freeze entry: a key is missing") for f in odd]
    facts = facts.model_copy(update={"facts": tuple(f for f in facts.facts if f not in odd)})
    for state in all_sets(project, facts):
        name = f"evals/{folder_name(state.name, state.sha256)}"
        expected.add(name.removeprefix("evals/"))
        if state.word == "forgotten":
            found.append(_followed(facts, state, name))
            continue
        if state.frozen is None:
            make = tampered if state.word == "tampered" else absent
            found.append(make("eval set", name, state.reason))
            continue
        manifest = state.frozen.manifest
        differing = [key for key in _SAID if state.fact.body.get(key) != getattr(manifest, key)]
        if state.fact.body.get("rows") != len(state.frozen.rows):
            differing.append("rows")
        if differing:
            reason = f"its freeze entry says otherwise: {', '.join(differing)}"
            found.append(tampered("eval set", name, reason))
            continue
        whole[state.sha256] = state.frozen
        foreign = foreign_problem(project, facts, state.frozen)
        found.append(intact("eval set", name) if foreign is None else tampered("eval set", name, foreign))
    found += _without_entry(project, facts, expected)
    return found, whole


def _followed(facts: Facts, state: SetState, name: str) -> Finding:
    """Return what is found of a set that rows were forgotten of: the set that follows it must be on record."""
    gone = Forgotten(facts).set(state.sha256)
    after = gone[1] if gone is not None else None
    if after is not None and not facts.of("frozen", set=after, after=state.sha256):
        return tampered("eval set", name, f"{state.reason}; the set {after[:8]} that follows it was never frozen")
    return intact("eval set", name, state.reason + (f"; {after[:8]} follows it" if after else ""))


def _without_entry(project: Project, facts: Facts, expected: set[str]) -> Iterator[Finding]:
    """Yield the folders that no freeze entry names: they satisfy no rule."""
    known = {str(f.body.get("set")) for f in facts.of("frozen")}
    for folder in set_folders(project.evals):
        if folder.name in expected:
            continue
        name = f"evals/{folder.name}"
        try:
            digest = read_set(folder).sha256
        except Tampered as problem:
            yield tampered("eval set", name, problem.message)
            continue
        except InputError as problem:
            yield absent("eval set", name, problem.message)
            continue
        if digest not in known:
            yield absent("eval set", name, "no freeze entry names it")
