"""Measure a candidate (an adapter, or the base under a prompt) on a part or a set, and record it.

Rows whose input is frozen are refused without `final`, under any name. On the eval set `opened` is written before the
first answer and `evaluated` after the last; a run that was cut is resumed, never started again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Facts, Ledger, decimal
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import Example
from sluice.core.runs import Run, find_run, rows_hash
from sluice.curate.dataset import open_dataset
from sluice.curate.leaks.eval_side import relation_of
from sluice.curate.leaks.find import find_leaks_in_texts
from sluice.evalsuite.asking import Form, ModelOnDemand, Role, ask, spec_for
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.models.identity import ModelFiles, ModelIdentity
from sluice.evalsuite.openings import open_set, record
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import Scores, score_answers
from sluice.evalsuite.sets import SetState, deciding_set, folder_name, named_set, rows_in_sets

_DECIMAL = re.compile(r"-?\d{1,9}\.\d{6}")
_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Candidate:
    """What is measured: the base under a prompt, or an adapter under the prompt of its certificate."""

    label: str
    prompt: Prompt
    files: ModelFiles
    form: Form
    adapter: Path | None = None
    adapter_sha256: str | None = None
    identity: ModelIdentity | None = None
    """Of the model's files, where it is known already."""


@dataclass(frozen=True)
class Place:
    """Where it is measured: a part, a guard set or the eval set."""

    name: str
    rows: tuple[Example, ...]
    frozen: FrozenSet | None
    guard: bool
    groups: dict[str, tuple[str, ...]]
    """Group values by input hash."""


class Measured(BaseModel):
    """One candidate on one place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    on: str
    run: str
    fact: str
    scores: Scores


def find_place(project: Project, facts: Facts, name: str | None, *, final: bool) -> Place:
    """Return the rows that a name means: a set's, or a part's (by default dev).

    Raises Refused for the eval set without `final`, for one that does not decide, for a part that holds rows of a
    frozen eval set, and for a part where an eval set is not whole here.
    """
    ref = name or f"{project.config.task.data}/dev"
    state = named_set(project, facts, ref)
    if state is not None:
        place = set_place(state, final=final)
        if not place.guard:
            decides = deciding_set(project, facts)
            if decides is None or decides.sha256 != state.sha256:
                raise Refused(
                    f"'{state.name}' is an eval set that no longer decides: nothing is judged on it",
                    where=f"evals/{folder_name(state.name, state.sha256)}",
                    remedy="sluice status names the one that does",
                )
        else:
            _refuse_eval_rows(project, facts, place.rows, state.name)
        return place
    version = open_dataset(project, ref)
    rows = version.examples()
    _refuse_eval_rows(project, facts, rows, version.ref)
    groups = version.groups()
    return Place(
        name=version.dataset if version.dataset != f"{project.config.task.data}/dev" else "dev",
        rows=tuple(rows),
        frozen=None,
        guard=False,
        groups={r.input_hash: tuple(groups.get(r.row) or ()) for r in rows},
    )


def _refuse_eval_rows(project: Project, facts: Facts, rows: Sequence[Example], where: str) -> None:
    held = rows_in_sets(project, facts, rows)
    if held:
        row, set_name = next(iter(held.items()))
        raise Refused(
            f"{len(held)} of {len(rows)} rows belong to the eval set '{set_name}' or repeat its rows, for example "
            f"{row[:10]}",
            where=where,
            remedy=f"measure on dev, or open the set itself: --on {set_name} --final",
        )


def set_place(state: SetState, *, final: bool) -> Place:
    """Return a set as a place. Raises Refused for the eval set without `final`, and for one that is not whole here."""
    guard = bool(state.fact.body["guard"])
    if not guard and not final:
        raise Refused(
            f"'{state.name}' is the eval set; answering it is an opening",
            remedy="measure on dev; an adapter is judged by: sluice compare ADAPTER --final",
        )
    if state.frozen is None:
        raise Refused(f"the set '{state.name}' is {state.word}: {state.reason}", remedy="git checkout evals")
    return Place(
        name=state.name,
        rows=state.frozen.rows,
        frozen=state.frozen,
        guard=guard,
        groups=state.frozen.groups_by_input(),
    )


def measure_on(
    project: Project,
    candidate: Candidate,
    place: Place,
    *,
    question: Question,
    grader: Grader,
    max_new_tokens: int,
    role: Role = "eval",
    progress: Progress | None = None,
) -> Measured:
    """Answer a place's rows, score and record them; what is already closed is only scored again.

    Raises:
        Refused: an eval row in the prompt or its examples, on dev too; all openings spent.
        Tampered: a trained candidate's answers lie here, though it never opened the set.
        SurroundingsError: the adapter changes nothing (no run is made), or the model cannot be loaded.
    """
    ledger = Ledger(project)
    spec = spec_for(
        candidate.files,
        candidate.form,
        candidate.prompt,
        place.rows,
        role=role,
        on=place.name,
        max_new_tokens=max_new_tokens,
        adapter=candidate.adapter_sha256,
        identity=candidate.identity,
    )
    model = ModelOnDemand(candidate.files, candidate.form, spec.base_sha256, candidate.adapter, progress)
    decides = place.frozen is not None and not place.guard
    standing = find_run(project, spec)
    if standing is None or standing.closed is None:
        asked = place.frozen if decides else _deciding(project, ledger)
        if asked is not None:
            refuse_leaks(asked, candidate.prompt, candidate.files.chat_template)
        if candidate.adapter is not None:
            tried = _dev_rows(project) if decides else place.rows  # nothing sees the eval set before it is opened
            model().adapter_is_on([candidate.prompt.render(r.input) for r in tried[:2]])
    if decides and place.frozen is not None:
        open_set(project, ledger, place.frozen, question, spec)
    run = ask(project, model, spec, candidate.prompt, list(place.rows), progress=progress)
    scores = score_answers(grader, place.rows, run.answers())
    fact = record(
        ledger,
        run,
        scores,
        question,
        set_sha256=place.frozen.sha256 if place.frozen is not None else None,
        label=candidate.label,
    )
    return Measured(label=candidate.label, on=place.name, run=run.id, fact=fact.hash, scores=scores)


def _dev_rows(project: Project) -> Sequence[Example]:
    return open_dataset(project, f"{project.config.task.data}/dev").examples()


def _deciding(project: Project, ledger: Ledger) -> FrozenSet | None:
    state = deciding_set(project, ledger.read())
    return None if state is None else state.frozen


def refuse_leaks(frozen: FrozenSet, prompt: Prompt, chat_template: str | None = None) -> None:
    """Raise Refused where a text of the prompt, or the chat template that the user named, holds an eval row."""
    named = prompt.texts() | ({} if chat_template is None else {"[model] chat_template": chat_template})
    leaks = find_leaks_in_texts(named, frozen.rows, relation_of(frozen))
    if leaks:
        raise Refused(
            f"the prompt holds an eval row ({leaks[0].eval_row[:10]}: {leaks[0].span!r})",
            where=str(leaks[0].row),
            remedy="take it out of the prompt, or drop the training row that it shows: sluice decontaminate",
        )


_FROM_SPEC = {
    "role": "role",
    "base": "base_sha256",
    "adapter": "adapter",
    "prompt": "prompt_sha256",
    "rendered": "rendered_sha256",
    "form": "form",
    "rows": "rows_sha256",
}
_TEXTS = ("run", "label", "spec", "answers", "grader", "scores", "mean", "base", "prompt", "rendered", "form", "rows")
_COUNTS = ("n", "cut", "errors", "max_new_tokens")


def is_record(fact: Fact) -> bool:
    """Return whether an `evaluated` fact has every key that it is read by; one without satisfies nothing."""
    body = fact.body
    if not all(isinstance(body.get(key), str) for key in _TEXTS):
        return False
    if not all(isinstance(body.get(key), int) for key in _COUNTS) or not _DECIMAL.fullmatch(body["mean"]):
        return False
    return _RUN_ID.fullmatch(body["run"]) is not None


def recorded_problem(project: Project, run: Run, fact: Fact) -> str | None:
    """Return where a closed run and the `evaluated` or `reference` fact of it disagree; None where they agree."""
    spec, body = run.spec, fact.body
    if run.closed is None:
        return "the run is recorded, but closed.json is gone"
    if run.closed != body["answers"]:
        return "the stored answers are not those on record"
    if spec.sha256 != body["spec"]:
        return "run.json is not the question on record"
    if fact.kind == "reference":
        return None
    differing = [key for key, name in _FROM_SPEC.items() if body.get(key) != getattr(spec, name)]
    if body.get("max_new_tokens") != spec.decoding.max_new_tokens:
        differing.append("max_new_tokens")
    if differing:
        return f"its fact says otherwise than run.json: {', '.join(differing)}"
    if run.counts == body.get("counts", run.counts):  # facts of before these were sealed have none
        return None
    facts = Ledger(project).read(write_back=False)  # a run that was made again has other seconds, on record as well
    if any(f.body.get("counts") == run.counts for f in facts.of("evaluated", run=run.id)):
        return None
    return "tokens or seconds of the stored answers are not those on record"


def rescored(project: Project, grader: Grader, fact: Fact, rows: Sequence[Example]) -> Scores:
    """Score the stored answers of a recorded run again; a fact's numbers are held against what comes out.

    Raises:
        Refused: the run is absent in this copy.
        Tampered: run.json, answers or scores are not what is on record, or the fact says other things than its run.
    """
    run = Run(project.runs / str(fact.body["run"]))
    where = f".sluice/runs/{run.id}"
    if not (run.folder / "run.json").is_file():
        raise Refused(f"absent: the answers of '{fact.body['label']}' are not in this copy", where=where)
    run.check()
    problem = recorded_problem(project, run, fact)
    if problem is not None:
        raise Tampered(problem, where=where)
    if rows_hash(row.row for row in rows) != run.spec.rows_sha256:
        raise Tampered("the run is over other rows", where=where)
    scores = score_answers(grader, rows, run.answers())
    found = {"n": len(scores.rows), "cut": scores.cut, "errors": scores.errors, "mean": decimal(scores.mean)}
    if scores.sha256 != fact.body["scores"] or any(fact.body[key] != value for key, value in found.items()):
        raise Tampered("the stored answers do not earn the scores on record", where=where)
    return scores
