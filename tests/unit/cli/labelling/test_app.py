"""The labelling screen, driven by keys: each key is one record, kept before the next row is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from sluice.cli.labelling.app import LabelApp
from sluice.cli.labelling.drawn import WrittenTask
from sluice.cli.labelling.keys import COMMANDS, choices
from sluice.core.errors import SurroundingsError
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.record import OF_INPUT, Judgement, Record
from sluice.curate.labels.session import Answer, Item, Session

LABELS = ("billing", "shipping", "other")
HOSTILE = "ends [red]here[/red] \x1b[31m \x07 日本語 🎈"


def classify(**options: bool) -> Question:
    return ask("classify", labels=LABELS, written="w", **options)


def item(n: int, question: Question) -> Item:
    answers = () if question.mode in OF_INPUT else (Answer(f"answer {n}", "target"),)
    if question.mode == "compare":
        answers = (Answer("left", "run:1"), Answer("right", "target"))
    return Item("t", f"{n:02d}" * 32, f"{n:02d}" * 32, (("body", f"text {n} {HOSTILE}"),), answers)


def drive(
    question: Question,
    act: Callable[[Pilot[None], LabelApp], Awaitable[None]],
    *,
    rows: int = 4,
    size: tuple[int, int] = (120, 30),
    write: Callable[[Record], None] | None = None,
    problem: Callable[[str], str | None] = lambda _text: None,
) -> list[Record]:
    kept: list[Record] = []

    async def run() -> None:
        session = Session(
            question,
            [item(n, question) for n in range(rows)],
            by="ana",
            write=write or kept.append,
            log=Log(()),
            queue="order",
        )
        app = LabelApp(session, WrittenTask("t", "Sort messages.", "billing: money"), problem)
        async with app.run_test(size=size) as pilot:
            await act(pilot, app)

    asyncio.run(run())
    return kept


def pressed(question: Question, *keys: str, **options: object) -> list[Record]:
    async def act(pilot: Pilot[None], _app: LabelApp) -> None:
        for key in keys:
            await pilot.press(key)

    return drive(question, act, **options)  # type: ignore[arg-type]


def values(records: list[Record]) -> list[object]:
    return [record.value for record in records if isinstance(record, Judgement)]


def text_of(app: LabelApp, name: str) -> str:
    return str(app.screen_stack[1].query_one(name, Static).content)


@pytest.mark.parametrize(
    ("question", "keys", "said"),
    [
        (classify(), "1203", ["billing", "shipping", None, "other"]),
        (ask("rate", written="w"), "15", [1, 5]),
        (ask("grade", written="w"), "r0", ["right", None]),
        (ask("compare", written="w"), "abtn", ["a", "b", "tie", "both-bad"]),
        (ask("review", written="w"), "yn", ["accept", "reject"]),
    ],
)
def test_one_key_is_one_decision_in_every_mode(question, keys, said):
    assert values(pressed(question, *keys)) == said


def test_no_answer_takes_the_key_of_a_command():
    many = ask("classify", labels=[f"label {n}" for n in range(35)], written="w")
    for question in (many, ask("grade", written="w"), ask("compare", written="w"), ask("rate", written="w")):
        keys = [choice.key for choice in choices(question)]
        assert len(set(keys)) == len(keys)
        assert not set(keys) & set(COMMANDS)
    assert len(choices(many)) == 36


def test_undo_skip_and_going_back_are_keys_too():
    kinds = [r.kind for r in pressed(classify(), "1", "backspace", "space", "2", "left", "3")]
    assert kinds == ["label", "unlabel", "skip", "label", "label"]


def test_several_labels_are_marked_and_then_kept_together():
    assert values(pressed(classify(many=True), "3", "1", "1", "2", "enter")) == [("shipping", "other")]


def test_a_grade_that_is_not_right_asks_why_and_esc_takes_it_back():
    records = pressed(ask("grade", written="w"), "w", *"late", "enter", "p", "escape", "r")
    assert [(r.value, r.reason) for r in records if isinstance(r, Judgement)] == [("wrong", "late"), ("right", None)]


def test_an_edited_answer_is_held_against_the_schema_and_what_was_typed_stays():
    def short(text: str) -> str | None:
        return None if len(text) < 10 else "too long"

    async def act(pilot: Pilot[None], app: LabelApp) -> None:
        await pilot.press("e", *"!!!!", "ctrl+s")
        assert str(app.screen.query_one("#problem", Static).content) == "too long"
        await pilot.press("escape", "e", "backspace", "backspace", "backspace", "ctrl+s")
        assert app.session.progress.decided == 1
        await pilot.press("enter")

    assert values(drive(ask("correct", written="w"), act, problem=short)) == ["answer 0!", "answer 1"]


def test_an_answer_is_written_where_there_is_none():
    assert values(pressed(ask("write", written="w"), "enter", *"yes", "ctrl+s")) == ["yes"]


def test_many_labels_are_picked_from_a_list_that_typing_narrows():
    labels = [f"label {n}" for n in range(60)]
    question = ask("classify", labels=labels, written="w")
    assert choices(question) == []
    assert values(pressed(question, "enter", *"l 5", "down", "enter", "enter", "escape")) == ["label 50"]


def test_a_comment_goes_with_the_decision():
    records = pressed(classify(), "semicolon", *"odd", "enter", "1", "2")
    assert [r.comment for r in records if isinstance(r, Judgement)] == ["odd", None]


def test_search_and_row_numbers_lead_to_a_row_and_a_wrong_one_says_so():
    async def act(pilot: Pilot[None], app: LabelApp) -> None:
        await pilot.press("slash", *"text 2", "enter")
        assert app.session.at == 2
        await pilot.press("equals_sign", "4", "enter")
        assert app.session.at == 3
        for keys in (
            ("equals_sign", "9", "enter"),
            ("equals_sign", "x", "enter"),
            ("slash", "z", "q", "enter"),
            ("x",),
        ):
            await pilot.press(*keys)
            assert app.session.at == 3
            assert text_of(app, "#note")

    assert drive(classify(), act) == []


def test_a_decision_that_cannot_be_kept_is_said_and_not_shown_as_made():
    def full(_record: Record) -> None:
        raise SurroundingsError("the disk is full", remedy="make room")

    async def act(pilot: Pilot[None], app: LabelApp) -> None:
        for key in ("1", "space"):
            await pilot.press(key)
            assert app.session.at == 0
            assert "disk is full" in text_of(app, "#note")

    drive(classify(), act, write=full)


def test_the_end_is_said_and_can_be_left_and_undone():
    async def act(pilot: Pilot[None], app: LabelApp) -> None:
        await pilot.press("1", "2")
        assert "All rows are decided" in text_of(app, "#input")
        await pilot.press("3", "e", "enter", "semicolon", "space")
        assert app.session.progress.decided == 2
        await pilot.press("backspace")
        assert app.session.at == 1
        await pilot.press("escape")

    drive(classify(), act, rows=2)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 50)])
def test_rows_are_shown_as_text_whatever_is_in_them_and_at_any_width(size):
    async def act(pilot: Pilot[None], app: LabelApp) -> None:
        await pilot.pause()
        shown = app.export_screenshot()
        assert "\x1b" not in shown
        assert "[red]" in text_of(app, "#input")
        assert app.screen.query_one("#task").display == (size[0] >= 100)
        await pilot.press("question_mark", "escape", "1")

    assert values(drive(ask("compare", written="w"), act, size=size)) == []
    assert values(drive(classify(), act, size=size)) == ["billing"]
