"""What goes out comes back: every format, every question it can hold, whatever the texts are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.curate.labels.exchange import EXCHANGES
from sluice.curate.labels.exchange.exporting import NOWHERE
from sluice.curate.labels.exchange.importing import recognise
from sluice.curate.labels.exchange.match import Rows
from sluice.curate.labels.exchange.word import Task, Word, moment, written_time
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.session import Answer, Item

HOSTILE = (
    "a",
    'b "quoted", and; more | of it',
    "cannot-tell",
    "[1]",
    "{}",
    "=1+1",
    "ünï\u2028code 🦆",
    "None",
    "null",
    "0",
)
QUESTIONS = (
    ask("classify", labels=HOSTILE, written=""),
    ask("classify", labels=("x", "y"), written=""),
    ask("classify", labels=HOSTILE, many=True, written=""),
    ask("rate", written=""),
    ask("rate", scale=(-3, 40), written=""),
    ask("grade", written=""),
    ask("review", written=""),
    ask("compare", written=""),
    ask("correct", written=""),
    ask("write", written=""),
)
CASES = [(e, q) for _, e in EXCHANGES for q in QUESTIONS if q.mode in e.modes]
# what no file of text can hold (half a surrogate pair, NUL in a CSV) is refused elsewhere
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30).filter(
    str.strip
)
NAMES = TEXTS.map(str.strip).filter(bool) | st.sampled_from(
    ["7", "007", "ana", "None", "ana=ben", "6f9619ff-8b86-d011-b42d-00c04fc964ff"]
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2026, 1, 1)).map(lambda t: written_time(t.replace(tzinfo=UTC)))


def values(question: Question) -> st.SearchStrategy[object]:
    if question.mode in ("correct", "write"):
        return TEXTS
    if question.scale:
        return st.integers(*question.scale)
    if question.many:
        return st.sets(st.sampled_from(question.labels)).map(lambda found: question.check(list(found)))
    return st.sampled_from(question.labels)


@st.composite
def tasks(draw: st.DrawFn, name: str, question: Question) -> list[Task]:
    found = []
    for number in range(draw(st.integers(1, 3))):
        fields = draw(
            st.dictionaries(st.sampled_from(["body", "text", "label", "by", "answer", "data"]), TEXTS, min_size=1)
        )
        answers = () if question.mode in ("classify", "write", "compare") else (Answer(draw(TEXTS), "target"),)
        item = Item("t", f"{number:064x}", f"{number + 99:064x}", tuple(fields.items()), answers)
        sides = ("run-1", "target") if question.mode == "compare" else ()
        most = 1 if "several" in EXCHANGES.get(name).drops else 3
        people = draw(st.lists(NAMES, min_size=1, max_size=most, unique=True))
        unsure = st.none() if "cannot tell" not in EXCHANGES.get(name).drops else st.nothing()
        words = [
            Word(
                NOWHERE,
                draw(values(question) | unsure),
                by=by,
                time=draw(TIMES),
                seconds=draw(st.none() | st.floats(0.01, 1e6)),
                comment=draw(st.none() | TEXTS),
                sides=sides,
            )
            for by in people
        ]
        found.append(Task(item, tuple(words)))
    return found


def told(word: Word, row: str, value: object, drops: frozenset[str]) -> tuple[object, ...]:
    parts = {"time": word.time, "seconds": word.seconds}
    return row, value, word.by, word.comment, word.sides, *(v for k, v in parts.items() if k not in drops)


@pytest.mark.parametrize(
    ("exchange", "question"), CASES, ids=[f"{e.name}-{q.mode}-{n}" for n, (e, q) in enumerate(CASES)]
)
def test_comes_back_as_it_went(exchange, question):
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(tasks(exchange.name, question))
    def check(written: list[Task]) -> None:
        with TemporaryDirectory() as folder:
            file = Path(folder) / ("x.csv" if exchange.name == "csv" else "x.json")
            file.write_bytes(b"".join(exchange.write(file, written, question)))
            assert recognise(file).name == exchange.name
            read = exchange.read(file, question, None)
            assert read.problems == ()
            rows = Rows([task.item for task in written])
            back = [
                told(w, rows.find(w).row, question.check(w.value), exchange.drops) for w in read.words if not w.skipped
            ]
        went = [told(w, t.item.row, w.value, exchange.drops) for t in written for w in t.words]
        assert sorted(map(repr, back)) == sorted(map(repr, went))

    check()


@pytest.mark.parametrize("name", EXCHANGES.names())
def test_tasks_hold_no_word(name, tmp_path):
    question = ask("classify", labels=("x", "y"), written="")
    items = [Item("t", f"{n:064x}", f"{n + 9:064x}", (("body", f"text {n}"), ("subject", "s"))) for n in range(3)]
    file = tmp_path / ("x.csv" if name == "csv" else "x.json")
    file.write_bytes(b"".join(EXCHANGES.get(name).write(file, [Task(i) for i in items], question)))
    if name == "inspect":  # a sample without a score has no line there
        assert file.read_bytes() == b""
        return
    read = EXCHANGES.get(name).read(file, question, None)
    assert [w.skipped for w in read.words] == [True] * 3
    assert [Rows(items).find(w).row for w in read.words] == [i.row for i in items]
    assert EXCHANGES.get(name).setup(question, [Task(i) for i in items])


@pytest.mark.parametrize("name", [n for n in EXCHANGES.names() if n != "csv"])
def test_what_is_written_is_json(name, tmp_path):
    question = ask("grade", written="")
    task = Task(
        Item("t", "0" * 64, "1" * 64, (("body", "x\ny"),), (Answer("z", "target"),)),
        (Word(NOWHERE, "right", by="ana"),),
    )
    text = b"".join(EXCHANGES.get(name).write(tmp_path / "x", [task], question)).decode()
    found = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("given_", "stored"),
    [
        ("2021-03-09T22:16:08.728353Z", "2021-03-09T22:16:08.728353Z"),
        ("2021-03-09T22:16:08.728353123Z", "2021-03-09T22:16:08.728353Z"),
        ("2021-03-09T22:16:08+02:00", "2021-03-09T20:16:08.000000Z"),
        ("2021-03-09 22:16", "2021-03-09T22:16:00.000000Z"),
        (1707211049, "2024-02-06T09:17:29.000000Z"),
        (None, None),
    ],
)
def test_times_are_kept_in_utc(given_, stored):
    assert moment(given_) == stored
