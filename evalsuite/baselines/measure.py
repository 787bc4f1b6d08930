"""Measure baselines: every prompt on dev, the best of them and the composed few-shot on the eval set.

A baseline is stale only when its rendered messages, the model, the form, the dev rows, the limit or the grader
change. `standing` reads what is on record (what it means is `bench`); `measure` makes what lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import Example
from sluice.core.runs import StoredAnswer
from sluice.evalsuite.asking import Form, ModelOnDemand, ask, spec_for
from sluice.evalsuite.baselines.bench import (
    Bench,
    bench,
    dev_facts,
    next_limit,
    owed_on_dev,
    prompt_was_forgotten,
    ranked_facts,
    reached_limit,
    set_facts,
    stored_prompt,
)
from sluice.evalsuite.evaluate import refuse_leaks, rescored
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.models.identity import ModelFiles
from sluice.evalsuite.openings import open_set, record
from sluice.evalsuite.scoring import Scores, score_answers
from sluice.evalsuite.stats.rates import Rate

if TYPE_CHECKING:
    from sluice.evalsuite.models.local import LocalModel


class Line(BaseModel):
    """One baseline as it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    on: str
    """`dev` or the name of the eval set."""
    rate: Rate
    lenient: float | None
    classes: dict[str, int]
    prompt_tokens: float
    seconds: float
    """A row."""
    max_new_tokens: int
    run: str


class Baselines(BaseModel):
    """All baselines of one base and form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    form: str
    dev: tuple[Line, ...]
    eval: tuple[Line, ...]
    best: str
    """Label of the best on dev."""
    max_new_tokens: int
    """The limit that eval set and adapters use."""
    does_not_stop: bool
    """Over 5% of the best one's answers are cut although more room changed nothing."""
    constant: Rate | None
    """Score on dev of always giving dev's most frequent answer; None where rows have no targets."""


def measure(project: Project, files: ModelFiles, form: Form, *, progress: Progress | None = None) -> Baselines:
    """Measure all that the gate asks for and lacks: on dev, then the best and the composed few-shot on the eval set.

    Repeating it is safe and cheap: closed runs are kept, cut runs go on where they were.

    Raises:
        Refused: as `bench`; a prompt that holds an eval row, of which nothing is then measured.
        InputError: as `bench`.
        SurroundingsError: the model cannot be loaded, or memory ends.
    """
    b = bench(project, files, form)
    ledger = Ledger(project)
    model = ModelOnDemand(files, form, b.base_sha256, progress=progress)
    limit = b.first_limit()
    prompts = check_prompts(b)
    check_template(b, prompts)
    by_hash = {prompt.sha256: prompt for prompt in prompts}

    def prompt_of(fact: Fact) -> Prompt:
        """Return a recorded prompt: of today's, which are at hand, the run may be lost."""
        return by_hash.get(str(fact.body["prompt"])) or stored_prompt(project, fact)

    for fact in owed_on_dev(b, ledger.read()):
        by_hash.setdefault(str(fact.body["prompt"]), prompt_of(fact))
    for prompt in by_hash.values():
        run_on_dev(b, ledger, model, prompt, limit, progress)
    for fact in _graded_otherwise(b, ledger.read()):
        run_on_set(b, ledger, model, prompt_of(fact), int(fact.body["max_new_tokens"]), progress)
    while True:
        best, again, _ = next_limit(b, ledger.read())
        if again is None:
            break
        run_on_dev(b, ledger, model, prompt_of(best), again, progress)
    limit = reached_limit(b, ledger.read())
    for prompt in (prompt_of(best), b.few_shot()):
        run_on_set(b, ledger, model, prompt, limit, progress)
    facts = ledger.read()
    body = {
        "set": b.frozen.sha256,
        "base": b.base_sha256,
        "form": form.name,
        "best": best.body["spec"],
        "max_new_tokens": limit,
        "dev": sorted(f.hash for f in dev_facts(b, facts)),
        "eval": sorted(f.hash for f in set_facts(b, facts)),
    }
    if not any(f.body == body for f in facts.of("baseline", set=b.frozen.sha256)):
        ledger.write("baseline", body)
    return standing(b, ledger.read())


def _graded_otherwise(b: Bench, facts: Facts) -> list[Fact]:
    """Return what was closed on the eval set under another grader only: stored answers are graded again."""
    asked: dict[str, str | None] = {"set": b.frozen.sha256, "base": b.base_sha256, "form": b.form.name}
    ever = facts.of("evaluated", role="baseline", adapter=None, **asked)
    graded = {f.body["spec"] for f in set_facts(b, facts)}
    askable = [f for f in here(b, ranked_facts(b, ever)) if not prompt_was_forgotten(facts, f)]
    return [f for f in askable if f.body["spec"] not in graded]


def check_prompts(b: Bench) -> list[Prompt]:
    """Return every prompt that is to be measured, once each is found fit for dev and the eval set.

    Raises Refused for a prompt that holds an eval row, InputError for one that does not fit the fields of some row.
    """
    prompts = b.prompts()
    for prompt in prompts:
        refuse_leaks(b.frozen, prompt, b.files.chat_template)
        for row in (*b.dev, *b.frozen.rows):
            prompt.render(row.input)
    return prompts


def check_template(b: Bench, prompts: Sequence[Prompt]) -> None:
    """Raise InputError where the model's chat template drops a turn of a prompt: it would be measured without it."""
    from sluice.evalsuite.models.template import carries, prompt_text

    for prompt in prompts:
        for row in (*b.dev, *b.frozen.rows):
            messages = prompt.render(row.input)
            if not carries(prompt_text(b.tokenizer, messages, b.files.chat_template), messages):
                raise InputError(
                    f"the chat template loses a turn of the prompt '{prompt.name}': the model would not see it",
                    where=b.files.name,
                    remedy="name one that keeps every turn: chat_template under [model]",
                )


def run_on_dev(
    b: Bench,
    ledger: Ledger,
    model: Callable[[], LocalModel],
    prompt: Prompt,
    limit: int,
    progress: Progress | None,
) -> Fact:
    """Answer dev under a prompt and record it."""
    spec = spec_for(
        b.files, b.form, prompt, b.dev, role="baseline", on="dev", max_new_tokens=limit, identity=b.identity
    )
    run = ask(b.project, model, spec, prompt, b.dev, progress=_named(progress, f"dev, {prompt.name}"))
    scores = score_answers(b.grader, b.dev, run.answers())
    return record(ledger, run, scores, b.question, set_sha256=None, label=prompt.name)


def run_on_set(
    b: Bench,
    ledger: Ledger,
    model: Callable[[], LocalModel],
    prompt: Prompt,
    limit: int,
    progress: Progress | None,
) -> Fact:
    """Answer the eval set under a prompt and record it: `opened` before, `evaluated` after."""
    rows = list(b.frozen.rows)
    refuse_leaks(b.frozen, prompt, b.files.chat_template)
    spec = spec_for(
        b.files, b.form, prompt, rows, role="baseline", on=b.frozen.name, max_new_tokens=limit, identity=b.identity
    )
    open_set(b.project, ledger, b.frozen, b.question, spec)
    run = ask(b.project, model, spec, prompt, rows, progress=_named(progress, f"eval set, {prompt.name}"))
    scores = score_answers(b.grader, rows, run.answers())
    return record(ledger, run, scores, b.question, set_sha256=b.frozen.sha256, label=prompt.name)


def line_of(b: Bench, fact: Fact, rows: Sequence[Example], on: str) -> Line:
    """Return a recorded baseline as a line, scored from its stored answers."""
    scores = rescored(b.project, b.grader, fact, rows)
    return Line(
        label=str(fact.body["label"]),
        on=on,
        rate=scores.rate,
        lenient=scores.total.lenient_mean,
        classes={str(k): v for k, v in scores.total.classes.items()},
        prompt_tokens=round(scores.prompt_tokens, 1),
        seconds=round(scores.seconds, 3),
        max_new_tokens=int(fact.body["max_new_tokens"]),
        run=str(fact.body["run"]),
    )


def here(b: Bench, some: Sequence[Fact]) -> list[Fact]:
    """Return those recorded runs whose answers are in this copy."""
    return [f for f in some if (b.project.runs / str(f.body["run"]) / "run.json").is_file()]


def standing(b: Bench, facts: Facts) -> Baselines:
    """Return the baselines on record as they stand, scored from stored answers; absent ones are left out.

    Raises Tampered where a run is not what was recorded.
    """
    best, _, endless = next_limit(b, facts)
    latest: dict[str, Fact] = {}
    for fact in sorted(here(b, dev_facts(b, facts)), key=lambda f: int(f.body["max_new_tokens"])):
        latest[str(fact.body["prompt"])] = fact
    asked = {str(f.body["spec"]): f for f in here(b, set_facts(b, facts))}
    dev = [line_of(b, f, b.dev, "dev") for f in latest.values()]
    on_set = [line_of(b, f, b.frozen.rows, b.frozen.name) for f in asked.values()]
    constant = constant_scores(b.grader, b.dev, b.dev)
    sign = 1.0 if b.question.direction == "higher" else -1.0
    return Baselines(
        base=b.files.name,
        form=b.form.name,
        dev=tuple(sorted(dev, key=lambda line: -sign * line.rate.estimate)),
        eval=tuple(on_set),
        best=str(best.body["label"]),
        max_new_tokens=reached_limit(b, facts),
        does_not_stop=endless,
        constant=None if constant is None else constant.rate,
    )


def constant_scores(grader: Grader, dev: Sequence[Example], rows: Sequence[Example]) -> Scores | None:
    """Return the scores of always giving dev's most frequent target, or None where dev has no targets."""
    counts = Counter(r.target for r in dev if r.target)
    if not counts:
        return None
    most = max(counts.values())
    text = min(t for t, n in counts.items() if n == most)
    answers = {(r.row, 0): StoredAnswer(row=r.row, input=r.input_hash, text=text, stop="end") for r in rows}
    return score_answers(grader, rows, answers)


def _named(progress: Progress | None, what: str) -> Progress | None:
    if progress is None:
        return None
    return lambda _what, done, total: progress(what, done, total)
