"""`--map`: templates over the columns of a record make any row, and no template or record gets more than that."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.core.rows import Example, Preference, Text, Unpaired, chat_row
from sluice.curate.formats import ReadOptions, ReadResult, read_file
from sluice.curate.formats.shapes import sandbox

RECORD = {"subject": "Parcel", "body": "Where is it?", "label": "Delivery", "n": 3, "tags": ["a", "b"], "é ß": "odd"}


ASKED = {"input": "Where is it?"}
CHAT = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "ok"}]


def example(text: str, target: str | None = None) -> Example:
    return Example(input={"input": text}, target=target)


def read(folder: Path, *pairs: str, records: list[dict[str, Any]] | None = None) -> ReadResult:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records or [RECORD]))
    return read_file(path, ReadOptions(map=pairs))


@pytest.mark.parametrize(
    ("pairs", "row"),
    [
        (("input={{subject}}\\n{{body}}", "target={{label | lower}}"), example("Parcel\nWhere is it?", "delivery")),
        (("input.what={{body}}", "input.n={{ n }}"), Example(input={"what": "Where is it?", "n": "3"})),
        (("text={{subject}}: {{body}}",), Text(input={"text": "Parcel: Where is it?"})),
        (("input={{body}}", "chosen=yes", "rejected=no"), Preference(input=ASKED, chosen="yes", rejected="no")),
        (("input={{body}}", "answer=x", "good={{ n > 2 }}"), Unpaired(input=ASKED, answer="x", good=True)),
        (("input={% for t in tags %}{{ loop.index }}{{ t }}{% endfor %}",), Example(input={"input": "1a2b"})),
        (("input={{ record['é ß'] }}{{ tags[1] }}{{ tags }}",), Example(input={"input": 'oddb["a","b"]'})),
        (("input={{ body | replace('it', 'he') | trim }}",), Example(input={"input": "Where is he?"})),
        (
            ("input={{body}}", "system=Be {{n}}.", "target=ok"),
            chat_row([{"role": "system", "content": "Be 3."}, *CHAT]),
        ),
        (
            ('messages=[{"role": "user", "content": {{ body | tojson }}}]', "target=ok"),
            chat_row(CHAT),
        ),
    ],
)  # fmt: skip
def test_a_mapping_makes_every_kind_of_row(tmp_path: Path, pairs: tuple[str, ...], row: Any):
    result = read(tmp_path, *pairs)
    assert (result.shape, result.set_aside) == ("map", [])
    assert result.rows[0].row == row


def test_a_column_that_is_changed_on_the_way_stays_beside_the_row(tmp_path: Path):
    (row,) = read(tmp_path, "input={{body}}", "target={{label | lower}}").rows
    assert row.metadata == {k: v for k, v in RECORD.items() if k != "body"}


def test_a_column_whose_name_begins_with_an_underscore_is_a_column(tmp_path: Path):
    records = [{"_id": "A1", "q": {"_text": "where?"}, "a": "here"}]
    (row,) = read(tmp_path, "input={{ _id }}: {{ q._text }}", "target={{ a }}", records=records).rows
    assert row.row == example("A1: where?", "here")


def test_an_empty_cell_gives_nothing_and_a_name_that_is_no_column_is_refused(tmp_path: Path):
    records = [RECORD, {"subject": "only"}, {"n": 1}]
    result = read(tmp_path, "input={{subject}}{{body}}", "target={{label}}", records=records)
    assert [r.row for r in result.rows[1:]] == [Example(input={"input": "only"})]
    assert [a.reason for a in result.set_aside] == ["no input"]
    with pytest.raises(InputError, match="'sbject'") as problem:
        read(tmp_path, "input={{sbject}}")
    assert "'subject'" in (problem.value.remedy or "")


@pytest.mark.parametrize(
    "pairs",
    [
        ("body",),
        ("inptu={{body}}",),
        ("target={{label}}",),
        ("input={{body}}", "input={{label}}"),
        ("input={{body}}", "input.x={{label}}"),
        ("input={{body}}", "chosen=x"),
        ("input={{body}}", "target=x", "answer=x", "good=1"),
        ("text={{body}}", "target=x"),
        ("input.x={{body}}", "system=s"),
    ],
)
def test_fields_that_make_no_row_are_refused_with_a_remedy(tmp_path: Path, pairs: tuple[str, ...]):
    with pytest.raises(UsageError) as problem:
        read(tmp_path, *pairs)
    assert problem.value.remedy


@pytest.mark.parametrize(
    "template",
    [
        "{{ body.__class__ }}",
        "{{ body['__class__']['__mro__'] }}",
        "{{ body.format }}",
        "{{ body.upper() }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ body | attr('__class__') }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum() }}",
        "{{ range(10 ** 9) | list }}",
        "{{ 'x' * 10000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ body | center(1000000000) }}",
        "{{ body | format(1) }}",
        "{{ body | indent(1000000000) }}",
        "{{ body | map('upper') | list }}",
        "{% set x = body ~ body %}{{ x }}",
        "{% macro m() %}x{% endmacro %}{{ m() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% for a in tags recursive %}{{ loop(a) }}{% endfor %}",
        "{% call body() %}{% endcall %}",
        "{{ self }}",
        "{{ record._x }}",
        "{{ tags | _counted(_sluice_budget) }}",
        "{{ _sluice_budget.turns }}",
        "{% filter upper %}{{ body }}{% endfilter %}",
        "{{ body",
        "{% for %}",
        "{{ " + "(" * 3000 + "body" + ")" * 3000 + " }}",
        "{{ " + " ~ ".join(["body"] * 8000) + " }}",
    ],
)
def test_what_a_mapping_may_not_do_is_refused_before_a_record_is_read(tmp_path: Path, template: str):
    start = time.monotonic()
    with pytest.raises(InputError) as problem:
        read(tmp_path, f"input={template}")
    assert time.monotonic() - start < 5
    assert problem.value.exit_code == 2
    assert len(str(problem.value)) < 2000


def _loops(depth: int) -> str:
    return "{% for a in tags %}" * depth + "{% endfor %}" * depth


SLOW = "{% for a in tags %}{% if body | upper == a %}x{% endif %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "record"),
    [
        (_loops(6) + "x", {"tags": list(range(50))}),
        (_loops(2) + "x", {"tags": ["x" * 1000] * 5000}),
        (SLOW, {"tags": [1] * 90_000, "body": "y" * 400_000}),
        ("{{ body | replace('y', body) }}", {"body": "y" * 10_000}),
        ("{{ tags | join(body) }}", {"tags": [1] * 5_000, "body": "y" * 10_000}),
        ("{% for a in tags %}{{ body }}{% endfor %}", {"tags": [1] * 5_000, "body": "y" * 10_000}),
        ("{{ body | int }}", {"body": "9" * 100_000}),
        ("{{ body | int }}", {"body": "abc"}),
        ("{{ body | fromjson }}", {"body": "[" * 100_000}),
    ],
)  # fmt: skip
def test_a_hostile_record_is_set_aside_and_its_neighbour_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, record: dict[str, Any]
):
    monkeypatch.setattr(sandbox, "MOST_SECONDS", 0.5)
    start = time.monotonic()
    result = read(tmp_path, f"input=ok {template}", records=[record | {"id": 1}, {"tags": [], "body": "0", "id": 2}])
    assert time.monotonic() - start < 5
    assert [r.metadata["id"] for r in result.rows] == [2]
    assert [a.line for a in result.set_aside] == [1]


values = st.recursive(
    st.none() | st.text(max_size=5) | st.integers(),
    lambda v: st.lists(v, max_size=2) | st.dictionaries(st.text(max_size=3), v, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b"]), values))
def test_a_record_is_text_and_never_a_template(record: dict[str, Any]):
    template, reads = sandbox.compile_mapping("input", "{{ record.a }}|{{ b }}")
    assert reads == {"record", "b"}
    cells: dict[str, Any] = {"a": None, "b": None} | record  # in this order
    told = sandbox.fill("input", template, cells)
    shown = [
        ("" if v is None else v if isinstance(v, str) else sandbox.dump_exact(v)) for v in (cells["a"], cells["b"])
    ]
    assert told == "|".join(shown)
    braces = {"a": "{{ b }}", "b": "{% for x in b %}"}
    assert sandbox.fill("input", template, braces) == "{{ b }}|{% for x in b %}"
