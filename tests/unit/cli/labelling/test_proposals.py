"""What is proposed on the screen: shown, or kept back until the person has decided; gold rows look like all others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from textual.widgets import Static

from sluice.cli.labelling.app import LabelApp
from sluice.cli.labelling.drawn import WrittenTask
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.record import Judgement, Record
from sluice.curate.labels.session import Answer, Item, Session

ASKED = ask("classify", labels=("billing", "shipping"), written="w")
ITEM = Item("d", "1" * 64, "1" * 64, (("body", "where is it"),), suggestion=("shipping", "rules:parcels"))


def drive(items: list[Item], keys: list[str], asked: Question = ASKED) -> tuple[list[str], list[Record]]:
    """Return all that the screen shows before and after each key, and what was written."""
    kept: list[Record] = []
    session = Session(asked, items, by="ana", write=kept.append, log=Log(()), queue="random")
    app: Any = LabelApp(session, WrittenTask("d", "", ""))
    seen: list[str] = []

    async def go() -> None:
        async with app.run_test(size=(120, 30)) as pilot:
            await pilot.pause()
            for key in [None, *keys]:
                if key is not None:
                    await pilot.press(key)
                    await pilot.pause()
                shown = [w for w in app.screen.query(Static) if w.display]
                seen.append("\n".join(str(w.render()) for w in shown))

    asyncio.run(go())
    return seen, kept


def test_a_proposal_is_shown_or_comes_after_the_decision():
    other = replace(ITEM, row="2" * 64, input="2" * 64, suggestion=None)
    open_, _ = drive([ITEM, other], [])
    assert "proposed: shipping" in open_[0]
    hidden, kept = drive([replace(ITEM, hidden=True), other], ["1", "left"])
    assert ["proposed" in text for text in hidden] == [False, False, True]
    (said,) = [record for record in kept if isinstance(record, Judgement)]
    assert said.shown is not None
    assert (said.value, said.shown.suggestion, said.shown.hidden) == ("billing", "shipping", True)


def test_a_gold_row_looks_like_any_other():
    plain, _ = drive([replace(ITEM, suggestion=None)], [])
    gold, _ = drive([replace(ITEM, suggestion=None, gold=True, known="billing")], ["1", "left"])
    assert gold[0] == plain[0]
    assert "gold" not in gold[-1]


def test_in_review_a_person_accepts_keeps_or_picks_another_label():
    review = ask("review", labels=("billing", "shipping", "other"), written="w")
    items = [
        replace(ITEM, row=f"{n}" * 64, input=f"{n}" * 64, answers=(Answer("billing", "target"),)) for n in range(3)
    ]
    _, kept = drive(items, ["y", "n", "enter", "down", "down", "enter"], review)
    assert [r.value for r in kept if isinstance(r, Judgement)] == ["accept", "reject", "other"]
    assert [r.meaning for r in kept if isinstance(r, Judgement)] == ["shipping", "reject", "other"]
