"""What proposes: stored runs read at a field, rules of the project and what breaks in them, label models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import InputError, Tampered, UsageError
from sluice.core.project import Project
from sluice.core.runs import Decoding, Run, RunSpec, StoredAnswer
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats import ReadOptions
from sluice.curate.labels.log import append_record, read_log
from sluice.curate.labels.prepare import Plan, prepare
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.session import Item, Session
from sluice.curate.labels.suggest import SOURCES

ASKED = ask("classify", field="target.category", labels=("billing", "shipping"), written="w")
SPEC = RunSpec(
    role="eval",
    label="small",
    base="b",
    base_sha256="0" * 64,
    adapter=None,
    prompt={},
    prompt_sha256="1" * 64,
    form="fp32",
    decoding=Decoding(max_new_tokens=8),
    on="t",
    rows_sha256="2" * 64,
    rendered_sha256="3" * 64,
)


@pytest.fixture
def tickets(tmp_path: Path, lines: Callable[..., Path]) -> Project:
    """A project whose dataset `t` holds 12 messages without a target."""
    project = Project(tmp_path)
    records = [{"body": f"message {n} about {'a parcel' if n % 2 else 'an invoice'}"} for n in range(12)]
    add(project, "t", [lines(tmp_path / "t.jsonl", *records)], ReadOptions(input="body"))
    return project


def items(project: Project, asked: Question = ASKED, by: str = "ana", **wished: Any) -> list[Item]:
    return list(prepare(open_dataset(project, "t"), asked, read_log(project), Plan(**wished), by=by).items)


def proposed(project: Project, **wished: Any) -> dict[int, tuple[str, str]]:
    return {int(i.texts[0][1].split()[1]): i.suggestion for i in items(project, **wished) if i.suggestion}


def stored_run(project: Project, answers: dict[int, list[str]], **more: Any) -> Run:
    run = Run.start(project, SPEC)
    rows = {int(row.texts()["body"].split()[1]): row for row in open_dataset(project, "t").rows()}
    for number, texts in answers.items():
        for repeat, text in enumerate(texts):
            row = rows[number]
            said = {"row": row.row, "input": row.input_hash, "repeat": repeat, "text": text, "stop": "end", **more}
            run.append(StoredAnswer.model_validate(said))
    run.close()
    return run


def answer(category: object) -> str:
    return json.dumps({"category": category, "urgent": False})


def test_a_run_proposes_what_it_answered_at_the_field_and_nothing_where_that_is_no_answer(tickets):
    run = stored_run(tickets, {0: [answer("billing")], 1: [answer("parcels")], 2: ["no JSON"], 3: [answer(None)]})
    found = prepare(open_dataset(tickets, "t"), ASKED, read_log(tickets), Plan(suggest=f"run:{run.id}"), by="ana")
    assert [i.suggestion for i in found.items if i.suggestion] == [("billing", f"run:{run.id}")]
    assert any("3 answers" in caution for caution in found.cautions)
    assert proposed(tickets, suggest=f"run:{run.id[:8]}") == {0: ("billing", f"run:{run.id}")}


def test_answers_that_were_cut_propose_nothing(tickets):
    run = stored_run(tickets, {0: [answer("billing")]}, stop="length")
    assert proposed(tickets, suggest=f"run:{run.id}") == {}


def test_of_repeated_answers_the_commonest_is_proposed_and_the_most_divided_row_comes_first(tickets):
    b, s = answer("billing"), answer("shipping")
    run = stored_run(tickets, {0: [b, b, b], 1: [s, b, s], 2: [s, s, "?"], 3: [b, s, "?"]})
    word = f"run:{run.id}"
    assert {n: said[0] for n, said in proposed(tickets, suggest=word).items()} == {
        0: "billing",
        1: "shipping",
        2: "shipping",
        3: "billing",
    }
    order = [int(i.texts[0][1].split()[1]) for i in items(tickets, suggest=word, queue="uncertain")]
    assert order[0] == 3
    assert set(order[1:3]) == {1, 2}
    assert order[3] == 0


def test_a_run_that_is_not_there_answers_other_rows_or_was_changed_is_refused(tickets):
    run = stored_run(tickets, {0: [answer("billing")]})
    for odd, error in (("run", UsageError), ("run:nothing", InputError), ("runs:x", InputError)):
        with pytest.raises(error):
            items(tickets, suggest=odd)
    other = Run.start(tickets, SPEC)
    other.append(StoredAnswer(row="a" * 64, input="b" * 64, text="x", stop="end"))
    with pytest.raises(InputError, match="none of these"):
        items(tickets, suggest=f"run:{other.id}")
    with pytest.raises(InputError, match="2 runs begin"):
        items(tickets, suggest="run:t-smal")
    file = run.folder / "answers.jsonl"
    file.write_text(file.read_text().replace("billing", "shipping"))
    with pytest.raises(Tampered):
        items(tickets, suggest=f"run:{run.id}")


def rule(project: Project, name: str, body: str) -> None:
    (project.root / "labels").mkdir(exist_ok=True)
    (project.root / "labels" / f"{name}.py").write_text(body)


SAY = 'def label(row):\n    return {} if "{}" in row.input["body"] else None\n'


def test_what_most_rules_say_is_proposed_and_level_ones_propose_nothing(tickets):
    rule(tickets, "invoices", SAY.format("'billing'", "invoice"))
    rule(tickets, "parcels", SAY.format("'shipping'", "parcel"))
    rule(tickets, "four", SAY.format("'shipping'", "message 4"))
    rule(tickets, "other_field", "FIELD = 'target.urgency'\n" + SAY.format("'high'", "m"))
    rule(tickets, "_shared", "this is no Python")
    found = proposed(tickets, suggest="rules")
    assert found[0] == ("billing", "rules:invoices")
    assert found[1] == ("shipping", "rules:parcels")
    assert 4 not in found, "one against one"
    assert len(found) == 11


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("r", "x = 1\n", "no function"),
        ("r", "def label(row):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("r", "def label(row):\n    return 'refund'\n", "says 'refund'"),
        ("r", "def label(row:\n", "not valid Python"),
        ("r", "raise SystemExit(3)\n", "cannot be loaded"),
        ("R 2", "def label(row): ...\n", "cannot be the name"),
    ],
)
def test_a_rule_that_cannot_be_used_is_one_error_with_its_place(tickets, name, body, message):
    rule(tickets, name, body)
    with pytest.raises(InputError, match=message) as problem:
        items(tickets, suggest="rules")
    assert (problem.value.where or "").startswith(f"labels/{name}.py")
    assert problem.value.remedy


def test_without_rules_or_words_there_is_nothing_to_propose(tickets):
    for source in ("rules", "model"):
        with pytest.raises(InputError):
            items(tickets, suggest=source)
    rule(tickets, "invoices", SAY.format("'billing'", "invoice"))
    with pytest.raises(UsageError, match="label model"):
        items(tickets, suggest="model:oracle")
    with pytest.raises(UsageError, match="two answers"):
        items(tickets, ask("compare", written="w"), suggest="rules")


def say(project: Project, by: str, told: dict[int, str]) -> None:
    session = Session(
        ASKED,
        items(project, by=by),
        by=by,
        write=lambda r: append_record(project, r),
        log=read_log(project),
        queue="random",
    )
    for place, item in enumerate(session.items):
        number = int(item.texts[0][1].split()[1])
        if number in told:
            session.go(place)
            session.decide(told[number])


def test_a_label_model_puts_rules_and_people_together(tickets):
    rule(tickets, "invoices", SAY.format("'billing'", "invoice"))
    say(tickets, "ben", {0: "shipping", 2: "shipping", 1: "shipping"})
    say(tickets, "cem", {0: "shipping", 2: "billing"})
    found = proposed(tickets, suggest="model:majority")
    assert found[0] == ("shipping", "model:majority"), "two people against a rule"
    assert found[2][0] == "billing"
    assert found[4][0] == "billing", "the rule alone"
    assert 3 not in found
    order = [int(i.texts[0][1].split()[1]) for i in items(tickets, suggest="model:majority", queue="uncertain")]
    assert order[-3:].count(0) + order[-3:].count(2) == 2, "decided ones come last, however unsure"


def test_a_model_that_learns_is_taken_where_three_speak(tickets):
    pytest.importorskip("crowdkit")
    rule(tickets, "invoices", SAY.format("'billing'", "invoice"))
    rule(tickets, "parcels", SAY.format("'shipping'", "parcel"))
    truth = {n: "shipping" if n % 2 else "billing" for n in range(12)}
    for by in ("ben", "cem"):
        say(tickets, by, {n: truth[n] for n in range(8)})
    found = proposed(tickets, suggest="model")
    assert {n: value for n, (value, _) in found.items()} == truth
    assert {by for _, by in found.values()} == {"model:mace"}, "each rule gives one label only"
    named = prepare(open_dataset(tickets, "t"), ASKED, read_log(tickets), Plan(suggest="model:dawid-skene"), by="ana")
    assert any("rule invoices, rule parcels" in caution for caution in named.cautions)
    for name in ("invoices", "parcels"):
        rule(tickets, name, 'def label(row):\n    return "billing" if "invoice" in row.input["body"] else "shipping"\n')
    found = proposed(tickets, suggest="model")
    assert {n: value for n, (value, _) in found.items()} == truth
    assert {by for _, by in found.values()} == {"model:dawid-skene"}


def test_every_source_says_what_it_is_and_takes_part_in_the_registry():
    for name, source in SOURCES:
        assert (source.__doc__ or "").startswith("Return"), name
