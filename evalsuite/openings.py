"""Openings: who was shown the eval set, how often, and what came of it.

`opened` is written before the first answer, `evaluated` after the last. A trained candidate is (adapter, prompt, form,
decoding); its first run on the set is the one. Baselines write the same facts and never count toward K.

An opening counts as made only where fewer than K others stand under it in the ledger: more than K are legitimate only
where copies opened apart and were merged. Everything else that is found (facts, stored runs) can only raise the number
of openings that are used.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Facts, Ledger, decimal
from sluice.core.project import Project
from sluice.core.runs import Run, RunSpec, all_runs, rows_hash
from sluice.curate.leaks.eval_side import relation_of
from sluice.curate.leaks.find import find_leaks
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import Scores, write_scores
from sluice.evalsuite.sets import all_sets, whole_sets

_SHOWN = ("opened", "evaluated")


class Openings(BaseModel):
    """How many trained candidates a set has judged, and how many it may."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed: int
    """K."""
    candidates: tuple[str, ...]
    """Specs of the trained candidates that opened the set."""
    made: tuple[str, ...]
    """Those of them whose opening was made by the rules: they may look at their verdict again."""
    inherited: int
    """Candidates that opened an earlier set which shares rows with this one."""

    @property
    def used(self) -> int:
        """Openings that count."""
        return len(self.candidates) + self.inherited

    def used_by_others(self, spec: str) -> int:
        """Return the openings that count without those of one candidate."""
        return len(set(self.candidates) - {spec}) + self.inherited

    @property
    def divisor(self) -> int:
        """What alpha is divided by: K, or more where a merge brought more openings together."""
        return max(self.allowed, self.used)


def openings(project: Project, facts: Facts, frozen: FrozenSet, question: Question) -> Openings:
    """Count the openings of a set by trained candidates, those of earlier sets with shared rows among them."""
    own = _candidates(facts, frozen.sha256)
    inherited: set[str] = set()
    own |= _stored_here(project, frozen)
    related = {frozen.sha256}
    for state in all_sets(project, facts):
        if state.sha256 == frozen.sha256:
            continue
        earlier = _candidates(facts, state.sha256) - own
        # of a set that is not whole nobody can say which rows it shares: all that was measured on it counts
        if earlier and (state.frozen is None or shares_rows(frozen, state.frozen)):
            inherited |= earlier
            related.add(state.sha256)
    return Openings(
        allowed=question.openings,
        candidates=tuple(sorted(own)),
        made=tuple(sorted(_made(facts, frozen.sha256, related, question.openings))),
        inherited=len(inherited),
    )


def _made(facts: Facts, set_sha256: str, related: set[str], allowed: int) -> set[str]:
    """Return the specs whose `opened` fact stands on fewer than K openings by other trained candidates."""
    opened = [f for f in facts.of("opened") if f.body.get("adapter") and f.body.get("set") in related]
    found: set[str] = set()
    for fact in opened:
        if fact.body["set"] == set_sha256:
            under = facts.ancestors(fact.hash)
            before = {str(f.body.get("spec")) for f in opened if f.hash in under}
            if len(before - {str(fact.body.get("spec"))}) < allowed:
                found.add(str(fact.body.get("spec")))
    return found


def shares_rows(one: FrozenSet, other: FrozenSet) -> bool:
    """Return whether any row of one set stands in the relation to a row of another, whichever holds the other."""
    relation = relation_of(one)
    ours, theirs = one.groups_by_row(), other.groups_by_row()
    return bool(
        find_leaks(other.rows, one.rows, relation, groups=theirs, eval_groups=ours)
        or find_leaks(one.rows, other.rows, relation, groups=ours, eval_groups=theirs)
    )


def refuse_spoilt(project: Project, facts: Facts, frozen: FrozenSet) -> None:
    """Raise Refused where the openings of a set cannot be counted from the ledger as it is here."""
    tampered = [p for p in facts.problems if p.word == "tampered"]
    if tampered:
        raise Refused(
            f"tampered: {tampered[0].reason}; the ledger counts openings, so it must be whole",
            where=tampered[0].name,
            remedy="sluice verify, then git checkout ledger",
        )
    missing = [p for p in facts.problems if p.word == "absent"]
    if missing:
        raise Refused(
            f"absent: {len(missing)} facts that others stand on are in no place, so openings cannot be counted",
            where=missing[0].name,
            remedy="copy ledger/ from where they were written",
        )
    problem = foreign_problem(project, facts, frozen)
    if problem is not None:
        raise Refused(problem, where="sluice.toml [project]", remedy="set [project] id back")


def all_spent(counted: Openings, frozen: FrozenSet) -> Refused:
    """Return the error for a set that may judge no further candidate."""
    earlier = f", {counted.inherited} of them on earlier sets that share its rows or are not here"
    return Refused(
        f"all {counted.allowed} openings of the eval set '{frozen.name}' are spent"
        + (earlier if counted.inherited else ""),
        where=f"evals/{frozen.folder.name}",
        remedy='choose on dev, or freeze new rows: sluice freeze PART --as NAME --reason "..."',
    )


def foreign_problem(project: Project, facts: Facts, frozen: FrozenSet) -> str | None:
    """Return what is wrong where facts of another project id may hide openings of a set; None where none do.

    They do where they name this very set, or where a trained candidate opened a set of theirs that shares rows with
    it. Of a set that is not whole here nobody can say which rows it shares.
    """
    naming = [f for f in facts.foreign if f.body.get("set") == frozen.sha256]
    if naming:
        return (
            f"foreign: {len(naming)} facts of another project id ({naming[0].project}) name this set; "
            "set [project] id back"
        )
    shown = [f for f in facts.foreign if f.kind in _SHOWN and f.body.get("adapter") and f.body.get("set")]
    opened = {str(f.body["set"]): f for f in shown}
    if not opened:
        return None
    here = whole_sets(project.evals)
    for digest, fact in sorted(opened.items()):
        other = here.get(digest)
        if other is None or shares_rows(frozen, other):
            why = "is not whole here" if other is None else "shares rows with this one"
            return (
                f"foreign: under another project id ({fact.project}) an adapter opened a set ({digest[:8]}) that "
                f"{why}; set [project] id back, or bring that set's folder here"
            )
    return None


def _candidates(facts: Facts, set_sha256: str) -> set[str]:
    """Return the specs of trained candidates that opened a set, or were measured on it (guard sets)."""
    found = [f for kind in _SHOWN for f in facts.of(kind, set=set_sha256)]
    return {str(f.body.get("spec")) for f in found if f.body.get("adapter")}


def _stored_here(project: Project, frozen: FrozenSet) -> set[str]:
    """Return the specs of trained candidates whose answers to the set lie in this copy, facts or not."""
    asked = rows_hash(row.row for row in frozen.rows)
    found: set[str] = set()
    for run in all_runs(project):
        try:
            spec = run.spec
        except Tampered:
            continue  # `verify` names it
        if spec.adapter is not None and spec.rows_sha256 == asked:
            found.add(spec.sha256)
    return found


def _refuse_planted(project: Project, spec: RunSpec) -> None:
    for run in all_runs(project):
        try:
            planted = run.spec.sha256 == spec.sha256 and bool(run.answers())
        except Tampered:
            continue  # `verify` names it
        if planted:
            raise Tampered(
                "answers were there before the set was opened",
                where=f".sluice/runs/{run.id}",
                remedy="copy ledger/ from where the set was opened; if it never was, remove that run's folder",
            )


def open_set(project: Project, ledger: Ledger, frozen: FrozenSet, question: Question, spec: RunSpec) -> Fact | None:
    """Write `opened` for a spec, once. Returns the new fact, or None where this spec had opened the set already.

    Raises:
        Refused: K other trained candidates have opened the set, or the ledger is not whole; nothing is then written.
        Tampered: answers to this very question lie here already, though it never opened the set.
    """
    with project.lock("opening", what="the opening of an eval set"):
        facts = ledger.read()
        if spec.adapter is None:
            if facts.of("opened", set=frozen.sha256, spec=spec.sha256, adapter=None):
                return None
            if not facts.of("opened", spec=spec.sha256):  # the same rows may have been frozen twice
                _refuse_planted(project, spec)
        else:
            refuse_spoilt(project, facts, frozen)
            counted = openings(project, facts, frozen, question)
            if spec.sha256 in counted.made:
                return None
            if counted.used_by_others(spec.sha256) >= counted.allowed:
                raise all_spent(counted, frozen)
            _refuse_planted(project, spec)
        return ledger.write(
            "opened",
            {
                "set": frozen.sha256,
                "spec": spec.sha256,
                "role": spec.role,
                "adapter": spec.adapter,
                "prompt": spec.prompt_sha256,
                "form": spec.form,
                "max_new_tokens": spec.decoding.max_new_tokens,
            },
        )


def record(ledger: Ledger, run: Run, scores: Scores, question: Question, *, set_sha256: str | None, label: str) -> Fact:
    """Write `evaluated` for a closed run, once for the same answers and scores; returns the fact that stands."""
    spec = run.spec
    body: dict[str, object] = {
        "on": "set" if set_sha256 else "dev",
        "set": set_sha256,
        "rows": spec.rows_sha256,
        "n": len(scores.rows),
        "role": spec.role,
        "label": label,
        "spec": spec.sha256,
        "run": run.id,
        "base": spec.base_sha256,
        "adapter": spec.adapter,
        "prompt": spec.prompt_sha256,
        "rendered": spec.rendered_sha256,
        "form": spec.form,
        "max_new_tokens": spec.decoding.max_new_tokens,
        "answers": run.closed,
        **({"counts": run.counts} if run.counts is not None else {}),
        "grader": question.grader,
        "scores": scores.sha256,
        "mean": decimal(scores.mean),
        "cut": scores.cut,
        "errors": scores.errors,
    }
    write_scores(run, scores)
    facts = ledger.read()
    said = {key: value for key, value in body.items() if key != "label"}
    standing = facts.of("evaluated", **said)
    return standing[0] if standing else ledger.write("evaluated", body)
