"""Leaks are found in every field, in texts, by group and by change; and nothing else is."""

from __future__ import annotations

import random

from sluice.core.rows import AnyRow, Example, Message, Messages, Preference, Text, Unpaired
from sluice.curate.leaks.find import find_leaks, find_leaks_in_texts
from sluice.curate.similar.similarity import SORTS, Boilerplate, Relation, ngrams

ASK = "my parcel with the blue running shoes has not arrived although it was sent last monday"
EVAL = Example(input={"message": ASK}, target='{"category": "delivery"}')
SHORT = Example(input={"message": "Play some jazz"}, target="music")
RELATION = Relation()


def one(row: AnyRow, *evals: AnyRow) -> tuple[str, str]:
    leaks = find_leaks([row], evals or [EVAL], RELATION)
    assert len(leaks) == 1
    assert leaks[0].row == row.row
    assert leaks[0].eval_row == (evals or [EVAL])[0].row
    return leaks[0].how, leaks[0].field


def test_equal_inputs_leak_in_any_form_and_at_any_length():
    assert one(Example(input={"text": ASK.upper() + "!"}, target="other")) == ("equal", "input")
    assert one(Example(input={"q": "play SOME jazz."}, target="x"), SHORT) == ("equal", "input")
    tiny = Example(input={"q": "Yes!"}, target="x")
    assert one(Example(input={"q": "yes"}, target="y"), tiny) == ("equal", "input")
    chat = Messages(turns=(Message(role="system", content="You play music."), Message(role="user", content="yes")))
    assert one(Example(input=chat, target="y"), tiny) == ("equal", "input")


def test_near_equal_and_contained_in_every_field():
    long = f"Hello. {ASK}. Could you look into it, since I need them for a race on Sunday morning at nine?"
    assert one(Example(input={"m": f"please help {ASK} evening"}, target="x")) == ("near-equal", "input")
    assert one(Example(input={"m": long}, target="x")) == ("contained", "input")
    assert one(Example(input={"m": "write a complaint"}, target=long)) == ("contained", "target")
    assert one(Preference(input={"m": "write"}, chosen=long, rejected="no")) == ("contained", "chosen")
    assert one(Preference(input={"m": "write"}, chosen="no", rejected=long)) == ("contained", "rejected")
    assert one(Unpaired(input={"m": "write"}, answer=long, good=True)) == ("contained", "answer")
    assert one(Text(input={"text": long})) == ("contained", "input")
    turns = Messages(turns=(Message(role="user", content="hi"), Message(role="assistant", content=long)))
    assert one(Example(input=turns, target="x")) == ("contained", "1.assistant")


def test_evidence_shows_the_words():
    long = f"Something before that is not part of it. {ASK}. And something after that."
    leak = find_leaks([Example(input={"m": long}, target="x")], [EVAL], RELATION)[0]
    assert leak.span == ASK
    assert leak.share == 1.0


def test_labels_and_strangers_do_not_leak():
    label = Example(input={"m": "music"}, target="x")
    rows: list[AnyRow] = [
        Example(input={"m": "what do you feel like doing tonight, my dear?"}, target="music"),
        Example(input={"m": "the invoice of march shows a price that we never agreed on"}, target="billing"),
    ]
    assert find_leaks(rows, [label, EVAL, SHORT], RELATION) == []


def test_groups_and_changes():
    row = Example(input={"m": "something else entirely"}, target="x")
    leaks = find_leaks([row], [EVAL], RELATION, {row.row: ["anna"], EVAL.row: ["anna"]})
    assert [(leak.how, leak.field, leak.span) for leak in leaks] == [("group", "groups", "anna")]
    assert find_leaks([row], [EVAL], RELATION, {row.row: ["anna"]}, {EVAL.row: ["berta"]}) == []
    leaks = find_leaks([row], [EVAL], RELATION, edges=[(EVAL.row, "middle"), ("middle", row.row)])
    assert [(leak.how, leak.field) for leak in leaks] == [("equal", "changes")]


def test_one_leak_a_pair_the_strongest_and_in_order():
    rng = random.Random(1)
    evals: list[AnyRow] = [EVAL, SHORT]
    both = Example(
        input={"m": "play some jazz"}, target=f"{ASK} and more of the same sort that makes the text so much longer"
    )
    rows: list[AnyRow] = [Example(input={"m": "".join(rng.choices("abcdefgh ", k=60))}, target="x") for _ in range(5)]
    rows.insert(3, both)
    leaks = find_leaks(rows, evals, RELATION, {both.row: ["g"], SHORT.row: ["g"]})
    assert [(leak.eval_row, leak.how) for leak in leaks] == [(EVAL.row, "contained"), (SHORT.row, "equal")]


def test_prompts_schemas_and_documents():
    evals: list[AnyRow] = [EVAL, SHORT]
    clean = "Turn the message into JSON. Answer music for requests such as: turn on the radio."
    shots = f"Examples:\n- Message: play some jazz\n- Message: {ASK.replace('my parcel ', '')}!\n"
    schema = '{"type": "object", "examples": [{"message": "Play some jazz."}]}'
    document = f"Complaints of last week. {ASK}. It was settled on Friday."
    named = {"clean.md": clean, "shots.md": shots, "schema.json": schema, "doc": document}
    found = {(leak.row, leak.eval_row, leak.how) for leak in find_leaks_in_texts(named, evals, RELATION)}
    assert found == {
        ("shots.md", SHORT.row, "equal"),
        ("shots.md", EVAL.row, "near-equal"),
        ("schema.json", SHORT.row, "equal"),
        ("doc", EVAL.row, "contained"),
    }


def test_a_document_with_numbers_beyond_a_double_is_searched_too():
    named = {"schema.json": '{"multipleOf": 0.1000000000000000055, "examples": ["Play some jazz"]}'}
    assert [leak.eval_row for leak in find_leaks_in_texts(named, [SHORT], RELATION)] == [SHORT.row]


def test_a_system_message_that_all_rows_share_is_searched_as_a_text():
    system = f"Answer in JSON. Example: {ASK}. Answer: delivery. Be short, and never ask the customer anything."
    boilerplate = Boilerplate.of(h for sort in SORTS for h in ngrams(system, sort))
    leaks = find_leaks_in_texts({"system": system}, [EVAL], Relation(boilerplate))
    assert [(leak.eval_row, leak.how, leak.share) for leak in leaks] == [(EVAL.row, "contained", 1.0)]
