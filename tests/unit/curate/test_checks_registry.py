"""Every registered check: documented, true to its examples, `absent` without its inputs, unmoved by ugly rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, Message, Messages, Preference, Text, Unpaired
from sluice.curate.checks import CHECKS, Check, CheckContext, CheckSpec, Examples, Found, file_check

ALL = CHECKS.names()
EXPECTED = {
    "fail": {"empty", "conflict", "schema", "overlong", "dev-in-train", "leak", "pairs"},
    "warn": {
        *("balance", "lengths", "personal", "unlabelled", "repeated", "refusal", "boilerplate", "see-above"),
        *(
            "truncated",
            "unclosed",
            "echo",
            "same-answer",
            "near-constant",
            "language",
            "mojibake",
            "markup",
            "template",
        ),
        *("near-pairs", "chosen-longer", "shared-prefix", "drift", "drift-eval", "diversity", "near-duplicates"),
        "spread",
        *("format-tells", "pair-position", "pair-cycles"),
        *("gopher", "gopher-repetition", "c4", "fineweb", "label-errors"),
    },
}
WITHOUT: dict[str, dict[str, Any]] = {
    "schema": {"schema": None},
    "tokenizer": {"count_tokens": None},
    "dev": {"dev_rows": None},
    "eval": {"eval_rows": None},
    "before": {"before_rows": None},
    "model": {"embed": None},
}
OF_ANSWERS = {
    *("schema", "conflict", "balance", "refusal", "boilerplate", "truncated", "unclosed", "echo", "same-answer"),
    *("near-constant", "near-pairs", "chosen-longer", "shared-prefix", "gopher", "gopher-repetition", "c4", "fineweb"),
    *("diversity", "language", "label-errors", "spread", "format-tells", "pair-position", "pair-cycles"),
}
"""Absent where there is no answer, no pair, no text row, or too few words or rows."""


def test_the_checks_and_their_severities_are_the_documented_ones():
    assert {s: {n for n, c in CHECKS if c.spec.severity == s} for s in ("fail", "warn")} == EXPECTED


@pytest.mark.parametrize("name", ALL)
def test_is_documented(name: str):
    check = CHECKS.get(name)
    spec = check.spec
    assert spec.name == name
    assert len(spec.what) > 10
    assert len(spec.threshold) > 10
    assert len(spec.source) > 10
    assert (spec.limit is None) == ("{limit}" not in spec.threshold)
    assert spec.limit is None or spec.limits[0] <= spec.limit <= spec.limits[1]
    assert "{dataset}" in spec.remedy
    assert "sluice " in spec.remedy
    assert type(check).__doc__


@pytest.mark.parametrize("name", ALL)
def test_finds_its_own_example_and_passes_the_other(name: str):
    check = CHECKS.get(name)
    examples = check.examples()
    found, ok = check.run(examples.found), check.run(examples.ok)
    assert found.status == "found"
    assert found.rows
    assert found.count >= 1
    assert found.remedy
    assert {f.row for f in found.rows} <= {row.row for row in examples.found.rows} | {None}
    assert (ok.status, ok.rows, ok.count, ok.missing) == ("ok", (), 0, ())
    assert found.summary
    assert ok.summary


@pytest.mark.parametrize("name", ALL)
def test_a_missing_input_is_absent_never_ok(name: str):
    check = CHECKS.get(name)
    examples = check.examples()
    for context in (examples.found, examples.ok):
        gaps: list[dict[str, Any]] = [{"rows": []}, *(WITHOUT[need] for need in check.spec.needs)]
        if "tokenizer" in check.spec.needs:
            gaps += [{"max_tokens": None}, {"max_tokens": 0}]
        gaps += [{f"{part}_rows": []} for part in ("dev", "eval", "before") if part in check.spec.needs]
        for gap in gaps:
            result = check.run(replace(context, **gap))
            assert result.status == "absent", gap
            assert result.missing
            assert not result.rows
            assert result.summary.startswith("absent")


@pytest.mark.parametrize("name", ALL)
def test_rows_without_an_answer_do_not_pass_a_check_of_answers(name: str):
    check = CHECKS.get(name)
    rows: list[AnyRow] = [Example(input={"text": f"a message, number {i}"}) for i in range(6)]
    result = check.run(replace(check.examples().ok, rows=rows))
    if name in OF_ANSWERS:
        assert result.status == "absent"
    elif name == "unlabelled":
        assert (result.status, result.count) == ("found", 6)
    elif name == "near-duplicates":
        assert (result.status, result.count) == ("found", 1)  # one message with other figures
    else:
        assert result.status == "ok"


TEXT = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "\u200b\ufeff", "\x00", "?", "{", "{}", "[]", '{"category":', '{"category":1e999}', "null", "ﷺ",
         "👩‍👩‍👧",
         "a" * 20_000, "ไทย", '{"category":"x"}', "4111 1111 1111 1111", "A\u0301", "[" * 5000, "-1", "1e400"]
    ),
)  # fmt: skip
FIELDS = st.dictionaries(st.text(max_size=6), st.one_of(TEXT, st.none(), st.integers(), st.booleans()), max_size=3)
TURN = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=TEXT,
    tool_calls=st.sampled_from([None, "[]", '[{"function":{"name":"f","arguments":"{}"}}]']),
)
CHAT = st.builds(Messages, turns=st.lists(TURN, max_size=3).map(tuple), tools=st.sampled_from([None, "[]"]))
INPUT = st.one_of(FIELDS, CHAT)
ROW = st.one_of(
    st.builds(Example, input=INPUT, target=st.one_of(st.none(), TEXT), target_form=st.sampled_from(["text", "call"])),
    st.builds(Preference, input=INPUT, chosen=TEXT, rejected=TEXT),
    st.builds(Unpaired, input=INPUT, answer=TEXT, good=st.booleans()),
    st.builds(lambda text: Text(input={"text": text}), TEXT),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"category": {"type": ["string", "number"], "multipleOf": 0.1, "pattern": "^.{0,3}$", "maximum": 9}},
}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROW, max_size=8), others=st.lists(ROW, max_size=4), path=st.sampled_from([None, "target.a", "x"]))
def test_ugly_rows_never_raise_and_findings_name_rows_that_are_there(
    rows: list[AnyRow], others: list[AnyRow], path: str | None
):
    context = CheckContext(
        rows,
        schema=SCHEMA,
        count_tokens=lambda row: len(str(row.input)),
        max_tokens=40,
        dev_rows=others,
        eval_rows=others,
        before_rows=others,
        corpus=path is None,
        stratify=path,
    )
    known = {row.row for row in rows}
    for name, check in CHECKS:
        result = check.run(context)
        assert result.status in ("ok", "found", "absent"), name
        assert (result.status == "found") == bool(result.rows)
        assert all(f.row is None or f.row in known for f in result.rows)
        assert result.count <= max(len(rows), len(result.rows))
        assert rows or result.status == "absent"
        result.model_dump_json()


def test_a_name_is_taken_once_and_an_unknown_one_is_answered_with_the_near_one():
    class Mine(Check):
        """A second check of a name that is ours."""

        spec = CheckSpec(name="empty", severity="warn", what="w", threshold="t", remedy="r")

        def find(self, context: CheckContext) -> Found:
            return Found()

        def examples(self) -> Examples:
            return Examples(context, context)

    context = CheckContext([])
    with pytest.raises(InputError, match="taken"):
        file_check(Mine)
    with pytest.raises(InputError) as caught:
        CHECKS.get("conflcit")
    assert "conflict" in str(caught.value)


@pytest.mark.parametrize("name", CHECKS.names())
def test_what_speaks_of_the_whole_set_says_so_and_names_no_row(name: str):
    check = CHECKS.get(name)
    assert check.run(check.examples().found).droppable != check.spec.whole
