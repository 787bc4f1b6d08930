"""Collect what the gate judges: facts, sets, baselines, leaks, rendered rows, the quality report.

Everything here is read from files and recomputed; nothing is believed because a fact says so. The result is plain
data, so that the rules are pure. A missing piece is None with the reason beside it, never an empty list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.core.errors import InputError, Refused, SluiceError
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.part_sizes import size_options
from sluice.core.paths import default_cache_dir
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import Example
from sluice.core.task import read_schema
from sluice.curate.audit import AuditReport, audit_rows
from sluice.curate.checks import CheckContext
from sluice.curate.checks.choice import checks_of
from sluice.curate.dataset import Version, has_dataset, open_dataset, versions
from sluice.curate.leaks.eval_side import relation_of
from sluice.curate.leaks.find import Leak
from sluice.curate.pairs.audit import PairAudit
from sluice.curate.similar.clusters import similarity_clusters
from sluice.curate.similar.similarity import Relation
from sluice.evalsuite.asking import Form
from sluice.evalsuite.baselines.bench import Bench, bench
from sluice.evalsuite.models.identity import ModelFiles, identify
from sluice.evalsuite.openings import all_spent, foreign_problem, openings
from sluice.evalsuite.question import changed_keys, current_question, pinned_question
from sluice.evalsuite.sets import SetState, deciding_set
from sluice.train.baseline_evidence import BaselineEvidence, collect_baselines
from sluice.train.grading_evidence import GradingEvidence, collect_grading
from sluice.train.label_evidence import LabelEvidence, collect_labels
from sluice.train.leak_evidence import collect_leaks
from sluice.train.render import Rendered
from sluice.train.training_rows import OF_TASK, LengthLimit, composed_prompt, length_limit, render_rows
from sluice.train.waivers import OF_ROWS, form_problem, rows_problem


@dataclass(frozen=True)
class Evidence:
    """All that the gate sees."""

    method: str
    task: str
    dataset: str
    data: str
    train: tuple[Example, ...]
    train_version: str
    train_remedy: str
    """The command that makes the training rows, where there are none."""
    base: str
    base_sha256: str
    form: str
    facts: Facts
    ledger_problems: tuple[str, ...]
    set_state: SetState | None
    set_problem: str | None
    """Why no eval set decides, or why the question is not the pinned one, with the remedy."""
    set_remedy: str | None
    clusters: tuple[tuple[str, ...], ...] | None
    lacking: tuple[str, ...] | None
    """Eval rows that lack what the grader needs; None where there is no set, or no question is pinned."""
    baselines: BaselineEvidence | None
    baseline_problem: str | None
    baseline_remedy: str | None
    leaks: tuple[Leak, ...] | None
    text_leaks: tuple[Leak, ...] | None
    rendered: tuple[tuple[str, Rendered], ...] | None
    """Row hash and rendered row, in training order; None where it could not be rendered."""
    render_problem: str | None
    max_tokens: int
    """Most tokens of a training row: `[task] max_tokens`, or what the model reads where that is less."""
    limit_of: str
    """Which of the two it is, in words."""
    grading: GradingEvidence | None
    report: AuditReport | None
    bench: Bench | None
    prompt: Prompt | None
    target: float | None
    waived: tuple[Fact, ...]
    """Waivers of this task and dataset that the rows they were given for bear out."""
    void_waivers: tuple[str, ...] = ()
    """Which waivers are left out, and why."""
    needs: tuple[str, ...] | None = None
    """What an answer is said to take beside its input (`[task] needs`); None where nobody has said."""
    loosened: dict[str, str] = field(default_factory=dict)
    pairs: PairAudit | None = None
    """The audit of the training rows, where they are preference pairs."""
    spent: tuple[str, ...] = ()
    """What is said where all openings of the set are spent: no verdict on what is trained now is possible."""
    labels: tuple[LabelEvidence, ...] = ()
    """How far people agree on the labels of training and eval rows, by question; empty where nobody labelled any."""


def collect(
    project: Project,
    files: ModelFiles | None,
    form: Form | None,
    *,
    method: str = "sft",
    dataset: str | None = None,
    rows: Sequence[Example] | None = None,
    version: Version | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Evidence:
    """Collect the evidence for training on a dataset (by default the task's train part).

    Args:
        files: the model to be tuned, None before there are rows that it could be tuned on; so with `form`.
        rows: exactly the rows that will be trained on; the spine passes those it has read and hashed.
        fresh: recompute every hash of the model's files.

    Without a dataset named, the task's train part may be missing: each rule then says what it needs first.
    Raises InputError where there is no such dataset, or a row of another kind than the method trains on.
    """
    task = project.config.task
    name = dataset or f"{task.data}/train"
    if version is None and (dataset is not None or has_dataset(project, name)):
        version = open_dataset(project, name)
    train = tuple(rows if rows is not None else version.checked_examples() if version is not None else ())
    ledger = Ledger(project)
    facts = ledger.read()
    identity = None if files is None else identify(files, default_cache_dir(), use_cache=not fresh)
    state, problem, remedy = _set(project, facts)
    lacking: tuple[str, ...] | None = None
    if state is not None and state.frozen is not None and problem is None:
        lacking, problem, remedy = _question(project, facts, state.frozen)
    b: Bench | None = None
    base_problem, base_remedy = None, None
    if files is None or form is None:
        base_problem, base_remedy = f"there is no dataset '{name}' yet", _way_to(project, name)
    elif name.split("@")[0].split(":")[0] != f"{task.data}/train":
        base_problem = f"the few-shot prompt shows rows of {task.data}/train, and {name} is another dataset"
        base_remedy = f"add its rows to {task.data} and split again, or set [task] data"
    elif state is not None and state.frozen is not None:
        try:
            b = bench(project, files, form, facts, identity=identity)
        except (Refused, InputError) as error:
            base_problem, base_remedy = error.message, error.remedy
    relation = relation_of(state.frozen) if state is not None and state.frozen else Relation()
    if progress:
        progress("looking for eval rows in the training rows", 0, 0)
    leaks, text_leaks = collect_leaks(project, state, relation, train, version, b)
    prompt = b.train_prompt() if b is not None else composed_prompt(project, train)
    rendered, render_problem = None, None
    limit = LengthLimit(task.max_tokens, OF_TASK)
    if files is not None:
        try:
            limit = length_limit(project, files, None if b is None else b.tokenizer)
            rendered = render_rows(project, files, train, prompt, progress=progress)
        except InputError as error:
            render_problem = str(error)
    baselines = None
    if b is not None:
        try:
            baselines = collect_baselines(b, facts)
        except SluiceError as error:
            base_problem, base_remedy = error.message, error.remedy
    sound, void = _waivers(project, facts, version.dataset if version is not None else name)
    return Evidence(
        method=method,
        task=task.name,
        dataset=version.dataset if version is not None else name,
        data=task.data,
        train=train,
        train_version=version.hash if version is not None else "",
        train_remedy=_way_to(project, name),
        base=project.config.model.base if files is None else files.name,
        base_sha256="" if identity is None else identity.sha256,
        form="" if form is None else form.name,
        facts=facts,
        ledger_problems=_ledger_problems(project, facts, state),
        set_state=state,
        set_problem=problem,
        set_remedy=remedy,
        clusters=_clusters(state, relation),
        lacking=lacking,
        baselines=baselines,
        baseline_problem=base_problem,
        baseline_remedy=base_remedy,
        leaks=leaks,
        text_leaks=text_leaks,
        rendered=rendered,
        render_problem=render_problem,
        max_tokens=limit.tokens,
        limit_of=limit.of,
        grading=collect_grading(project, b, facts),
        report=_report(project, train, state, relation, version, rendered, limit.tokens, progress),
        bench=b,
        prompt=prompt,
        target=task.target,
        waived=tuple(sound),
        void_waivers=tuple(void),
        needs=None if task.needs is None else tuple(task.needs),
        loosened=_loosened(b),
        spent=_spent(project, facts, b),
        labels=collect_labels(project, train, state.frozen if state is not None else None),
    )


def _waivers(project: Project, facts: Facts, dataset: str) -> tuple[list[Fact], list[str]]:
    """Return the waivers for a dataset, and why others do not count.

    Where the value speaks of rows, they must be those of a version of this dataset that lies here.
    """
    sound: list[Fact] = []
    void: list[str] = []
    here = [v for v in versions(project, dataset) if v.is_here] if has_dataset(project, dataset) else []
    for fact in facts.of("waived", task=project.config.task.name, dataset=dataset):
        problem = form_problem(fact.body)
        if problem is None and fact.body["rule"] in OF_ROWS:
            digest = str(fact.body.get("version"))
            found = next((v for v in here if v.hash == digest), None)
            problem = (
                "the version that it is about is not in this copy; waive it again"
                if found is None
                else rows_problem(fact.body, found.manifest.rows)
            )
        if problem is None:
            sound.append(fact)
        else:
            void.append(f"{fact.body.get('rule')} ({fact.hash[:10]}): {problem}")
    return sound, void


def _way_to(project: Project, part: str, *then: str) -> str:
    """Return the commands that make a part that is not there yet, and those that come after it."""
    data, steps = project.config.task.data, list[str]()
    if not has_dataset(project, part):
        whole = open_dataset(project, data).manifest.rows if has_dataset(project, data) else None
        steps = [] if whole is not None else [f"sluice add {data} FILES"]
        steps.append(f"sluice split {data} {size_options(whole)}")
    first, *rest = [*steps, *then] or [f"sluice add {data} FILES"]
    return first + (f", then: {', '.join(rest)}" if rest else "")


def _ledger_problems(project: Project, facts: Facts, state: SetState | None) -> tuple[str, ...]:
    found = [f"{p.word}: {p.name}: {p.reason}" for p in facts.problems if p.word in ("tampered", "absent")]
    whole = state.frozen if state is not None else None
    foreign = foreign_problem(project, facts, whole) if whole is not None else None
    return (*found, *([foreign] if foreign else []))


def _set(project: Project, facts: Facts) -> tuple[SetState | None, str | None, str | None]:
    try:
        state = deciding_set(project, facts)
    except Refused as error:
        return None, error.message, error.remedy
    if state is None:
        way = _way_to(project, f"{project.config.task.data}/eval", "sluice freeze")
        return None, "absent: no eval set is frozen", way
    if state.frozen is None:
        return state, f"{state.word}: {state.reason}", "git checkout evals, or copy the folder from where it was frozen"
    fact = state.fact.body
    if fact["rows_sha256"] != state.frozen.manifest.rows_sha256 or fact["rows"] != len(state.frozen.rows):
        return state, "tampered: the set is not what its freeze entry says", "git checkout evals"
    return state, None, None


def _clusters(state: SetState | None, relation: Relation) -> tuple[tuple[str, ...], ...] | None:
    if state is None or state.frozen is None:
        return None
    groups = state.frozen.groups_by_row()
    return tuple(tuple(r.row for r in c) for c in similarity_clusters(state.frozen.rows, relation, groups=groups))


def _question(
    project: Project, facts: Facts, frozen: FrozenSet
) -> tuple[tuple[str, ...] | None, str | None, str | None]:
    """Return the eval rows that lack what the grader needs, and why today's question is not the pinned one."""
    try:
        pinned, _ = pinned_question(facts, frozen.sha256)
        today, grader = current_question(project, frozen.manifest.independent())
    except (Refused, InputError) as error:
        return None, error.message, error.remedy
    changed = changed_keys(pinned, today)
    if changed:
        problem = f"what is asked has changed since the set was frozen ({', '.join(changed)})"
        return None, problem, 'sluice freeze --reason "why", or set sluice.toml back'
    if "target" not in grader.spec.needs:
        return (), None, None
    return tuple(r.row for r in frozen.rows if not (r.target or "").strip()), None, None


def _report(
    project: Project,
    train: Sequence[Example],
    state: SetState | None,
    relation: Relation,
    version: Version | None,
    rendered: tuple[tuple[str, Rendered], ...] | None,
    limit: int,
    progress: Progress | None,
) -> AuditReport | None:
    if version is None:
        return None
    lengths = {row: len(r.ids) for row, r in rendered} if rendered is not None else None
    choice = checks_of(project)
    data = project.config.task.data
    dev = open_dataset(project, f"{data}/dev") if has_dataset(project, f"{data}/dev") else None
    frozen = state.frozen if state is not None else None
    more: dict[str, Any] = {}
    if frozen is not None:
        more["eval_groups"] = frozen.groups_by_row()
    return audit_rows(
        CheckContext(
            rows=list(train),
            schema=read_schema(project),
            count_tokens=(lambda row: lengths[row.row]) if lengths is not None else None,
            max_tokens=limit,
            dev_rows=dev.rows() if dev is not None else None,
            eval_rows=list(frozen.rows) if frozen is not None else None,
            relation=relation,
            groups=version.groups() | (dev.groups() if dev is not None else {}),
            stratify=project.config.task.stratify,
            progress=progress,
            **more,
        ),
        choice.for_gate(),
        choice,
    )


def _loosened(b: Bench | None) -> dict[str, str]:
    from sluice.evalsuite.question import loosened

    return {} if b is None else loosened(b.question)


def _spent(project: Project, facts: Facts, b: Bench | None) -> tuple[str, ...]:
    if b is None:
        return ()
    counted = openings(project, facts, b.frozen, b.question)
    if counted.used < counted.allowed:
        return ()
    error = all_spent(counted, b.frozen)
    return (f"{error.message}: no verdict on what is trained now is possible. {error.remedy}",)
