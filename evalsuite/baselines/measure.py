"""Measure the baselines that the gate asks for: every prompt on dev, then the best on the eval set.

What stands already is not run again; a baseline is stale only when its rendered messages, the model, the form or the
grader change. `standing` reads what is on record (the gate and the verdict use it too); `measure` makes what lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.project import Project
from sluice.core.prompt import ChatMessages, Prompt
from sluice.core.rows import Example
from sluice.core.runs import Run, rows_hash
from sluice.curate.dataset import has_dataset, open_dataset
from sluice.evalsuite.asking import Form, ModelOnDemand, ask, spec_for
from sluice.evalsuite.baselines.compose import all_prompts, few_shot
from sluice.evalsuite.evaluate import is_record, refuse_leaks, rescored
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.models.identity import ModelFiles, ModelIdentity, identify
from sluice.evalsuite.openings import open_set, record
from sluice.evalsuite.question import Question, changed_keys, current_question, pinned_question
from sluice.evalsuite.scoring import Scores, score_answers
from sluice.evalsuite.sets import require_set
from sluice.evalsuite.stats.rates import Rate

if TYPE_CHECKING:
    from sluice.evalsuite.models.local import LocalModel

SHORTEST_LIMIT = 96  # tokens that every answer may take
CUT_SHARE = 0.05
MOVED = 0.01
Progress = Callable[[str, int, int], None]


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
    constant: float | None
    """Mean score on dev of always giving dev's most frequent answer; None where rows have no targets."""


@dataclass(frozen=True)
class Bench:
    """What baselines are measured with."""

    project: Project
    frozen: FrozenSet
    question: Question
    grader: Grader
    dev: list[Example]
    train: list[Example]
    files: ModelFiles
    form: Form
    tokenizer: object
    identity: ModelIdentity
    context: int
    """Tokens that fit, prompt and answer together."""

    @property
    def base_sha256(self) -> str:
        """Identity of the base model."""
        return self.identity.sha256

    def dev_hash(self) -> str:
        """Hash over the dev rows."""
        return rows_hash(r.row for r in self.dev)

    def count(self, messages: ChatMessages) -> int:
        """Return the tokens of rendered messages."""
        from sluice.evalsuite.models.template import prompt_ids

        return len(prompt_ids(self.tokenizer, messages, self.files.chat_template))

    def room(self, limit: int) -> Callable[[ChatMessages], bool]:
        """Return a test for whether messages leave room for `limit` new tokens."""
        return lambda messages: self.count(messages) + limit <= self.context

    def first_limit(self) -> int:
        """Return max(96, twice the longest dev target), in tokens."""
        lengths = [len(self.tokenizer.encode(r.target, add_special_tokens=False)) for r in self.dev if r.target]  # type: ignore[attr-defined]
        return max(SHORTEST_LIMIT, 2 * max(lengths, default=0))

    def prompts(self) -> list[Prompt]:
        """Return every prompt that must be measured on dev today."""
        return all_prompts(self.project, self.dev, self.train, self.room(self.first_limit()))

    def few_shot(self) -> Prompt:
        """Return the composed few-shot prompt of today."""
        return few_shot(self.project, self.dev, self.train, self.room(self.first_limit()))


def _context(files: ModelFiles, tokenizer: Any) -> int:
    from transformers import AutoConfig

    from sluice.evalsuite.models.local import context_length

    loader: Any = AutoConfig
    config = loader.from_pretrained(str(files.folder), local_files_only=True, trust_remote_code=False)
    return context_length(config, tokenizer)


def bench(
    project: Project,
    files: ModelFiles,
    form: Form,
    facts: Facts | None = None,
    *,
    identity: ModelIdentity | None = None,
) -> Bench:
    """Collect what baselines are measured with.

    Args:
        identity: of the model's files, where they were hashed already.

    Raises:
        Refused: no frozen eval set, or today's question is not the pinned one.
        InputError: no dev part, or no train part.
    """
    from sluice.evalsuite.models.local import load_tokenizer

    facts = facts or Ledger(project).read()
    frozen = require_set(project, facts)
    question, _ = pinned_question(facts, frozen.sha256)
    grouped = {g for g in frozen.manifest.groups if g}
    today, grader = current_question(project, len(grouped) or len(frozen.rows))
    changed = changed_keys(question, today)
    if changed:
        raise Refused(
            f"what is asked has changed since the set was frozen ({', '.join(changed)})",
            where="sluice.toml",
            remedy='sluice freeze --reason "why", or set it back',
        )
    data = project.config.task.data
    for part, why in (("dev", "choices are made on dev, never on the eval set"), ("train", "it gives the examples")):
        if not has_dataset(project, f"{data}/{part}"):
            raise InputError(f"there is no dataset '{data}/{part}': {why}", remedy=f"sluice split {data}")
    tokenizer = load_tokenizer(files)
    return Bench(
        project=project,
        frozen=frozen,
        question=question,
        grader=grader,
        dev=open_dataset(project, f"{data}/dev").examples(),
        train=open_dataset(project, f"{data}/train").examples(),
        files=files,
        form=form,
        tokenizer=tokenizer,
        identity=identity or identify(files),
        context=_context(files, tokenizer),
    )


def dev_facts(b: Bench, facts: Facts) -> list[Fact]:
    """Return what was ever closed on dev by a baseline of this base, form, dev rows and grader, best first."""
    found = facts.of(
        "evaluated",
        on="dev",
        role="baseline",
        adapter=None,
        base=b.base_sha256,
        form=b.form.name,
        rows=b.dev_hash(),
        grader=b.question.grader,
    )
    return ranked_facts(b, found)


def ranked_facts(b: Bench, found: list[Fact]) -> list[Fact]:
    """Return `evaluated` facts, best first; those that are no record of a run are left out."""
    sign = -1.0 if b.question.direction == "higher" else 1.0
    records = [f for f in found if is_record(f)]
    return sorted(records, key=lambda f: (sign * float(f.body["mean"]), int(f.body["max_new_tokens"]), f.body["spec"]))


def set_facts(b: Bench, facts: Facts) -> list[Fact]:
    """Return what baselines of this base and form closed on the eval set, best first."""
    found = facts.of(
        "evaluated",
        set=b.frozen.sha256,
        role="baseline",
        adapter=None,
        base=b.base_sha256,
        form=b.form.name,
        grader=b.question.grader,
    )
    return ranked_facts(b, found)


def next_limit(b: Bench, facts: Facts) -> tuple[Fact, int | None, bool]:
    """Return the best on dev, the limit it must be run again with (None: none), and whether it does not stop.

    While over 5% of the best one's answers are cut, it is to be run with twice the room, until they are not, or its
    score moves by less than 0.01, or the context is full.
    """
    ranked = dev_facts(b, facts)
    if not ranked:
        raise Refused("no prompt is measured on dev", remedy="sluice baseline")
    best = ranked[0]
    by_limit = {int(f.body["max_new_tokens"]): f for f in ranked if f.body["prompt"] == best.body["prompt"]}
    same = [by_limit[limit] for limit in sorted(by_limit)]
    last = same[-1]
    limit = int(last.body["max_new_tokens"])
    if int(last.body["cut"]) <= CUT_SHARE * int(last.body["n"]):
        return best, None, False
    low, high = b.question.score_range
    if len(same) > 1 and abs(float(last.body["mean"]) - float(same[-2].body["mean"])) < MOVED * (high - low):
        return best, None, True
    if 2 * limit + SHORTEST_LIMIT > b.context:
        return best, None, True
    return best, 2 * limit, False


def reached_limit(b: Bench, facts: Facts) -> int:
    """Return the limit on new tokens that eval set and adapter use: the largest that the best prompt was given."""
    ranked = dev_facts(b, facts)
    if not ranked:
        return b.first_limit()
    prompt = ranked[0].body["prompt"]
    return max(int(f.body["max_new_tokens"]) for f in ranked if f.body["prompt"] == prompt)


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
    model = ModelOnDemand(files, form, progress=progress)
    limit = b.first_limit()
    by_hash: dict[str, Prompt] = {}
    prompts = b.prompts()
    for prompt in prompts:
        refuse_leaks(b.frozen, prompt)
    for prompt in prompts:
        by_hash[prompt.sha256] = prompt
        run_on_dev(b, ledger, model, prompt, limit, progress)
    while True:
        best, again, _ = next_limit(b, ledger.read())
        if again is None:
            break
        run_on_dev(b, ledger, model, by_hash.get(str(best.body["prompt"])) or stored_prompt(b, best), again, progress)
    facts = ledger.read()
    best = dev_facts(b, facts)[0]
    limit = reached_limit(b, facts)
    for prompt in (by_hash.get(str(best.body["prompt"])) or stored_prompt(b, best), b.few_shot()):
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
    refuse_leaks(b.frozen, prompt)
    spec = spec_for(
        b.files, b.form, prompt, rows, role="baseline", on=b.frozen.name, max_new_tokens=limit, identity=b.identity
    )
    open_set(b.project, ledger, b.frozen, b.question, spec)
    run = ask(b.project, model, spec, prompt, rows, progress=_named(progress, f"eval set, {prompt.name}"))
    scores = score_answers(b.grader, rows, run.answers())
    return record(ledger, run, scores, b.question, set_sha256=b.frozen.sha256, label=prompt.name)


def stored_prompt(b: Bench, fact: Fact) -> Prompt:
    """Return the prompt of a recorded run from its folder.

    Raises Refused where the run is absent here, Tampered where its prompt is not the one on record.
    """
    run = fact_run(b.project, fact)
    try:
        prompt = Prompt.model_validate(run.spec.prompt)
    except ValueError as problem:
        raise Tampered("the prompt in run.json cannot be read", where=f".sluice/runs/{run.id}") from problem
    if prompt.sha256 != fact.body["prompt"]:
        raise Tampered("the prompt in run.json is not the one that was asked", where=f".sluice/runs/{run.id}")
    return prompt


def fact_run(project: Project, fact: Fact) -> Run:
    """Return the run that a fact speaks of. Raises Refused (absent) where its folder is not here."""
    run = Run(project.runs / str(fact.body["run"]))
    if not (run.folder / "run.json").is_file():
        raise Refused(
            f"absent: the answers of '{fact.body['label']}' are not in this copy",
            where=f".sluice/runs/{run.id}",
            remedy="copy .sluice/runs from where it was measured, or: sluice baseline",
        )
    return run


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
        constant=None if constant is None else constant.mean,
    )


def constant_scores(grader: Grader, dev: Sequence[Example], rows: Sequence[Example]) -> Scores | None:
    """Return the scores of always giving dev's most frequent target, or None where dev has no targets."""
    from collections import Counter

    from sluice.core.runs import StoredAnswer

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
