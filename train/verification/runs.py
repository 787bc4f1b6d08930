"""Stored answers: each recorded run against its facts, and every score computed again from the answers.

A run is asked for its question (run.json), its prompt, its answers and the seal over them; then the task's grader of
today grades the answers again, where it is the grader that is on record. Runs that no fact names are held against
their own seal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.core.errors import InputError, Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.files import read_lines
from sluice.core.ledger import Fact, Facts, decimal
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt, rendered_hash
from sluice.core.rows import Example
from sluice.core.runs import Run, all_runs, rows_hash
from sluice.evalsuite.evaluate import is_record, recorded_problem, rescored
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.scoring import Scores, score_answers
from sluice.train.verification.finding import Finding, absent, intact, tampered
from sluice.train.verification.grader import TodaysGrader
from sluice.train.verification.versions import Versions

_REFERENCE = {"run": str, "name": str, "set": str, "answers": str, "spec": str, "scores": str, "grader": str}
_REFERENCE |= {"mean": str, "n": int}
_ORDER = {"tampered": 0, "absent": 1, "intact": 2}


class Runs:
    """Checks every run that facts name, and those that none does."""

    def __init__(
        self,
        project: Project,
        facts: Facts,
        sets: dict[str, FrozenSet],
        versions: Versions,
        today: TodaysGrader,
        progress: Progress | None = None,
    ):
        self.project = project
        self.facts = facts
        self.sets = sets
        self.versions = versions
        self.progress = progress
        self.today = today

    def check(self) -> list[Finding]:
        """Return one finding a run."""
        named = [*self.facts.of("evaluated"), *self.facts.of("reference")]
        found: dict[str, Finding] = {}
        for i, fact in enumerate(named):
            if self.progress:
                self.progress("scoring stored answers again", i, len(named))
            finding = self._fact(fact)
            before = found.get(finding.name)
            if before is None or _ORDER[finding.word] < _ORDER[before.word]:
                found[finding.name] = finding
        for run in all_runs(self.project):
            name = _name(run.id)
            if name not in found:
                problem = _sealed(run)
                found[name] = tampered("run", name, problem) if problem else intact("run", name)
        return list(found.values())

    def _fact(self, fact: Fact) -> Finding:
        reference = fact.kind == "reference"
        if not (_is_reference(fact) if reference else is_record(fact)):
            return tampered(
                "fact", f"{fact.kind} {fact.hash[:10]}", "it is no record of a run: a key is missing or odd"
            )
        run = Run(self.project.runs / str(fact.body["run"]))
        name = _name(run.id)
        label = str(fact.body["name" if reference else "label"])
        if not (run.folder / "run.json").is_file():
            return absent("run", name, f"the answers of '{label}' are not in this copy")
        problem = _sealed(run) or recorded_problem(self.project, run, fact)
        if problem:
            return tampered("run", name, problem)
        rows = self._rows(fact, run)
        if rows is None:
            return absent("run", name, f"the rows that '{label}' answered are not whole in this copy: not scored again")
        if not reference and rendered_hash(
            Prompt.model_validate(run.spec.prompt).render(r.input) for r in sorted(rows, key=lambda r: r.row)
        ) != fact.body.get("rendered"):
            return tampered("run", name, "its prompt does not render to the messages on record")
        why = self.today.problem(fact.body["grader"])
        if self.today.grader is None or why is not None:
            return absent("run", name, f"answers are as recorded, but '{label}' cannot be scored again: {why}")
        return self._score(fact, run, name, rows, self.today.grader)

    def _rows(self, fact: Fact, run: Run) -> Sequence[Example] | None:
        digest = fact.body.get("set")
        if digest is not None:
            frozen = self.sets.get(str(digest))
            rows: Sequence[Example] | None = None if frozen is None else frozen.rows
        else:
            n = fact.body.get("n")
            version = self.versions.with_rows(run.spec.rows_sha256, n if isinstance(n, int) else None)
            rows = None if version is None else version.examples()
        if rows is None or rows_hash(r.row for r in rows) != run.spec.rows_sha256:
            return None
        return rows

    def _score(self, fact: Fact, run: Run, name: str, rows: Sequence[Example], grader: Grader) -> Finding:
        try:
            if fact.kind == "evaluated":
                scores = rescored(self.project, grader, fact, rows)
            else:
                scores = score_answers(grader, rows, run.answers())
        except (Tampered, InputError) as problem:
            return tampered("run", name, problem.message)
        except Refused as problem:
            return absent("run", name, problem.message)
        body = fact.body
        said: dict[str, Any] = {"scores": scores.sha256, "mean": decimal(scores.mean), "n": len(scores.rows)}
        if fact.kind == "evaluated":
            said |= {"cut": scores.cut, "errors": scores.errors}
        differing = [key for key, value in said.items() if body[key] != value]
        if differing:
            return tampered("run", name, f"its fact says otherwise than its answers: {', '.join(differing)}")
        if _copy_differs(run, scores):
            return tampered("run", name, "scores.jsonl is not what the answers earn (evidence is not read from it)")
        return intact("run", name)


def _is_reference(fact: Fact) -> bool:
    """Return whether a `reference` fact has every key that it is read by."""
    shaped = all(isinstance(fact.body.get(key), kind) for key, kind in _REFERENCE.items())
    return shaped and not {"/", "\\"} & set(fact.body["run"])


def _name(run: str) -> str:
    return f".sluice/runs/{run}"


def _sealed(run: Run) -> str | None:
    """Return what of a run is not what was sealed, its prompt included; an open run has no seal."""
    try:
        run.check()
        spec = run.spec
        run.answers()
    except Tampered as problem:
        return problem.message
    except (ValueError, KeyError, TypeError):
        return "closed.json cannot be read"
    if not spec.prompt:
        return None
    try:
        prompt = Prompt.model_validate(spec.prompt)
        return None if prompt.sha256 == spec.prompt_sha256 else "the prompt in run.json is not the one that was asked"
    except ValueError:
        return "the prompt in run.json cannot be read"


def _copy_differs(run: Run, scores: Scores) -> bool:
    """Return whether the log for `compare A B` holds other scores than the answers earn; a missing one does not."""
    file = run.folder / "scores.jsonl"
    if not file.is_file():
        return False
    named = scores.rows
    held = [line for line in read_lines(file) if "input" in line]
    if not any("row" in line for line in held):  # written before lines named their row
        named = scores.inputs
    earned = [
        (name, scores.spec.worst if grade.score is None else grade.score, str(grade.answer_class))
        for name, grade in zip(named, scores.grades, strict=True)
    ]
    key = "row" if named is scores.rows else "input"
    said = [(str(line.get(key)), line.get("score"), line.get("class")) for line in held]
    return sorted(said, key=repr) != sorted(earned, key=repr)
