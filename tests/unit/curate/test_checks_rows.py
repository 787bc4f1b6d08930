"""Checks of single rows: blank, unlabelled, equal pairs, schema, token limit, lengths, personal data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, Message, Messages, Preference, Text, Unpaired
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.checks.empty import is_blank
from sluice.curate.checks.lengths import quantiles


def named(check: str, context: CheckContext) -> list[int]:
    """Return the places of the rows that a check names."""
    found = {f.row for f in CHECKS.get(check).run(context).rows}
    return [i for i, row in enumerate(context.rows) if row.row in found]


def ask(text: str, target: str | None = "x", **rest: Any) -> Example:
    return Example(input={"text": text}, target=target, **rest)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0\u2003", "\u200b\u200d\ufeff", "\x00\x1f", "\u2060 \u00ad"])
def test_text_that_shows_nothing_is_blank(text: str):
    assert is_blank(text)


@pytest.mark.parametrize("text", ["0", "?", "\u200b.", "null", "👍", "ا"])
def test_text_that_shows_something_is_not(text: str):
    assert not is_blank(text)


def test_empty_names_blank_inputs_and_answers_of_every_kind_but_not_absent_ones():
    talk = Messages(turns=(Message(role="system", content="Be brief."), Message(role="user", content=" ")))
    call = Messages(turns=(Message(role="assistant", content="", tool_calls='[{"id":"1"}]'),))
    rows: list[AnyRow] = [
        ask("fine"),
        ask("fine, no target", None),
        ask(" "),
        ask("blank target", "\u200b"),
        Example(input={}, target="x"),
        Example(input={"a": "", "b": None}, target="x"),
        Example(input={"a": "", "b": 0}, target="x"),
        Example(input=talk, target="x"),
        Example(input=call, target="x"),
        Preference(input={"text": "q"}, chosen="a", rejected=""),
        Unpaired(input={"text": "q"}, answer=" ", good=False),
        Text(input={"text": "\n"}),
        Text(input={"text": "prose"}),
    ]
    assert named("empty", CheckContext(rows)) == [2, 3, 4, 5, 7, 9, 10, 11]
    assert named("unlabelled", CheckContext(rows)) == [1]
    details = {f.row: f.detail for f in CHECKS.get("empty").run(CheckContext(rows)).rows}
    assert details[rows[9].row] == "blank rejected"


def test_pairs_names_equal_answers_after_folding_of_blanks_and_nfc():
    rows: list[AnyRow] = [
        Preference(input={"q": "1"}, chosen="é  a", rejected="e\u0301 a\n"),
        Preference(input={"q": "2"}, chosen="A", rejected="a"),
        ask("equal to nothing"),
    ]
    assert named("pairs", CheckContext(rows)) == [0]


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["category", "order"],
    "properties": {"category": {"enum": ["a", "b"]}, "order": {"type": ["string", "null"]}, "n": {"type": "integer"}},
    "additionalProperties": False,
}


def test_schema_names_what_is_no_json_and_what_breaks_the_schema():
    targets = [
        '{"category":"a","order":null}',
        '{"category":"c","order":null}',
        '{"category":"a"}',
        '{"category":"a","order":null,"more":1}',
        '{"category":"a","category":"b","order":null}',
        "billing",
        '```json\n{"category":"a","order":null}\n```',
        '{"category":"a","order":null,"n":1.0}',
        '{"category":"a","order":null,"n":123456789012345678901234567890.5}',
        "null",
        '{"category":"a","order":null,"n":1e400}',
        '{"category":"a","order":null,"n":1e-999999999}',
    ]
    rows: list[AnyRow] = [ask(f"row {i}", target) for i, target in enumerate(targets)]
    assert named("schema", CheckContext(rows, schema=SCHEMA)) == [1, 2, 3, 4, 5, 6, 8, 9]  # 1e-999999999 is taken for 0


def test_schema_looks_only_at_what_is_taught_and_counts_calls_apart():
    good, bad = '{"category":"a","order":null}', "no json"
    rows: list[AnyRow] = [
        Preference(input={"q": "1"}, chosen=good, rejected=bad),
        Preference(input={"q": "2"}, chosen=bad, rejected=good),
        Unpaired(input={"q": "3"}, answer=bad, good=False),
        Unpaired(input={"q": "4"}, answer=bad, good=True),
        ask("5", '{"role":"assistant"}', target_form="call"),
        ask("6", None),
    ]
    result = CHECKS.get("schema").run(CheckContext(rows, schema=SCHEMA))
    assert named("schema", CheckContext(rows, schema=SCHEMA)) == [1, 3]
    assert result.figures == {"checked": 3, "invalid": 2, "calls_not_checked": 1}
    assert CHECKS.get("schema").run(CheckContext(rows[4:5], schema=SCHEMA)).status == "absent"


def test_schema_never_reaches_out_and_says_where_it_is_broken():
    rows = [ask("q", '{"a":"b"}')]
    for schema in (
        {"$ref": "https://example.invalid/schema.json"},
        {"properties": {"a": {"$ref": "#/$defs/lost"}}},
        {"properties": {"a": {"pattern": "("}}},
    ):
        with pytest.raises(InputError) as caught:
            CHECKS.get("schema").run(CheckContext(rows, schema=schema))
        assert caught.value.where == "schema"
        assert caught.value.remedy


def test_a_schema_message_does_not_repeat_personal_data():
    result = CHECKS.get("schema").run(CheckContext([ask("q", '"jane.doe@example.com"')], schema={"type": "object"}))
    assert result.count == 1
    assert "jane.doe@example.com" not in result.model_dump_json()


def test_overlong_holds_rows_against_the_limit_and_names_those_that_cannot_be_rendered():
    rows = [ask("a"), ask("b" * 10), ask("b" * 11), ask("raise")]

    def count(row: AnyRow) -> int:
        text = row.texts()["text"]
        if text == "raise":
            raise InputError("a turn is lost in the template")
        return len(text)

    context = CheckContext(rows, count_tokens=count, max_tokens=10)
    result = CHECKS.get("overlong").run(context)
    assert named("overlong", context) == [2, 3]
    assert [f.detail for f in result.rows] == [
        "11 tokens, limit 10",
        "cannot be rendered: a turn is lost in the template",
    ]
    assert result.figures["tokens"]["max"] == 11
    assert result.figures["total_tokens"] == 22
    assert CHECKS.get("overlong").run(replace(context, max_tokens=None)).status == "absent"


def test_lengths_names_rows_eight_times_the_median_but_no_short_ones():
    usual = [ask(f"{i:>40}") for i in range(9)]
    rows = [*usual, ask("y" * 320), ask("y" * 321), ask("z", "t" * 199), ask("zz", "t" * 201)]
    assert named("lengths", CheckContext(rows)) == [10, 12]


def test_quantiles_are_those_of_linear_interpolation():
    assert quantiles([1, 2, 3, 4]) == {"min": 1.0, "p50": 2.5, "p95": 3.85, "p99": 3.97, "max": 4.0}
    assert quantiles([]) == {}


def test_personal_looks_at_every_text_and_shows_none_of_it():
    mail, card = "jane.doe@example.com", "4111 1111 1111 1111"
    chat = Messages(turns=(Message(role="user", content="hi"), Message(role="assistant", content=f"to {mail}?")))
    rows: list[AnyRow] = [
        ask("order A-48213 of 2024-05-01"),
        ask("fine", f'{{"card":"{card}"}}'),
        Example(input=chat, target="ok"),
        Example(input={"target": mail}, target="hides the field of the same name"),
        Preference(input={"q": "a"}, chosen="b", rejected=mail),
        Text(input={"text": " ".join(f"u{i}@example.org" for i in range(9))}),
    ]
    result = CHECKS.get("personal").run(CheckContext(rows))
    assert named("personal", CheckContext(rows)) == [1, 2, 3, 4, 5]
    assert (result.figures["email"], result.figures["card"]) == (12, 1)
    assert "and 4 more" in result.rows[-1].detail
    shown = result.model_dump_json()
    assert all(secret not in shown for secret in (mail, card, "jane", "4111"))
