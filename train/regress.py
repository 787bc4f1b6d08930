"""Did anything get worse? An adapter or the base against the recorded run on a guard set or on dev.

Judged not-worse at the margin and alpha .05, without K, as often as wanted: never evidence that tuning won.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.runs import Run, rows_hash
from sluice.evalsuite.asking import Form
from sluice.evalsuite.baselines.bench import Bench, bench, dev_facts, ranked_facts, stored_prompt
from sluice.evalsuite.compare import Comparison, compare_scores
from sluice.evalsuite.evaluate import Candidate, Place, find_place, is_record, measure_on, rescored
from sluice.evalsuite.models.identity import ModelFiles
from sluice.evalsuite.question import Question
from sluice.train.adapters import open_adapter
from sluice.train.judge import candidate_of


class Regression(BaseModel):
    """What a regression run found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    on: str
    word: str
    """`recorded` (there was nothing to compare with), `unchanged`, or the verdict's word."""
    comparison: Comparison | None
    exit_code: int


def regress(
    project: Project,
    what: str,
    files: ModelFiles,
    form: Form,
    *,
    on: str | None = None,
    margin: float | None = None,
    progress: Progress | None = None,
) -> Regression:
    """Compare `base` or an adapter with the run that is recorded for the base's best prompt on a guard set or dev.

    Raises InputError where no margin is given and sluice.toml has none, Refused for the eval set.
    """
    facts = Ledger(project).read()
    b = bench(project, files, form, facts)
    place = find_place(project, facts, on, final=False)
    margin = require_margin(b.question, margin)
    ranked = dev_facts(b, facts) or _of_another_model(facts, b)
    if not ranked:
        raise Refused("absent: no baseline is measured on dev", remedy="sluice baseline")
    limit = max(int(f.body["max_new_tokens"]) for f in ranked if f.body["prompt"] == ranked[0].body["prompt"])
    prompt = stored_prompt(project, ranked[0])
    base = Candidate(label=f"base, {prompt.name}", prompt=prompt, files=files, form=form, identity=b.identity)
    recorded = _recorded(facts, b, place, prompt, limit)
    if not recorded:
        measure_on(
            project,
            base,
            place,
            question=b.question,
            grader=b.grader,
            max_new_tokens=limit,
            role="baseline",
            progress=progress,
        )
        if what == "base":
            return Regression(what=what, on=place.name, word="recorded", comparison=None, exit_code=0)
        facts = Ledger(project).read()
        recorded = _recorded(facts, b, place, prompt, limit)
    before = rescored(project, b.grader, recorded[0], place.rows)
    candidate = base if what == "base" else candidate_of(open_adapter(project, what, facts), files, form, b.identity)
    measured = measure_on(
        project, candidate, place, question=b.question, grader=b.grader, max_new_tokens=limit, progress=progress
    )
    comparison = compare_scores(
        b.question.model_copy(update={"claim": "not-worse", "margin": f"{margin:.6f}", "alpha": "0.050000"}),
        (str(recorded[0].body["label"]), before),
        (measured.label, measured.scores),
        on=place.name,
        final=True,
        groups=place.groups,
    )
    old = Run(project.runs / str(recorded[0].body["run"])).answers()
    new = Run(project.runs / measured.run).answers()
    unchanged = {k: a.text for k, a in old.items()} == {k: a.text for k, a in new.items()}
    word = "unchanged" if unchanged else comparison.verdict.word
    return Regression(
        what=what,
        on=place.name,
        word=word,
        comparison=comparison,
        exit_code=0 if unchanged else comparison.verdict.exit_code,
    )


def require_margin(question: Question, margin: float | None) -> float:
    """Return the margin that is given, else the pinned one. Raises InputError where there is none."""
    margin = margin if margin is not None else question.margin_value
    if margin is None:
        raise InputError("how much may be lost is not said", where="sluice.toml [task]", remedy="--margin 0.05")
    return margin


def _recorded(facts: Facts, b: Bench, place: Place, prompt: Prompt, limit: int) -> list[Fact]:
    """Return what a base closed on the place under a prompt and limit, of today's base first, then of others."""
    found = facts.of(
        "evaluated",
        set=place.frozen.sha256 if place.frozen is not None else None,
        rows=rows_hash(row.row for row in place.rows),
        adapter=None,
        prompt=prompt.sha256,
        max_new_tokens=limit,
        grader=b.question.grader,
    )
    return sorted((f for f in found if is_record(f)), key=lambda f: f.body["base"] != b.base_sha256)


def _of_another_model(facts: Facts, b: Bench) -> list[Fact]:
    """Return what another base was measured with on dev, best first: the model has changed since."""
    return ranked_facts(
        b, facts.of("evaluated", on="dev", role="baseline", adapter=None, rows=b.dev_hash(), grader=b.question.grader)
    )
