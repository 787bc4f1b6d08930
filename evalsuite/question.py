"""What is asked of an eval set: the task's grader, claim and openings, as one record that the ledger pins.

`current_question` reads today's sluice.toml; `pinned_question` reads what was claimed in the ledger. The two are
compared by the gate: nothing decides under a question that was never pinned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import canonical
from sluice.core.errors import InputError, Refused, SluiceError
from sluice.core.ledger import Fact, Facts, decimal
from sluice.core.project import Project
from sluice.core.standing import newest_facts
from sluice.core.task import ALPHA, LARGEST_MARGIN, GraderConfig, read_schema
from sluice.evalsuite.graders import GRADERS, Grader, grader_hash, make_grader

if TYPE_CHECKING:
    from sluice.core.evalset import SetManifest
    from sluice.evalsuite.stats.power import Kind

FEW_ROWS = 100  # below this, one opening


class Question(BaseModel):
    """What is asked of a frozen set. Numbers are decimal strings, as the ledger keeps them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    grader: str
    """Hash of the grader: its settings, its source and the project files that it imports."""
    kind: Literal["binary", "graded"]
    direction: Literal["higher", "lower"]
    low: str
    high: str
    right_at: str
    claim: Literal["better", "not-worse"]
    against: str
    margin: str | None
    target: str | None
    alpha: str
    openings: int
    """K: how many trained candidates may be judged on the set."""

    @property
    def score_range(self) -> tuple[float, float]:
        """The range of scores as numbers."""
        return float(self.low), float(self.high)

    @property
    def margin_value(self) -> float | None:
        """The margin as a number."""
        return None if self.margin is None else float(self.margin)

    @property
    def sha256(self) -> str:
        """The name of the question."""
        return hashlib.sha256(b"sluice/question/1\n" + canonical(self.model_dump(mode="json")).encode()).hexdigest()


def grader_config(project: Project) -> GraderConfig:
    """Return the settings of the primary grader: a `[[graders]]` entry of that name, else the built-in.

    Raises InputError where the metric is neither, with the near one.
    """
    metric = project.config.task.metric
    own = next((g for g in project.config.graders if g.name == metric), None)
    if own is not None:
        return own
    try:
        GRADERS.get(metric)
    except InputError as problem:
        raise InputError(problem.message, where="sluice.toml [task] metric", remedy=problem.remedy) from problem
    return GraderConfig(name=metric)


def task_grader(project: Project) -> Grader:
    """Make the primary grader. Raises InputError where it lacks a schema, rubric, choices or range."""
    task = project.config.task
    rubric = project.read_text(task.rubric, what="the rubric") if task.rubric else None
    return make_grader(grader_config(project), project.root, read_schema(project), rubric=rubric)


def task_problems(project: Project) -> Iterator[SluiceError]:
    """Yield what is wrong with what sluice.toml names: rubric, schema, prompt files, the primary grader.

    Only small files are read, so that verbs ask this before anything is loaded. Raises InputError where sluice.toml
    itself cannot be read.
    """
    task, prompts = project.config.task, project.config.prompts
    named = [(task.rubric, "the rubric"), *((name, "the prompt") for name in (*prompts.baseline, prompts.train))]
    said: set[str] = set()
    checks: list[Callable[[], object]] = [
        *(partial(project.read_text, name, what=what) for name, what in named if name),
        partial(read_schema, project),
        partial(grader_config, project),
        partial(task_grader, project),
    ]
    for check in checks:
        try:
            check()
        except SluiceError as problem:
            if str(problem) not in said:  # the grader reads rubric and schema, too
                said.add(str(problem))
                yield problem


def current_question(project: Project, n: int) -> tuple[Question, Grader]:
    """Return today's question about a set of n rows (or groups), and the grader.

    Raises InputError for a grader without what it declares it needs, and for not-worse without a margin.
    """
    task = project.config.task
    grader = task_grader(project)
    spec = grader.spec
    if task.claim == "not-worse" and task.margin is None:
        raise InputError("the claim not-worse needs a margin", where="sluice.toml [task]", remedy="add: margin = 0.05")
    if task.target is not None and not min(spec.range) <= task.target <= max(spec.range):
        raise InputError(
            f"the target {task.target:g} is outside the grader's range", where="sluice.toml [task]", remedy="mend it"
        )
    question = Question(
        metric=spec.name,
        grader=grader_hash(grader_config(project), project.root, read_schema(project)),
        kind=spec.kind,
        direction=spec.direction,
        low=decimal(spec.range[0]),
        high=decimal(spec.range[1]),
        right_at=decimal(spec.right_at),
        claim=task.claim,
        against=task.against,
        margin=None if task.margin is None else decimal(task.margin),
        target=None if task.target is None else decimal(task.target),
        alpha=decimal(task.alpha),
        openings=task.openings if task.openings is not None else (1 if n < FEW_ROWS else 3),
    )
    return question, grader


def deciding_rule(question: Question, manifest: SetManifest) -> tuple[Kind, int]:
    """Return which rule decides over a set, and over how many: with groups the graded one, over the groups."""
    return ("graded" if any(manifest.groups) else question.kind), manifest.independent()


def pinned_question(facts: Facts, set_sha256: str) -> tuple[Question, Fact]:
    """Return the question that is pinned for a set.

    Raises Refused where none is, or where two copies of the project pinned different ones and nobody chose.
    """
    newest = newest_facts(facts, claims_that_count(facts, set_sha256))
    if not newest:
        raise Refused("nothing is claimed of this eval set", where=set_sha256[:8], remedy="sluice freeze")
    questions = {Question.model_validate(f.body["question"]).sha256 for f in newest}
    if len(questions) > 1:
        raise Refused(
            "two copies of the project claimed different things of this eval set",
            where=set_sha256[:8],
            remedy='sluice freeze --reason "..."',
        )
    return Question.model_validate(newest[0].body["question"]), newest[0]


def claims_that_count(facts: Facts, set_sha256: str) -> list[Fact]:
    """Return the claims of a set that were made by the rules, parents first.

    Where the set was opened, what it was opened under counts before what another copy claimed meanwhile.
    """
    made = [f for f in facts.of("claimed", set=set_sha256) if claim_problem(facts, f) is None]
    asked: set[str] = set()
    for digest in _opened_by_candidates(facts, set_sha256):
        asked |= facts.ancestors(digest)
    return [f for f in made if f.hash in asked] or made


def claim_problem(facts: Facts, claim: Fact) -> str | None:
    """Return why a claim does not count, or None where it was made by the rules.

    A changed question needs a reason, and none counts that stands on an opening by a trained candidate.
    """
    if not _is_question(claim.body.get("question")):
        return "its question cannot be read"
    set_sha256 = str(claim.body.get("set"))
    under = facts.ancestors(claim.hash)
    if under & _opened_by_candidates(facts, set_sha256):
        return "a trained candidate had opened the set before it was claimed"
    earlier = any(f.hash in under and _is_question(f.body.get("question")) for f in facts.of("claimed", set=set_sha256))
    if earlier and not str(claim.body.get("reason") or "").strip():
        return "it changes the question and gives no reason"
    return None


def _opened_by_candidates(facts: Facts, set_sha256: str) -> set[str]:
    return {f.hash for f in facts.of("opened", set=set_sha256) if f.body.get("adapter")}


def _is_question(value: object) -> bool:
    try:
        question = Question.model_validate(value)
        return question.openings >= 1 and 0 < float(question.alpha) < 0.5 and float(question.low) < float(question.high)
    except ValueError:
        return False


def changed_keys(old: Question, new: Question) -> list[str]:
    """Return which parts of two questions differ."""
    left: dict[str, Any] = old.model_dump()
    right: dict[str, Any] = new.model_dump()
    return [key for key in left if left[key] != right[key]]


def loosened(question: Question) -> dict[str, str]:
    """Return the values that are looser than ours, which count as waivers: by rule name."""
    found: dict[str, str] = {}
    if float(question.alpha) > ALPHA:
        found["alpha"] = question.alpha
    if question.claim == "not-worse" and question.margin is not None and float(question.margin) > LARGEST_MARGIN:
        found["margin"] = question.margin
    return found
