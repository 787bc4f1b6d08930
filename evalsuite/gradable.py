"""Can a person grade the outputs from the written task? Thirty dev answers, blind, right or wrong.

Twenty answers of the best baseline, five rows' own targets and five targets of other rows, shuffled by a seed that
nobody chose. Each decision is appended to `decisions/` as it is made; when all thirty are there, the fact `graded` says
how the person did. It shows texts to nobody: the terminal does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError, Refused, Tampered
from sluice.core.files import append_line, read_lines
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.core.runs import rows_hash
from sluice.curate.labels.choose import written_task
from sluice.curate.labels.log import own_file
from sluice.curate.labels.record import new_id, now
from sluice.evalsuite.baselines.bench import Bench, dev_facts, fact_run
from sluice.evalsuite.graders import Grader, grade_answer
from sluice.evalsuite.scoring import plain_input

ANSWERS, OWN_TARGETS, OTHER_TARGETS = 20, 5, 5
CONTROLS_NEEDED = 9
AGREEMENT_NEEDED = 0.8
Source = Literal["answer", "own-target", "other-target"]
Word = Literal["right", "wrong"]


@dataclass(frozen=True)
class Item:
    """One answer to grade. The grader of flesh sees input and answer, never the source."""

    id: str
    row: Example
    answer: str
    source: Source
    expected: Word
    """What the task's own grader says of it (`right` where the score is at least what it declares as right)."""


class Grading(BaseModel):
    """How far a grading has come, and how it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    done: int
    of: int
    by: str
    controls_right: int
    controls: int
    agree: int
    answers: int
    holds: bool
    """All are graded, at least 9 of 10 controls rightly, at least 80% agreement on the answers."""
    fact: str | None = None


def require_baseline(facts: Facts) -> None:
    """Raise Refused where no baseline at all is on record, whose answers could be graded."""
    if not facts.of("evaluated", on="dev", role="baseline"):
        raise Refused("there is no baseline on dev whose answers could be graded", remedy="sluice baseline")


def items(b: Bench, facts: Facts) -> list[Item]:
    """Return the thirty answers of today's dev part and best baseline, in the order they are shown.

    Raises:
        InputError: dev has too few rows or targets.
        Refused: no baseline is measured on dev, or its answers are not in this copy.
        Tampered: its answers are not those on record.
    """
    ranked = dev_facts(b, facts)
    if not ranked:
        raise Refused("there is no baseline on dev whose answers could be graded", remedy="sluice baseline")
    best = ranked[0]
    run = fact_run(b.project, best)
    run.check()
    answers = run.answers()
    if run.closed != best.body["answers"]:
        raise Tampered("the stored answers are not those on record", where=f".sluice/runs/{run.id}")
    texts = {row.row: answers[(row.row, 0)].text for row in b.dev}
    return draw_items(b.dev, texts, str(best.body["spec"]), b.grader)


def draw_items(dev: Sequence[Example], answers: Mapping[str, str], spec: str, grader: Grader) -> list[Item]:
    """Return the thirty answers of a dev part and a run, in the order they are shown; the same for the same run.

    Args:
        answers: the run's answer to each row, by row hash.
        spec: hash of the run's spec.

    Raises InputError where dev has too few rows or targets.
    """
    seed = f"{rows_hash(r.row for r in dev)} {spec}"
    rows = sorted(dev, key=lambda r: _draw(seed, r.row))
    with_target = [r for r in rows if r.target]
    if len(rows) < ANSWERS or len(with_target) < OWN_TARGETS + OTHER_TARGETS:
        raise InputError(
            f"dev has {len(rows)} rows, {len(with_target)} with a target; {ANSWERS} rows and "
            f"{OWN_TARGETS + OTHER_TARGETS} targets are needed to grade blind",
            remedy='split a larger dev part, or: sluice waive gradable --reason "..."',
        )
    found = [_item(grader, seed, r, answers[r.row], "answer") for r in rows[:ANSWERS]]
    backwards = with_target[::-1]
    own, others = backwards[:OWN_TARGETS], backwards[OWN_TARGETS : OWN_TARGETS + OTHER_TARGETS]
    found += [_item(grader, seed, r, r.target or "", "own-target") for r in own]
    for row in others:
        if all(o.target == row.target for o in with_target):
            raise InputError("all dev rows have one and the same target", remedy="collect rows that differ")
        wrong = next((o for o in _after(with_target, row) if _expected(grader, row, o.target or "") == "wrong"), None)
        if wrong is None:
            raise InputError("the grader calls every other target right", where=row.row[:10], remedy="mend the grader")
        found.append(_item(grader, seed, row, wrong.target or "", "other-target"))
    return sorted(found, key=lambda i: _draw(seed, i.id))


def _after(rows: Sequence[Example], row: Example) -> list[Example]:
    at = next(i for i, r in enumerate(rows) if r.row == row.row)
    return [*rows[at + 1 :], *rows[:at]]


def _draw(seed: str, word: str) -> str:
    return hashlib.sha256(f"sluice/grading/1 {seed} {word}".encode()).hexdigest()


def _expected(grader: Grader, row: Example, answer: str) -> Word:
    grade = grade_answer(grader, input=plain_input(row), target=row.target, answer=answer, cut=False)
    return "right" if grade.score is not None and grader.spec.is_right(grade.score) else "wrong"


def _item(grader: Grader, seed: str, row: Example, answer: str, source: Source) -> Item:
    identity = _draw(seed, f"{row.row} {source} {hashlib.sha256(answer.encode()).hexdigest()}")[:16]
    return Item(id=identity, row=row, answer=answer, source=source, expected=_expected(grader, row, answer))


def wanted(item: Item) -> Word:
    """Return the word that speaks for the task: of a control what is true, of an answer what the grader says."""
    if item.source == "answer":
        return item.expected
    return "right" if item.source == "own-target" else "wrong"


def items_hash(listed: Sequence[Item]) -> str:
    """Return the hash over which answers were graded."""
    return hashlib.sha256(" ".join(sorted(i.id for i in listed)).encode()).hexdigest()


def decide_item(project: Project, item: Item, word: Word, *, by: str, seconds: float) -> None:
    """Append one decision. Nothing is overwritten: the last word of a person on an item counts."""
    record: dict[str, Any] = {
        "id": new_id(),
        "kind": "grade",
        "item": item.id,
        "row": item.row.row,
        "word": word,
        "by": by,
        "seconds": round(seconds, 1),
        "time": now(),
    }
    append_line(own_file(project, by, of="grades"), dump_exact(record))


def decisions(project: Project, by: str | None = None) -> dict[tuple[str, str], Word]:
    """Return the last word of each person on each item, as (item, by) to word; the order of files is irrelevant."""
    return {key: words[-1] for key, words in all_decisions(project).items() if by is None or key[1] == by}


def all_decisions(project: Project) -> dict[tuple[str, str], list[Word]]:
    """Return every word of each person on each item, as (item, by) to words, the earliest first."""
    records: list[dict[str, Any]] = []
    if project.decisions.is_dir():
        for file in sorted(project.decisions.glob("*.jsonl")):
            records += [r for r in read_lines(file) if r.get("kind") == "grade"]
    found: dict[tuple[str, str], list[Word]] = {}
    for record in sorted(records, key=lambda r: (str(r.get("time")), str(r.get("id")))):
        if record.get("word") in ("right", "wrong"):
            found.setdefault((str(record.get("item")), str(record.get("by"))), []).append(record["word"])
    return found


def state(b: Bench, listed: Sequence[Item], by: str) -> Grading:
    """Return how far one person's grading has come."""
    words = {item: word for (item, who), word in decisions(b.project, by).items() if who == by}
    graded = [i for i in listed if i.id in words]
    controls = [i for i in graded if i.source != "answer"]
    answers = [i for i in graded if i.source == "answer"]
    controls_right = sum(words[i.id] == wanted(i) for i in controls)
    agree = sum(words[i.id] == wanted(i) for i in answers)
    complete = len(graded) == len(listed)
    return Grading(
        done=len(graded),
        of=len(listed),
        by=by,
        controls_right=controls_right,
        controls=len(controls),
        agree=agree,
        answers=len(answers),
        holds=complete and controls_right >= CONTROLS_NEEDED and agree >= AGREEMENT_NEEDED * ANSWERS,
    )


def seal(b: Bench, facts: Facts, listed: Sequence[Item], by: str) -> Grading:
    """Write the fact `graded` once all items are graded, and return how the grading stands."""
    standing = state(b, listed, by)
    if standing.done < standing.of:
        return standing
    best = dev_facts(b, facts)[0]
    body: dict[str, Any] = {
        "dev": b.dev_hash(),
        "spec": best.body["spec"],
        "answers": best.body["answers"],
        "grader": b.question.grader,
        "items": items_hash(listed),
        "by": by,
        "controls": standing.controls,
        "controls_right": standing.controls_right,
        "graded": standing.answers,
        "agree": standing.agree,
        "written_task": written_task(b.project),
    }
    known = next((f for f in facts.of("graded") if f.body == body), None)
    fact: Fact = known or Ledger(b.project).write("graded", body, by=by)
    return standing.model_copy(update={"fact": fact.hash})
