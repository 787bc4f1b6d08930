"""Measure a candidate (an adapter, or the base under a prompt) on a part or a set, and record it.

Rows whose input is frozen are refused without `final`, under any name. On the eval set `opened` is written before the
first answer and `evaluated` after the last; a run that was cut is resumed, never started again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import Example
from sluice.core.runs import Run, find_run
from sluice.curate.dataset import open_dataset
from sluice.curate.leaks import find_leaks_in_texts
from sluice.curate.similarity import Boilerplate, Relation
from sluice.evalsuite.asking import Form, ModelOnDemand, Role, ask, spec_for
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.models.identity import ModelFiles
from sluice.evalsuite.openings import open_set, record
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import Scores, score_answers
from sluice.evalsuite.sets import SetState, frozen_inputs, named_set

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Candidate:
    """What is measured: the base under a prompt, or an adapter under the prompt of its certificate."""

    label: str
    prompt: Prompt
    files: ModelFiles
    form: Form
    adapter: Path | None = None
    adapter_sha256: str | None = None


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

    Raises Refused for the eval set without `final`, and for a part that holds rows of a frozen eval set.
    """
    ref = name or f"{project.config.task.data}/dev"
    state = named_set(project, facts, ref)
    if state is not None:
        return _set_place(state, final=final)
    version = open_dataset(project, ref)
    rows = version.examples()
    held = frozen_inputs(project, facts)
    inside = [r for r in rows if r.input_hash in held]
    if inside:
        set_name = held[inside[0].input_hash]
        raise Refused(
            f"{len(inside)} of {len(rows)} rows belong to the eval set '{set_name}', for example {inside[0].row[:10]}",
            where=version.ref,
            remedy=f"measure on dev, or open the set itself: --on {set_name} --final",
        )
    groups = version.groups()
    return Place(
        name=version.dataset if version.dataset != f"{project.config.task.data}/dev" else "dev",
        rows=tuple(rows),
        frozen=None,
        guard=False,
        groups={r.input_hash: tuple(groups.get(r.row) or ()) for r in rows},
    )


def _set_place(state: SetState, *, final: bool) -> Place:
    guard = bool(state.fact.body["guard"])
    if not guard and not final:
        raise Refused(
            f"'{state.name}' is the eval set; answering it is an opening",
            remedy="measure on dev, or say so with --final",
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
        Refused: an eval row in the prompt or its examples; all openings spent.
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
    )
    model = ModelOnDemand(candidate.files, candidate.form, candidate.adapter, progress)
    decides = place.frozen is not None and not place.guard
    standing = find_run(project, spec)
    if standing is None or standing.closed is None:
        if decides and place.frozen is not None:
            refuse_leaks(place.frozen, candidate.prompt)
        if candidate.adapter is not None:
            model().adapter_is_on([candidate.prompt.render(r.input) for r in place.rows[:2]])
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


def refuse_leaks(frozen: FrozenSet, prompt: Prompt) -> None:
    """Raise Refused where a text of the prompt holds an eval row."""
    relation = Relation(Boilerplate(ngrams=frozen.manifest.boilerplate))
    leaks = find_leaks_in_texts(prompt.texts(), frozen.rows, relation)
    if leaks:
        raise Refused(
            f"the prompt holds an eval row ({leaks[0].eval_row[:10]}: {leaks[0].span!r})",
            where=str(leaks[0].row),
            remedy="take it out of the prompt",
        )


def rescored(project: Project, grader: Grader, fact: Fact, rows: Sequence[Example]) -> Scores:
    """Score the stored answers of a recorded run again. Raises Refused (absent), Tampered (other answers or scores)."""
    from sluice.core.errors import Tampered

    run = Run(project.runs / str(fact.body["run"]))
    if not (run.folder / "run.json").is_file():
        raise Refused(
            f"absent: the answers of '{fact.body['label']}' are not in this copy", where=f".sluice/runs/{run.id}"
        )
    run.check()
    if run.closed != fact.body["answers"]:
        raise Tampered("the stored answers are not those on record", where=f".sluice/runs/{run.id}")
    if run.spec.sha256 != fact.body["spec"]:
        raise Tampered("run.json is not what is on record", where=f".sluice/runs/{run.id}")
    scores = score_answers(grader, rows, run.answers())
    if scores.sha256 != fact.body["scores"]:
        raise Tampered("the stored answers do not earn the scores on record", where=f".sluice/runs/{run.id}")
    return scores


def closed_facts(facts: Facts, **body: object) -> list[Fact]:
    """Return the `evaluated` facts with the given body, parents first."""
    return facts.of("evaluated", **body)


def require_rows(place: Place) -> None:
    """Raise InputError for a place without rows: zero rows is a failure, never a pass."""
    if not place.rows:
        raise InputError("there is no row to measure on", where=place.name, remedy="sluice split")
