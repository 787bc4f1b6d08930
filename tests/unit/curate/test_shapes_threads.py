"""Threads of one message a line: folded in their order, set aside whole where that is in doubt, each line findable."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.canonical import parse_exact
from sluice.core.errors import SluiceError
from sluice.core.project import Project
from sluice.core.rows import Example, chat_row
from sluice.curate.adding.add import add
from sluice.curate.dataset import metadata_by_row, open_dataset
from sluice.curate.formats import ReadOptions, ReadResult, read_file
from sluice.curate.why import why

THREAD = ReadOptions(thread="ticket", order="sent", role="author")
said = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=10).filter(
    lambda t: not t.isspace()
)


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    return path


def read(folder: Path, *records: dict[str, Any], **more: Any) -> ReadResult:
    options = {"thread": "ticket", "order": "sent", "role": "author", **more}
    return read_file(write(folder / "desk.jsonl", *records), ReadOptions(**options))


def line(ticket: Any, sent: Any, author: Any, text: Any, **beside: Any) -> dict[str, Any]:
    found = {"ticket": ticket, "sent": sent, "author": author, "text": text, **beside}
    return {k: v for k, v in found.items() if v is not None}


threads = st.lists(
    st.lists(st.tuples(st.sampled_from(["customer", "agent"]), said), min_size=1, max_size=4).filter(
        lambda turns: len(turns) > 1 or turns[0][0] == "customer"
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(threads, st.sampled_from(["numbers", "times"]), st.randoms(use_true_random=False))
def test_messages_in_any_order_of_lines_are_the_same_chats(talks: list[Any], sort: str, random: Any):
    messages = [
        line(str(t), f"2024-05-01 {n:02}:0{t}:00" if sort == "times" else 10 * n + 3, who, text, customer=f"c{t}", n=n)
        for t, talk in enumerate(talks)
        for n, (who, text) in enumerate(talk)
    ]
    random.shuffle(messages)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "desk.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["ticket", "sent", "author", "text", "customer", "n"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(messages)
        if not path.read_text().isascii() or any("\r" in m["text"] for m in messages):
            path = write(Path(folder) / "desk.jsonl", *messages)
        result = read_file(path, THREAD)
    roles = {"customer": "user", "agent": "assistant"}
    expected = {
        str(t): chat_row([{"role": roles[who], "content": text} for who, text in talk]) for t, talk in enumerate(talks)
    }
    assert result.set_aside == []
    assert {r.metadata["ticket"]: r.row for r in result.rows} == expected
    for row in result.rows:
        talk = talks[int(row.metadata["ticket"])]
        assert row.metadata["customer"] == f"c{row.metadata['ticket']}"
        assert [t["author"] for t in row.metadata["turns"]] == [who for who, _ in talk]
        assert len({row.line, *row.more}) == len(talk)
        if len(talk) > 1:
            assert [int(t["n"]) for t in row.metadata["turns"]] == list(range(len(talk)))


GOOD = [line(9, 1, "customer", "hi"), line(9, 2, "agent", "ho")]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([line(1, 1, "customer", "a"), line(1, 1, "agent", "b")], "lines 3 and 4 have the same order"),
        ([line(1, 1, "customer", "a"), line(1, 1.0, "agent", "b")], "the same order"),
        ([line(1, 1, "customer", "a"), line(1, None, "agent", "b")], "line 4 has no order"),
        ([line(1, 1, None, "a"), line(1, 2, "agent", "b")], "line 3 has no role"),
        ([line(1, 1, "customer", "a"), line(1, 2, "ghost", "b")], "who is 'ghost'? (--roles ghost=user"),
        ([line(1, 1, "customer", "a"), line(1, 2, "agent", {"x": 1})], "text is an object"),
        ([line(1, 1, "customer", "a"), line(1, 2, "agent", None)], "says nothing"),
        ([line(1, 1, "agent", "a")], "nobody speaks before the answer"),
        ([line(1, 1, "customer", "a"), line(1, 2, "system", "b")], "after the talk began"),
    ],
)
def test_a_doubtful_thread_is_set_aside_line_by_line_and_the_others_arrive(tmp_path: Path, messages: Any, reason: str):
    result = read(tmp_path, *GOOD, *messages)
    assert [r.metadata["ticket"] for r in result.rows] == [9]
    assert [a.line for a in result.set_aside] == [n + 3 for n in range(len(messages))]
    assert all(reason in a.reason for a in result.set_aside)
    assert [json.loads(a.raw) for a in result.set_aside] == messages


def test_a_line_without_a_thread_is_set_aside_alone(tmp_path: Path):
    result = read(tmp_path, *GOOD, line(None, 3, "agent", "lost"))
    assert len(result.rows) == 1
    assert [(a.line, a.reason) for a in result.set_aside] == [(3, "no thread: ticket is empty")]


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ([1, "2024-05-01"], ("a number in line 3", "a time without a zone in line 4")),
        (["2024-05-01T10:00:00", "2024-05-01T10:00:00Z"], ("without a zone in line 3", "with a zone in line 4")),
        ([1, "yesterday"], ("line 4", "sent is 'yesterday', neither a number nor a time")),
        ([1, True], ("line 4", "neither")),
        ([1, "31/12/2024"], ("line 4", "neither")),
    ],
)
def test_a_bad_order_sets_its_own_thread_aside_alone(tmp_path: Path, orders: list[Any], words: tuple[str, str]):
    result = read(tmp_path, *GOOD, *(line(1, order, "customer", "x") for order in orders))
    assert [r.metadata["ticket"] for r in result.rows] == [9]
    assert [a.line for a in result.set_aside] == [3, 4]
    assert all(word in a.reason for a in result.set_aside for word in words)


def test_threads_of_two_sorts_of_order_arrive_both(tmp_path: Path):
    times = [line(1, f"2024-05-0{n}", who, "x") for n, who in ((2, "agent"), (1, "customer"))]
    assert len(read(tmp_path, *GOOD, *times).rows) == 2


def test_a_column_without_any_order_is_the_wrong_one(tmp_path: Path):
    with pytest.raises(SluiceError, match=r"line 1.*'soon'") as problem:
        read(tmp_path, line(1, "soon", "customer", "x"), line(2, None, "customer", "y"))
    assert "--order" in (problem.value.remedy or "")


def test_orders_go_by_value_not_by_letters(tmp_path: Path):
    rows = read(tmp_path, line(1, "10", "agent", "b"), line(1, "9", "customer", "a")).rows
    assert rows[0].row == chat_row([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    zones = ["2024-05-01T12:00:00+02:00", "2024-05-01T11:00:00Z"]
    rows = read(tmp_path, line(1, zones[1], "agent", "b"), line(1, zones[0], "customer", "a")).rows
    assert isinstance(rows[0].row, Example)
    assert rows[0].row.target == "b"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"order": None}, "--order is not given"),
        ({"thread": None, "order": None}, "--thread is not given"),
        ({"thread": None, "order": None, "role": None, "roles": "agent=user"}, "--thread is not given"),
        ({"order": "snt"}, "'snt'"),
        ({"text": "body"}, "'body'"),
        ({"roles": "agent=boss"}, "agent=boss"),
        ({"roles": "agent"}, "agent"),
        ({"input": "text"}, "two ways"),
        ({"map": ("input={{text}}",)}, "two ways"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, more: dict[str, Any], says: str):
    with pytest.raises(SluiceError) as problem:
        read(tmp_path, *GOOD, **more)
    assert says in problem.value.message
    assert problem.value.exit_code == 2
    assert problem.value.remedy


def test_words_for_roles(tmp_path: Path):
    messages = [line(1, 1, "KUNDE", "a"), line(1, 2, " Agent", "b")]
    (row,) = read(tmp_path, *messages, roles="kunde=user").rows
    assert isinstance(row.row, Example)
    assert row.row.target == "b"


def test_notes_are_no_turns_and_stay_beside_the_chat(tmp_path: Path):
    talk = [line(1, 1, "customer", "a"), line(1, 2, "note", "angry!"), line(1, 3, "agent", "b")]
    result = read(tmp_path, *talk, line(2, 1, "note", "lost"), roles="note=-")
    (row,) = result.rows
    assert row.row == chat_row([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    assert row.metadata["turns"] == [
        {"sent": 1, "author": "customer"},
        {"sent": 2, "author": "note", "text": "angry!"},
        {"sent": 3, "author": "agent"},
    ]
    assert (row.line, row.more) == (1, (2, 3))
    assert [(a.line, a.reason) for a in result.set_aside] == [(4, "a chat without a message")]


def test_every_line_tells_its_row_and_adding_again_or_more_adds_what_is_new(tmp_path: Path):
    project = Project(tmp_path)
    old = [line(1, 1, "customer", "a", note="x"), line(2, 1, "customer", "q"), line(1, 2, "agent", "b", note="y")]
    file = write(tmp_path / "desk.jsonl", *old)
    assert (add(project, "d", [file], THREAD).added, add(project, "d", [file], THREAD).changed) == (2, False)
    version = open_dataset(project, "d")
    for number, row in ((1, 0), (2, 1), (3, 0)):
        assert why(project, "d", f"desk.jsonl:{number}").row == version.rows()[row].row
    (first, more) = metadata_by_row(version)[version.rows()[0].row]
    assert parse_exact(first["metadata"])["turns"] == [
        {"sent": 1, "author": "customer", "note": "x"},
        {"sent": 2, "author": "agent", "note": "y"},
    ]
    assert (more["line"], more["metadata"]) == (3, "{}")
    grown = add(project, "d", [write(file, *old, line(3, 1, "customer", "new"))], THREAD)
    assert (grown.added, grown.repeated, grown.rows) == (1, 2, 3)
