"""References: answers of another system on the eval set's rows, imported from a file.

Today's production prompt on a hosted model, say. A reference can be what a claim is against; it never satisfies
prompt-baseline, since it does not show that this model needs tuning.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.errors import BadPath, InputError, Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Ledger, decimal
from sluice.core.project import Project
from sluice.core.rows import Example, input_hash, target_text
from sluice.core.runs import Decoding, Run, RunSpec, StoredAnswer, answers_hash, find_run, rows_hash
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.question import Question, pinned_question
from sluice.evalsuite.scoring import Scores, score_answers, write_scores

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def import_reference(
    project: Project, frozen: FrozenSet, question: Question, grader: Grader, name: str, file: Path, identity: str
) -> tuple[Fact, Scores]:
    """Read answers for every row of the eval set, score and record them.

    Args:
        file: JSONL, a line each: {"row": first 6 or more digits of its hash, "answer": ...}, or "input" in place of it.
        identity: what answered, as people would name it; declared, not proven.

    A name stands for one set of answers on a set, for good; the same answers can be recorded again under another
    grader.

    Raises:
        InputError: a row that has no answer, two answers, or is not in the set, each with its line.
        Refused: other answers are on record under this name.
        Tampered: the run that is here holds other answers than the file.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"'{name}' cannot name a reference", remedy="use lower-case letters, digits, dots, dashes")
    answers = _read(file, list(frozen.rows))
    spec = RunSpec(
        role="reference",
        label=name,
        base=identity,
        base_sha256=hashlib.sha256(f"declared {identity}".encode()).hexdigest(),
        adapter=None,
        prompt={},
        prompt_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        form="declared",
        decoding=Decoding(max_new_tokens=0),
        on=frozen.name,
        rows_sha256=rows_hash(r.row for r in frozen.rows),
        rendered_sha256="",
    )
    given = [StoredAnswer(row=r.row, input=r.input_hash, text=answers[r.row], stop="end") for r in frozen.rows]
    ledger = Ledger(project)
    recorded = ledger.read().of("reference", set=frozen.sha256, name=name)
    if any(f.body.get("answers") != answers_hash(given) for f in recorded):
        raise Refused(
            f"other answers are on record as the reference '{name}' on '{frozen.name}'",
            where=str(file),
            remedy="take another name: a reference does not change once it is on record",
        )
    run = find_run(project, spec) or Run.start(project, spec)
    run.check()
    stored = run.answers()
    for answer in given:
        if (answer.row, 0) not in stored:
            run.append(answer)
    digest = run.closed or run.close()
    if digest != answers_hash(given):
        raise Tampered("the stored answers are not those of the file", where=f".sluice/runs/{run.id}")
    scores = score_answers(grader, frozen.rows, run.answers())
    write_scores(run, scores)
    body = {
        "set": frozen.sha256,
        "name": name,
        "identity": identity,
        "spec": spec.sha256,
        "run": run.id,
        "answers": digest,
        "grader": question.grader,
        "scores": scores.sha256,
        "mean": decimal(scores.mean),
        "n": len(frozen.rows),
    }
    standing = [f for f in recorded if f.body == body]
    return (standing[0] if standing else ledger.write("reference", body)), scores


def reference_scores(project: Project, grader: Grader, frozen: FrozenSet, name: str) -> Scores:
    """Return the scores of a recorded reference under the pinned grader, from its stored answers.

    Where merged copies recorded several under one name, the best of them is the one to beat.

    Raises Refused where it is absent, or recorded under another grader only; Tampered where its answers are not those
    on record.
    """
    facts = Ledger(project).read()
    question, _ = pinned_question(facts, frozen.sha256)
    found = facts.of("reference", set=frozen.sha256, name=name, grader=question.grader)
    if not found:
        graded = " under the pinned grader" if facts.of("reference", set=frozen.sha256, name=name) else ""
        raise Refused(
            f"absent: no reference '{name}' is recorded on '{frozen.name}'{graded}",
            remedy=f"sluice baseline reference {name} --answers FILE",
        )
    sign = 1.0 if question.direction == "higher" else -1.0
    return max((_stored_scores(project, grader, frozen, fact) for fact in found), key=lambda s: sign * s.mean)


def _stored_scores(project: Project, grader: Grader, frozen: FrozenSet, fact: Fact) -> Scores:
    name = fact.body["name"]
    run = Run(project.runs / str(fact.body["run"]))
    if not (run.folder / "run.json").is_file():
        raise Refused(f"absent: the answers of the reference '{name}' are not in this copy", where=run.id)
    run.check()
    scores = score_answers(grader, frozen.rows, run.answers())
    if run.closed != fact.body["answers"] or scores.sha256 != fact.body["scores"]:
        raise Tampered(f"the answers of the reference '{name}' are not those on record", where=run.id)
    return scores


def _read(file: Path, rows: list[Example]) -> dict[str, str]:
    if not file.is_file():
        raise BadPath("no such file", where=str(file), remedy="name a JSONL file of answers")
    by_input = {r.input_hash: r.row for r in rows}
    found: dict[str, str] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{file.name}:{number}"
        try:
            record = parse_exact(line)
        except JsonProblem as problem:
            raise InputError(problem.reason, where=place, remedy="mend that line") from problem
        if not isinstance(record, dict) or "answer" not in record:
            raise InputError("a line without an answer", where=place, remedy='write {"row": "...", "answer": "..."}')
        row = _row_of(record, rows, by_input, place)
        if row in found:
            raise InputError("a second answer to the same row", where=place, remedy="keep one")
        found[row] = target_text(record["answer"]) or ""
    missing = [r.row[:10] for r in rows if r.row not in found]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(rows)} rows have no answer, for example {missing[0]}",
            where=str(file),
            remedy="answer every row of the eval set",
        )
    return found


def _row_of(record: dict[str, Any], rows: list[Example], by_input: dict[str, str], place: str) -> str:
    if isinstance(record.get("row"), str) and len(record["row"]) >= 6:
        fitting = [r.row for r in rows if r.row.startswith(record["row"].lower())]
        if len(fitting) == 1:
            return fitting[0]
        raise InputError(f"'{record['row']}' fits {len(fitting)} rows of the eval set", where=place, remedy="mend it")
    if isinstance(record.get("input"), dict):
        row = by_input.get(input_hash(record["input"]))
        if row is not None:
            return row
        raise InputError(
            "this input is not in the eval set", where=place, remedy="export the set's rows and answer them"
        )
    raise InputError("neither a row nor an input", where=place, remedy='write {"row": "...", "answer": "..."}')
