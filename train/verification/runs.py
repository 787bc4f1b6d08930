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
from sluice.core.forgotten import Forgotten, told
from sluice.core.ledger import Fact, Facts, decimal
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt, rendered_hash
from sluice.core.rows import Example
from sluice.core.runs import Run, all_runs, answers_hash, counts_hash, rows_hash
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
        self.forgotten = Forgotten(facts)

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
                gone = self._forgotten(run)
                problem = None if gone is not None else _sealed(run)
                found[name] = gone or (tampered("run", name, problem) if problem else intact("run", name))
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
        gone = self._forgotten(run)
        if gone is not None:
            return gone
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

    def _forgotten(self, run: Run) -> Finding | None:
        """Return what is found of a run that rows were forgotten of; None where none were, or they are all here yet."""
        said = self.forgotten.run(run.id)
        if said is None:
            return None
        fact, entry = said
        name = _name(run.id)
        try:
            if run.closed is not None and run.closed == entry.get("was") != entry.get("answers"):
                return None
            run.check()
            answers = list(run.answers().values())
            prompt = Prompt.model_validate(run.spec.prompt).sha256 if run.spec.prompt else ""
            found = {
                "answers": answers_hash(answers),
                "counts": counts_hash(answers),
                "prompt": prompt,
                "rows": rows_hash(a.row for a in answers),
                "n": len(answers),
            }
        except (Tampered, ValueError, KeyError, TypeError) as problem:
            return tampered("run", name, f"what is left of it cannot be read: {problem}")
        if prompt == run.spec.prompt_sha256 != entry.get("prompt"):
            return None
        differing = [key for key, value in found.items() if entry.get(key) != value]
        if differing:
            return tampered("run", name, f"it is not what the forgetting left of it: {', '.join(differing)}")
        return self._left_scores(run, name, entry) or intact("run", name, f"answers to rows of it {told(fact)}")

    def _left_scores(self, run: Run, name: str, entry: dict[str, Any]) -> Finding | None:
        """Return what is wrong with the scores of what is left of a run, where they can be worked out again."""
        rows = next((f.rows for f in self.sets.values() if rows_hash(r.row for r in f.rows) == entry["rows"]), None)
        if rows is None:
            version = self.versions.with_rows(str(entry["rows"]), entry["n"])
            rows = None if version is None else tuple(version.examples())
        facts = [f for f in self.facts.of("evaluated", run=run.id) if is_record(f)]
        if rows is None or entry.get("scores") is None or self.today.grader is None or not facts:
            return None
        if self.today.problem(facts[-1].body["grader"]) is not None:
            return None
        try:
            scores = score_answers(self.today.grader, rows, run.answers())
        except InputError as problem:
            return tampered("run", name, problem.message)
        if (scores.sha256, decimal(scores.mean)) != (entry["scores"], entry["mean"]):
            return tampered("run", name, "what is left of its answers does not earn the scores on record")
        if _copy_differs(run, scores):
            return tampered("run", name, "scores.jsonl is not what the answers earn (evidence is not read from it)")
        return None

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
