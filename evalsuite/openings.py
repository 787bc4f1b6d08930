"""Openings: who was shown the eval set, how often, and what came of it.

`opened` is written before the first answer, `evaluated` after the last. A trained candidate is (adapter, prompt, form,
decoding); its first run on the set is the one. Baselines write the same facts and never count toward K.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Facts, Ledger, decimal
from sluice.core.project import Project
from sluice.core.runs import Run, RunSpec, all_runs, rows_hash
from sluice.curate.leaks import find_leaks
from sluice.curate.similarity import Boilerplate, Relation
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import Scores, write_scores
from sluice.evalsuite.sets import all_sets


class Openings(BaseModel):
    """How many trained candidates a set has judged, and how many it may."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed: int
    """K."""
    candidates: tuple[str, ...]
    """Specs of the trained candidates that opened the set."""
    inherited: int
    """Candidates that opened an earlier set which shares rows with this one."""

    @property
    def used(self) -> int:
        """Openings that count."""
        return len(self.candidates) + self.inherited

    @property
    def divisor(self) -> int:
        """What alpha is divided by: K, or more where a merge brought more openings together."""
        return max(self.allowed, self.used)


def openings(project: Project, facts: Facts, frozen: FrozenSet, question: Question) -> Openings:
    """Count the openings of a set by trained candidates, those of earlier sets with shared rows among them."""
    own = _candidates(facts, frozen.sha256)
    inherited: set[str] = set()
    own |= _stored_here(project, frozen)
    for state in all_sets(project, facts):
        if state.sha256 == frozen.sha256 or state.frozen is None:
            continue
        earlier = _candidates(facts, state.sha256) - own
        if earlier and shares_rows(frozen, state.frozen):
            inherited |= earlier
    return Openings(allowed=question.openings, candidates=tuple(sorted(own)), inherited=len(inherited))


def shares_rows(one: FrozenSet, other: FrozenSet) -> bool:
    """Return whether any row of one set stands in the relation to a row of another."""
    relation = Relation(Boilerplate(ngrams=one.manifest.boilerplate))
    return bool(find_leaks(other.rows, one.rows, relation))


def _candidates(facts: Facts, set_sha256: str) -> set[str]:
    """Return the specs of trained candidates that opened a set, or were measured on it (guard sets)."""
    found = [*facts.of("opened", set=set_sha256), *facts.of("evaluated", set=set_sha256)]
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


def open_set(project: Project, ledger: Ledger, frozen: FrozenSet, question: Question, spec: RunSpec) -> Fact | None:
    """Write `opened` for a spec, once. Returns the new fact, or None where this spec had opened the set already.

    Raises Refused where K trained candidates have opened the set; nothing is then written.
    """
    with project.lock("opening", what="the opening of an eval set"):
        facts = ledger.read()
        if facts.of("opened", set=frozen.sha256, spec=spec.sha256, adapter=spec.adapter):
            return None
        if spec.adapter is not None:
            missing = [p.name for p in facts.problems if p.word == "absent"]
            if missing:
                raise Refused(
                    f"absent: {len(missing)} facts that others stand on are in no place, so openings cannot be counted",
                    where=missing[0],
                    remedy="copy ledger/ from where they were written",
                )
            counted = openings(project, facts, frozen, question)
            if spec.sha256 not in counted.candidates and counted.used >= counted.allowed:
                raise Refused(
                    f"all {counted.allowed} openings of the eval set '{frozen.name}' are spent",
                    where=f"evals/{frozen.folder.name}",
                    remedy='choose on dev, or freeze new rows: sluice freeze PART --as NAME --reason "..."',
                )
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
