"""What baselines are measured with, and what stands on record of them: the best, and the room that answers are given.

Reads facts and datasets; asks no model and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from sluice.core.errors import InputError, Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.forgotten import Forgotten
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.paths import default_cache_dir
from sluice.core.project import Project
from sluice.core.prompt import ChatMessages, Prompt
from sluice.core.rows import Example
from sluice.core.runs import Run, rows_hash
from sluice.curate.dataset import has_dataset, open_dataset
from sluice.curate.leaks.eval_side import relation_of
from sluice.curate.leaks.find import find_leaks_in_texts
from sluice.evalsuite.asking import Form
from sluice.evalsuite.baselines.compose import all_prompts, few_shot, train_prompt, zero_shot
from sluice.evalsuite.evaluate import is_record
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.models.identity import ModelFiles, ModelIdentity, identify
from sluice.evalsuite.question import Question, changed_keys, current_question, pinned_question
from sluice.evalsuite.sets import require_set

SHORTEST_LIMIT = 96  # tokens that every answer may take
CUT_SHARE = 0.05
MOVED = 0.01


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
    _showing: dict[str, bool] = field(default_factory=dict[str, bool], compare=False, repr=False)

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
        return self._first_limit

    @cached_property
    def _first_limit(self) -> int:
        lengths = [len(self.tokenizer.encode(r.target, add_special_tokens=False)) for r in self.dev if r.target]  # type: ignore[attr-defined]
        return max(SHORTEST_LIMIT, 2 * max(lengths, default=0))

    def shows_eval_row(self, fact: Fact) -> bool:
        """Return whether the prompt of a recorded run holds a row of the eval set, which may be frozen since.

        False where the run is absent or tampered with: that is said where its scores are read.
        """
        digest = str(fact.body["prompt"])
        if digest not in self._showing:
            try:
                texts = stored_prompt(self.project, fact).texts()
            except (Refused, Tampered):
                return False
            self._showing[digest] = bool(find_leaks_in_texts(texts, self.frozen.rows, relation_of(self.frozen)))
        return self._showing[digest]

    def fits(self, fact: Fact) -> bool:
        """Return whether the prompt of a recorded run can be asked of today's rows; True where it is not here."""
        try:
            prompt = stored_prompt(self.project, fact)
        except (Refused, Tampered):
            return True
        try:
            for row in (*self.dev, *self.frozen.rows):
                prompt.render(row.input)
        except InputError:
            return False
        return True

    def prompts(self) -> list[Prompt]:
        """Return every prompt that must be measured on dev today."""
        return all_prompts(self.project, self.dev, self.train, self.room(self.first_limit()))

    def zero_shot(self) -> Prompt:
        """Return the composed prompt without examples of today."""
        return zero_shot(self.project, [*self.dev, *self.train])

    def train_prompt(self) -> Prompt:
        """Return the prompt that adapters are trained under today."""
        return train_prompt(self.project, [*self.dev, *self.train])

    def few_shot(self) -> Prompt:
        """Return the composed few-shot prompt of today."""
        return few_shot(self.project, self.dev, self.train, self.room(self.first_limit()))


def require_asked(project: Project, facts: Facts | None = None) -> tuple[FrozenSet, Question, Grader]:
    """Return the eval set that decides, what is asked of it, and the grader: all that is needed but a model.

    It reads small files only, so that verbs ask it before a library for models is loaded.

    Raises:
        Refused: no frozen eval set, or today's question is not the pinned one.
        InputError: no dev part, or no train part.
    """
    facts = facts or Ledger(project).read()
    frozen = require_set(project, facts)
    question, _ = pinned_question(facts, frozen.sha256)
    today, grader = current_question(project, frozen.manifest.independent())
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
    return frozen, question, grader


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

    Raises as `require_asked`.
    """
    from sluice.evalsuite.models.local import load_tokenizer, tokens_that_fit

    frozen, question, grader = require_asked(project, facts)
    data = project.config.task.data
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
        identity=identity or identify(files, default_cache_dir()),
        context=tokens_that_fit(files, tokenizer),
    )


def dev_facts(b: Bench, facts: Facts) -> list[Fact]:
    """Return what was ever closed on dev by a baseline of this base, form, dev rows and grader, best first.

    Runs with less room than the first limit are left out: nobody's prompt is measured by answers that were cut short.
    So are prompts that hold a row of an eval set which was frozen after them, and those whose texts were forgotten:
    they cannot be measured on it.
    """
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
    can_be_asked = [f for f in ranked_facts(b, found) if not prompt_was_forgotten(facts, f)]
    return [f for f in _with_room(b, can_be_asked) if not b.shows_eval_row(f)]


def prompt_was_forgotten(facts: Facts, fact: Fact) -> bool:
    """Return whether texts of the prompt of a recorded run were erased: nobody can ask it again."""
    said = Forgotten(facts).run(str(fact.body.get("run")))
    return said is not None and said[1].get("prompt") != fact.body.get("prompt")


def owed_on_dev(b: Bench, facts: Facts) -> list[Fact]:
    """Return, a prompt each, what was ever closed on other dev rows, with less room, or under another grader only.

    The best is the best of all ever closed, so these are to be measured again on the dev rows of today. Prompts that
    hold an eval row, or do not fit the fields of today's rows, cannot be.
    """
    ever = facts.of("evaluated", on="dev", role="baseline", adapter=None, base=b.base_sha256, form=b.form.name)
    standing = {str(f.body["prompt"]) for f in dev_facts(b, facts)}
    owed = {str(f.body["prompt"]): f for f in ranked_facts(b, ever) if str(f.body["prompt"]) not in standing}
    askable = [f for f in owed.values() if not prompt_was_forgotten(facts, f)]
    return [f for f in askable if not b.shows_eval_row(f) and b.fits(f)]


def _with_room(b: Bench, found: list[Fact]) -> list[Fact]:
    return [f for f in found if int(f.body["max_new_tokens"]) >= b.first_limit()]


def ranked_facts(b: Bench, found: list[Fact]) -> list[Fact]:
    """Return `evaluated` facts, best first; those that are no record of a run are left out."""
    sign = -1.0 if b.question.direction == "higher" else 1.0
    records = [f for f in found if is_record(f)]
    return sorted(records, key=lambda f: (sign * float(f.body["mean"]), int(f.body["max_new_tokens"]), f.body["spec"]))


def set_facts(b: Bench, facts: Facts) -> list[Fact]:
    """Return what baselines of this base and form ever closed on the eval set, best first, with whatever room."""
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


def stored_prompt(project: Project, fact: Fact) -> Prompt:
    """Return the prompt of a recorded run from its folder.

    Raises Refused where the run is absent here, Tampered where its prompt is not the one on record.
    """
    run = fact_run(project, fact)
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
