"""Which frozen set is which: sets by name, the one that decides for the task, and every input that is frozen.

Reads the ledger's `frozen` and `chosen` facts and the folders under `evals/`; writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused, Tampered
from sluice.core.evalset import FrozenSet, read_set, set_folders
from sluice.core.forgotten import Forgotten, told
from sluice.core.ledger import Fact, Facts
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.core.standing import decided, is_set, newest_facts
from sluice.curate.leaks.eval_side import relation_of
from sluice.curate.leaks.find import find_leaks


class SetState(BaseModel):
    """A set as the ledger knows it, and its folder where it is there and whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    fact: Fact
    frozen: FrozenSet | None
    word: str
    """`intact`, `absent`, `tampered`; `forgotten` where rows were taken out on purpose and another set follows."""
    reason: str = ""

    @property
    def sha256(self) -> str:
        """The hash that names the set."""
        return str(self.fact.body["set"])

    @property
    def name(self) -> str:
        """The name that people use."""
        return str(self.fact.body["name"])


def all_sets(project: Project, facts: Facts) -> list[SetState]:
    """Return every set that was frozen, with what its folder holds now.

    A later eval set that gives no reason was not made by `freeze`: it is tampered.
    """
    by_hash, broken = _read_folders(project.evals)
    forgotten = Forgotten(facts)
    states: list[SetState] = []
    entries = [f for f in facts.of("frozen") if is_set(f)]
    deciding = {f.hash for f in entries if not f.body["guard"]}
    for fact in entries:
        digest = str(fact.body["set"])
        if fact.hash in deciding and facts.ancestors(fact.hash) & deciding and not _says_why(fact):
            states.append(SetState(fact=fact, frozen=None, word="tampered", reason="a later set that gives no reason"))
            continue
        folder = folder_name(str(fact.body["name"]), digest)
        if digest in by_hash:
            states.append(SetState(fact=fact, frozen=by_hash[digest], word="intact"))
        elif (gone := forgotten.set(digest)) is not None:
            reason = f"rows of it were {told(gone[0])}"
            states.append(SetState(fact=fact, frozen=None, word="forgotten", reason=reason))
        elif folder in broken:
            states.append(SetState(fact=fact, frozen=None, word="tampered", reason=broken[folder]))
        elif (project.evals / folder).exists():
            reason = f"evals/{folder} is not the set that was frozen"
            states.append(SetState(fact=fact, frozen=None, word="tampered", reason=reason))
        else:
            states.append(SetState(fact=fact, frozen=None, word="absent", reason=f"evals/{folder} is not here"))
    return states


def _read_folders(evals: Path) -> tuple[dict[str, FrozenSet], dict[str, str]]:
    """Return the whole sets by hash, and what is wrong with the others by folder name."""
    whole: dict[str, FrozenSet] = {}
    broken: dict[str, str] = {}
    for folder in set_folders(evals):
        try:
            found = read_set(folder)
            whole[found.sha256] = found
        except (Tampered, InputError) as problem:
            broken[folder.name] = str(problem)
    return whole, broken


def whole_sets(evals: Path) -> dict[str, FrozenSet]:
    """Return every set whose folder is whole in itself, by hash, whether or not a fact of this project names it."""
    return _read_folders(evals)[0]


def _says_why(fact: Fact) -> bool:
    return bool(str(fact.body.get("reason") or "").strip())


def folder_name(name: str, digest: str) -> str:
    """Return the name of a set's folder under evals/."""
    return f"{name.replace('/', '-')}-{digest[:8]}"


def contenders(project: Project, facts: Facts) -> list[SetState]:
    """Return the newest eval sets, guard sets apart: one decides, several were frozen in copies apart."""
    states = [s for s in all_sets(project, facts) if not s.fact.body["guard"]]
    newest = {f.hash for f in newest_facts(facts, [s.fact for s in states])}
    return [s for s in states if s.fact.hash in newest]


def deciding_set(project: Project, facts: Facts) -> SetState | None:
    """Return the eval set that decides: the newest that is no guard set, or None where nothing is frozen.

    Raises Refused where two copies froze apart and nobody chose.
    """
    states = [s for s in all_sets(project, facts) if not s.fact.body["guard"]]
    fact, apart = decided(facts, [s.fact for s in states])
    if not apart:
        return next((s for s in states if s.fact is fact), None)
    hashes = ", ".join(str(f.body["set"])[:8] for f in apart)
    raise Refused(
        f"{len(apart)} eval sets were frozen apart from each other ({hashes})",
        where="ledger",
        remedy='sluice freeze --keep HASH --reason "..."',
    )


def require_set(project: Project, facts: Facts) -> FrozenSet:
    """Return the eval set that decides, whole. Raises Refused where it is missing, absent or tampered."""
    state = deciding_set(project, facts)
    if state is None:
        raise Refused("no eval set is frozen", remedy="sluice freeze")
    if state.frozen is None:
        raise Refused(
            f"the eval set '{state.name}' is {state.word}: {state.reason}", where="evals", remedy="git checkout evals"
        )
    return state.frozen


def named_set(project: Project, facts: Facts, name: str) -> SetState | None:
    """Return the newest set of a name (guard sets among them), or None."""
    states = [s for s in all_sets(project, facts) if s.name == name]
    newest = newest_facts(facts, [s.fact for s in states])
    return next((s for s in states if newest and s.fact.hash == newest[-1].hash), None)


def rows_in_sets(project: Project, facts: Facts, rows: Sequence[Example]) -> dict[str, str]:
    """Return, by row hash, the name of the eval set whose rows a row repeats, by the one relation; guard sets apart.

    Raises Refused where an eval set is not whole here: nobody can then say which rows are in it.
    """
    found: dict[str, str] = {}
    for state in all_sets(project, facts):
        if state.fact.body["guard"] or state.word == "forgotten":  # what is left of it is in the set that follows
            continue
        if state.frozen is None:
            raise Refused(
                f"the eval set '{state.name}' is {state.word}, so nobody can say whether these rows are in it: "
                f"{state.reason}",
                where="evals",
                remedy="git checkout evals, or copy the folder from where it was frozen",
            )
        for leak in find_leaks(rows, state.frozen.rows, relation_of(state.frozen)):
            found.setdefault(leak.row, state.name)
    return found
