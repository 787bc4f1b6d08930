"""redact: one person is one pseudonym everywhere, JSON stays JSON, and nothing of the values is left in the version."""

from __future__ import annotations

import json
import stat

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import Example, Message, Messages, Preference
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.drops import dropped_rows
from sluice.curate.export import export
from sluice.curate.formats import ReadOptions
from sluice.curate.metadata import metadata_of
from sluice.curate.privacy.sealed import MAPPING, Pseudonyms, read_pseudonyms
from sluice.curate.privacy.walk import walk_row, walk_text
from sluice.curate.redact import redact
from sluice.curate.restore import restore
from sluice.curate.sample import sample
from sluice.curate.why import why

JANE = ("jane.doe@example.com", "Jane.Doe@Example.com")
PHONE = ("+49 30 901820", "004930901820")
RECORDS = [
    {"body": f"I am {JANE[0]}, call me at {PHONE[0]}", "label": "account", "customer": JANE[1]},
    {"body": "order 5551234567 has not arrived", "label": "delivery", "customer": "C7"},
    {"body": "the lamp is broken", "label": '{"mail": "jane.doe@example.com", "n": 2}', "customer": "C8"},
    {"body": f"again {JANE[1]}: where is my refund?", "label": "refund", "phone": PHONE[1]},
    {"body": "no personal data in this text", "label": "other", "customer": "x@y.org"},
]


@pytest.fixture
def people(tmp_path, lines) -> Project:
    project = Project(tmp_path)
    add(project, "d", [lines(tmp_path / "d.jsonl", *RECORDS)], ReadOptions(input="body", target="label"))
    return project


def content(project: Project, ref: str = "d") -> str:
    """Everything that a version holds and what stands beside its rows, as one text."""
    return json.dumps([open_dataset(project, ref).frame().to_dicts(), beside(project, ref)], ensure_ascii=False)


def beside(project: Project, ref: str = "d") -> list[dict]:
    """The columns beside the rows that a version holds."""
    version = open_dataset(project, ref)
    held = set(version.frame()["row"])
    return [columns for row, columns in metadata_of(version).items() if row in held]


def test_one_person_is_one_pseudonym_in_texts_targets_and_columns(people):
    result = redact(people, "d")
    assert (result.redacted, result.beside, result.version) == (3, 1, 2)
    found = content(people)
    assert not any(value in found for value in (*JANE, *PHONE, "x@y.org"))
    rows = open_dataset(people, "d").frame()["input"].to_list()
    assert "I am [EMAIL_1], call me at [PHONE_1]" in rows[0]
    assert "again [EMAIL_1]" in rows[3]
    assert "order 5551234567" in rows[1]
    targets = open_dataset(people, "d").frame()["target"].to_list()
    assert json.loads(targets[2]) == {"mail": "[EMAIL_1]", "n": 2}
    assert {b.get("customer") for b in beside(people)} == {"[EMAIL_1]", "C7", "C8", None, "[EMAIL_2]"}
    assert [b["phone"] for b in beside(people) if "phone" in b] == ["[PHONE_1]"]
    assert result.values == {"email": 2, "phone": 1}


@pytest.mark.parametrize("ref", ["d", "few"])
def test_what_is_exported_has_the_pseudonyms_beside_rows_whose_text_stays(people, ref):
    redact(people, "d")
    if ref == "few":
        sample(people, "d", 5, to=ref)
    export(people, ref, people.root / "out.jsonl")
    written = (people.root / "out.jsonl").read_text()
    assert "[EMAIL_2]" in written
    assert not any(value in written for value in (*JANE, *PHONE, "x@y.org"))
    export(people, "d@1", people.root / "old.jsonl")
    assert "x@y.org" in (people.root / "old.jsonl").read_text()


def test_repeating_changes_nothing_and_adding_the_file_again_brings_nothing_back(people):
    redact(people, "d")
    again = redact(people, "d")
    assert (again.changed, again.replaced, again.version) == (False, {}, 2)
    result = add(people, "d", [people.root / "d.jsonl"], ReadOptions(input="body", target="label"))
    assert (result.changed, result.added) == (False, 0)


def test_the_old_rows_are_out_with_an_edge_to_the_new_ones(people):
    before = set(open_dataset(people, "d").frame()["row"])
    redact(people, "d")
    out = dropped_rows(open_dataset(people, "d"), ["redacted"])
    assert len(out) == 3
    held = set(open_dataset(people, "d").frame()["row"])
    assert {row.row for row in out} <= before - held
    assert all(row.kept is not None and row.kept.row in held for row in out)
    assert not any(value in (row.detail or "") for row in out for value in (*JANE, *PHONE))
    story = why(people, "d", out[0].row[:12])
    assert any("changed" in event.what for event in story.events)


def test_restored_originals_are_redacted_to_the_same_rows(people):
    redact(people, "d")
    held = set(open_dataset(people, "d").frame()["row"])
    restore(people, "d", reason="redacted")
    result = redact(people, "d")
    assert (result.redacted, result.merged) == (3, 0)  # their copies had left
    assert set(open_dataset(people, "d").frame()["row"]) == held


def test_a_dry_run_writes_nothing_and_says_the_same(people):
    said = redact(people, "d", dry_run=True)
    assert not (people.store / "privacy").exists()
    assert open_dataset(people, "d").number == 1
    done = redact(people, "d")
    assert (said.redacted, said.replaced, said.values) == (done.redacted, done.replaced, done.values)


def test_another_dataset_and_a_later_run_know_the_person_again(people, lines, tmp_path):
    redact(people, "d")
    more = {"body": "neu: neu@example.com und jane.doe@example.com", "label": "x"}
    add(people, "e", [lines(tmp_path / "e.jsonl", more)], ReadOptions(input="body", target="label"))
    redact(people, "e")
    assert "neu: [EMAIL_3] und [EMAIL_1]" in content(people, "e")


def test_a_mapping_that_is_kept_is_for_its_owner_alone(people):
    redact(people, "d")
    file = people.store / "privacy" / MAPPING
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert read_pseudonyms(people).values["email"]["jane.doe@example.com"] == 1


def test_a_mapping_that_is_thrown_away_is_nowhere_and_no_number_is_given_twice(people, lines, tmp_path):
    redact(people, "d", keep_mapping=False)
    kept = (people.store / "privacy" / MAPPING).read_text()
    assert "jane" not in kept
    more = {"body": "I am new@example.com", "label": "x"}
    add(people, "e", [lines(tmp_path / "e.jsonl", more)], ReadOptions(input="body", target="label"))
    redact(people, "e", keep_mapping=False)
    assert "[EMAIL_3]" in content(people, "e")


def test_only_the_kinds_that_are_named(people):
    result = redact(people, "d", kinds=["phone"])
    assert set(result.replaced) == {"phone"}
    assert JANE[0] in content(people)
    with pytest.raises(InputError, match="no kind"):
        redact(people, "d", kinds=["e-mail"])
    with pytest.raises(InputError, match="finder"):
        redact(people, "d", kinds=["name"])


def test_groups_go_with_the_column_they_come_from(people):
    from sluice.core.rows import COLUMNS
    from sluice.curate.operation import Outcome, commit

    version = open_dataset(people, "d")
    grouped = version.frame().with_columns(groups=pl.lit([JANE[1]], dtype=pl.List(pl.String))).select(COLUMNS)
    outcome = Outcome(verb="t", parameters={}, parents=(version.parent,), contents={"d": grouped}, rows_in=5)
    commit(people, lambda: outcome)
    redact(people, "d")
    assert {tuple(g) for g in open_dataset(people, "d").groups().values()} == {("[EMAIL_1]",)}


def see_mail(_place: str, _words: str, text: str) -> str | None:
    changed = text.replace("a@b.co", "[EMAIL_1]").replace("4111111111111111", "[CARD_1]")
    return None if changed == text else changed


def test_every_part_of_every_kind_of_row_is_walked():
    calls = json.dumps([{"function": {"name": "f", "arguments": '{"to": "a@b.co", "pan": 4111111111111111}'}}])
    chat = Messages(
        turns=(Message(role="system", content="a@b.co"), Message(role="assistant", tool_calls=calls)), tools=None
    )
    row = walk_row(Example(input=chat, target="to a@b.co"), see_mail)
    text = row.model_dump_json()
    assert "a@b.co" not in text
    assert "4111" not in text
    arguments = json.loads(row.input.turns[1].tool_calls)[0]["function"]["arguments"]
    assert json.loads(arguments) == {"to": "[EMAIL_1]", "pan": "[CARD_1]"}
    pair = walk_row(Preference(input={"q": ["a@b.co"]}, chosen="a@b.co", rejected="no"), see_mail)
    assert pair.input == {"q": ["[EMAIL_1]"]}
    assert (pair.chosen, pair.rejected) == ("[EMAIL_1]", "no")
    plain = Example(input={"q": "x"}, target='{"a":1.0}')
    assert walk_row(plain, see_mail) is plain


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_a_json_text_stays_json_and_nothing_else_changes(value):
    text = json.dumps({"v": value, "mail": "a@b.co"})
    after = json.loads(walk_text(text, "p", "", see_mail))
    assert after["mail"] == "[EMAIL_1]"
    assert after["v"] == json.loads(json.dumps(value))


def test_two_keys_of_one_person_both_go():
    def see(_place: str, _words: str, text: str) -> str | None:
        return "[EMAIL_1]" if "@" in text else None

    walked = json.loads(walk_text('{"a@b.co": 1, "A@b.co": 2, "c": 3}', "input", "", see))
    assert walked == {"[EMAIL_1]": 1, "[EMAIL_1] 2": 2, "c": 3}


@given(st.lists(st.tuples(st.sampled_from(["email", "us-ssn"]), st.sampled_from("abcd"))))
def test_a_pseudonym_is_one_to_one_and_a_forgotten_number_stays_taken(asked):
    mapping = Pseudonyms()
    given_to = {(kind, value): mapping.of(kind, value) for kind, value in asked}
    assert len(set(given_to.values())) == len(given_to)
    before = dict(mapping.next)
    mapping.forget(set(given_to))
    assert mapping.next == before
    assert all(mapping.of(kind, "new") not in given_to.values() for kind in ("email", "us-ssn"))


def test_originals_come_back_in_the_place_of_their_copies(people):
    before = set(open_dataset(people, "d").frame()["row"])
    redact(people, "d")
    redacted = set(open_dataset(people, "d").frame()["row"])
    result = restore(people, "d", reason="redacted")
    assert (result.restored, result.replaced, result.side_by_side) == (3, 3, 0)
    assert set(open_dataset(people, "d").frame()["row"]) == before
    again = restore(people, "d", reason="restored")  # and the other way round
    assert (again.restored, again.replaced) == (3, 3)
    assert set(open_dataset(people, "d").frame()["row"]) == redacted


def test_a_copy_that_stands_for_others_too_stays(tmp_path, lines):
    project = Project(tmp_path)
    records = [
        {"body": "mail me: [EMAIL_1]", "label": "x"},
        {"body": f"mail me: {JANE[0]}", "label": "x"},
        {"body": f"mail me: {JANE[1]}", "label": "x"},
        {"body": f"write: {JANE[0]}", "label": "x"},
        {"body": f"write: {JANE[1]}", "label": "x"},
    ]
    add(project, "d", [lines(tmp_path / "d.jsonl", *records)], ReadOptions(input="body", target="label"))
    redact(project, "d")
    made = open_dataset(project, "d")
    assert made.manifest.rows == 2
    texts = {row.row: row.input for row in dropped_rows(made)}
    wrote = [row for row, text in texts.items() if "write" in json.dumps(text)]
    one = restore(project, "d", [wrote[0]])
    assert (one.restored, one.replaced, one.side_by_side) == (1, 0, 1)
    two = restore(project, "d", [wrote[1]])
    assert (two.restored, two.replaced, two.rows) == (1, 1, 3)
    rest = restore(project, "d", reason="redacted")
    assert (rest.restored, rest.replaced, rest.side_by_side, rest.rows) == (
        2,
        0,
        1,
        5,
    )  # the first line was there before
