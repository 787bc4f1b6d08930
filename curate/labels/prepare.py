"""What a sitting asks about: a slice of the rows, a person's share, a queue's order, gold rows and suggestions.

`Plan` is what was wished, `prepare` makes the items. It writes nothing but a deal, where people are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sluice.core.errors import UsageError
from sluice.core.progress import Progress
from sluice.curate.dataset import Version, open_dataset
from sluice.curate.labels.assign import dealt_to, keep_deal
from sluice.curate.labels.gold import SHARE, gold_items, mix
from sluice.curate.labels.items import items_of
from sluice.curate.labels.log import Log, append_record
from sluice.curate.labels.question import Question
from sluice.curate.labels.queues import arrange
from sluice.curate.labels.queues.base import Embed
from sluice.curate.labels.record import ADJUDICATION, OF_INPUT, Deal
from sluice.curate.labels.session import Item
from sluice.curate.labels.suggest import Proposals, propose
from sluice.curate.labels.suggest.source import Wanted
from sluice.curate.metadata import metadata_of

SUSPECTS = "suspects"


@dataclass(frozen=True)
class Plan:
    """What was wished of a sitting.

    Args:
        queue: which rows come first, see `sluice.curate.labels.queues`.
        seed: of all draws.
        overlap: how many people decide each row; None: everybody all.
        people: to whom rows are dealt; empty: as they were dealt before, or to nobody.
        slice: only these rows, see `slices`.
        gold: where gold rows are, see `gold`; None: none are mixed in.
        gold_share: of the rows that are shown.
        suggest: what proposes, see `suggest`; None: nothing does.
        blind: whether proposals are kept from the person until the decision. None: where gold rows are mixed in, where
            two answers are compared, and where other people's words are in a proposal on rows that several decide.
    """

    queue: str = "random"
    seed: int = 0
    overlap: int | None = None
    people: tuple[str, ...] = ()
    slice: str | None = None
    gold: str | None = None
    gold_share: float = SHARE
    suggest: str | None = None
    blind: bool | None = None


@dataclass(frozen=True)
class Prepared:
    """The items of a sitting, in their order, and what a person should know about them."""

    items: tuple[Item, ...]
    overlap: int | None = None
    """How many people decide each row, where whoever comes first does; None: rows were dealt, or all decide all."""
    cautions: tuple[str, ...] = ()


def prepare(
    version: Version,
    question: Question,
    log: Log,
    plan: Plan,
    *,
    by: str,
    embed: Embed | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Return what a person is asked about of all rows that a question fits: see `prepare_items`."""
    items = items_of(version, question.mode, question.field)
    return prepare_items(version, items, question, log, plan, by=by, embed=embed, progress=progress)


def prepare_items(
    version: Version,
    found: Sequence[Item],
    question: Question,
    log: Log,
    plan: Plan,
    *,
    by: str,
    embed: Embed | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Return what a person is asked about.

    Args:
        version: whose rows.
        found: what could be asked about.
        question: what is asked.
        log: what was said before.
        plan: what was wished.
        by: the person.
        embed: texts to vectors, where a model is named; for the queues different and uncertain, and for suspects.
        progress: called with (what, done, total).

    Raises UsageError where the wishes do not fit together, InputError where nothing is left to ask.
    """
    of_input = question.mode in OF_INPUT
    items = {item.input if of_input else item.row: item for item in found}
    held = _deal(version, question, log, plan, by)
    dealt = None if held is None else _share(by, held, version, question, log, items, plan.queue)
    gold = gold_items(version.project, plan.gold, question, items) if plan.gold else {}
    if plan.slice is not None:
        from sluice.curate.labels.slices import in_slice

        inside = in_slice(version, plan.slice, progress)
        items = {subject: item for subject, item in items.items() if subject in inside}
    items = {subject: item for subject, item in items.items() if subject not in gold}
    columns = metadata_of(version, progress=progress) if ":" in plan.queue else {}
    source = plan.suggest or (SUSPECTS if plan.queue == SUSPECTS else None)
    offered = _offered(source, version, question, log, plan, {**items, **gold}, embed, progress)
    if offered is not None:
        hidden = _hidden(question, plan, offered)
        items = {subject: _with(item, subject, offered, hidden) for subject, item in items.items()}
        gold = {subject: _with(item, subject, offered, hidden) for subject, item in gold.items()}
    overlap = plan.overlap if held is None and plan.queue != ADJUDICATION else None
    ordered = arrange(
        list(items.values()),
        question,
        log,
        by=by,
        queue=plan.queue,
        seed=plan.seed,
        overlap=overlap,
        dealt=dealt,
        columns=columns,
        doubts=None if offered is None else offered.doubts,
        embed=embed,
        progress=progress,
    )
    if gold:
        decided = {j.subject for j in log.judgements(question=question.hash) if j.by == by}
        told = {**items, **gold}.items()
        open_ = {item.row for subject, item in told if subject not in decided}
        ordered = mix(ordered, list(gold.values()), open_, by=by, seed=plan.seed, share=plan.gold_share)
    return Prepared(tuple(ordered), overlap, () if offered is None else offered.cautions)


def _deal(version: Version, question: Question, log: Log, plan: Plan, by: str) -> Deal | None:
    if not plan.people:
        held = log.deal(question.hash)
        return held if held is not None and held.dataset == version.dataset else None
    if plan.overlap is None:
        raise UsageError("how many people decide each row?", where="--people", remedy="add --overlap 2")
    told = {"overlap": plan.overlap, "seed": plan.seed, "dataset": version.dataset, "version": version.number}
    held = keep_deal(log, question.hash, plan.people, by=by, **told)
    if held not in log.records:
        append_record(version.project, held)
    return held


def _share(
    by: str, held: Deal, version: Version, question: Question, log: Log, items: Mapping[str, Item], queue: str
) -> list[str] | None:
    """Return what was dealt to a person; None where a third person decides what others disagree on."""
    if queue == ADJUDICATION:
        return None
    then = items
    if held.version != version.number:
        before = items_of(
            open_dataset(version.project, f"{held.dataset}@{held.version}"), question.mode, question.field
        )
        then = {item.input if question.mode in OF_INPUT else item.row: item for item in before}
    return dealt_to(by, held, log, list(items), then)


def _offered(
    source: str | None,
    version: Version,
    question: Question,
    log: Log,
    plan: Plan,
    items: Mapping[str, Item],
    embed: Embed | None,
    progress: Progress | None,
) -> Proposals | None:
    if source is None:
        return None
    if plan.queue == SUSPECTS and source != SUSPECTS:
        raise UsageError("the queue suspects has suggestions of its own", where="--suggest", remedy="leave it out")
    rows = {row.row: row for row in version.rows(progress)}
    for item in items.values():
        if item.row not in rows:  # a gold row of another dataset
            rows |= {row.row: row for row in open_dataset(version.project, item.dataset).rows()}
    wanted = Wanted(version.project, question, items, rows, log, seed=plan.seed, embed=embed, progress=progress)
    return propose(source, wanted)


def _hidden(question: Question, plan: Plan, offered: Proposals) -> bool:
    several = bool(plan.people) or (plan.overlap or 1) > 1
    if plan.blind is False and plan.gold:
        raise UsageError(
            "what is proposed beside gold rows would do the person's work",
            where="--shown",
            remedy="leave it out, or leave --gold out",
        )
    if plan.blind is not None:
        return plan.blind
    return plan.gold is not None or question.mode == "compare" or (offered.of_people and several)


def _with(item: Item, subject: str, offered: Proposals, hidden: bool) -> Item:
    found = offered.by_subject.get(subject)
    return item if found is None else replace(item, suggestion=(found.text, found.by), hidden=hidden)
