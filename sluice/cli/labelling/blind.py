"""The screen of `sluice grade`: right or wrong, blind. Its words are kept as grading has them (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sluice.cli.labelling.keys import BLIND
from sluice.cli.labelling.start import Prepared, written_task
from sluice.core.canonical import dump_exact
from sluice.core.project import Project
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Judgement, Record, now
from sluice.curate.labels.session import Answer, Item, Session
from sluice.evalsuite import gradable
from sluice.evalsuite.scoring import plain_input


def prepare_grading(project: Project, items: Sequence[gradable.Item], by: str) -> Prepared:
    """Return a sitting over the answers to grade, gone on from where this person was.

    The person sees input and answer; which are controls is not in what the screen is given.
    """
    question = Question(mode="grade", labels=("right", "wrong"), written=gradable.written_task(project))
    by_id = {item.id: item for item in items}
    shown = [_shown(item) for item in items]

    def judged(item: str, word: str) -> Judgement:
        return Judgement(
            id=item,
            time=now(),
            by=by,
            seconds=0,
            mode="grade",
            question=question.hash,
            field="target",
            dataset="dev",
            row=item,
            input=by_id[item].row.input_hash,
            value=word,
        )

    def write(record: Record) -> None:
        if isinstance(record, Judgement):  # what is skipped comes back, and leaves no trace
            word = cast("gradable.Word", record.value)
            gradable.decide_item(project, by_id[record.row], word, by=by, seconds=record.seconds)

    before = gradable.decisions(project, by)
    said = tuple(judged(item, word) for (item, who), word in before.items() if who == by and item in by_id)
    session = Session(question, shown, by=by, write=write, log=Log(said), queue="grading")
    return Prepared(session, written_task(project, "dev"), lambda _text: None, BLIND, list)


def _shown(item: gradable.Item) -> Item:
    texts = plain_input(item.row).items()
    return Item(
        dataset="dev",
        row=item.id,
        input=item.row.input_hash,
        texts=tuple((name, text if isinstance(text, str) else dump_exact(text)) for name, text in texts),
        answers=(Answer(item.answer, "-"),),
    )
