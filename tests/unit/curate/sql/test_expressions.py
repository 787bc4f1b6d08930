"""Expressions over rows: what each name means, null, names that clash or need quotes, errors with their place."""

from __future__ import annotations

import pytest

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Example, Message, Messages, Preference
from sluice.curate.checks import CheckContext
from sluice.curate.sql.ask import judge, select
from sluice.curate.sql.names import Names, one_sort

ROWS: list[AnyRow] = [
    Example(input={"text": "Where is it?", "order": "A-1", "n": 1}, target='{"category":"delivery","tags":["x","y"]}'),
    Example(input={"text": "I was charged twice", "order": "B-2", "n": 20}, target='{"category":"billing","tags":[]}'),
    Example(input={"text": "Ünïcödé \"quotes\" 'n' all", "n": 3}, target='{"category":"billing","tags":["x"]}'),
    Example(input=Messages(turns=(Message(role="user", content="Is it open?"),)), target="no JSON here"),
    Example(input={"text": "nothing yet", "n": 5}),
]
BESIDE = {
    ROWS[0].row: {"customer": "c1", "order": "other", "language": "xx", "sel ect": 1, "a.b": True},
    ROWS[1].row: {"customer": "c2", "language": "de", "sel ect": 2, "a.b": False},
}
NAMES = Names(CheckContext(ROWS, metadata=BESIDE, count_tokens=lambda row: len(str(row.input))))


def true_of(expression: str) -> list[int]:
    values = judge(expression, NAMES, lambda check: {ROWS[0].row} if check == "echo" else set()).values
    return [i for i, value in enumerate(values) if value]


@pytest.mark.parametrize(
    "expression, places",
    [
        ("n > 3", [1, 4]),
        ("input.n = 20 OR metadata.customer = 'c1'", [0, 1]),
        ("category = 'billing'", [1, 2]),
        ("target.category <> 'billing'", [0]),
        ("contains(target.tags, 'x')", [0, 2]),
        ("len(target.tags) = 0", [1]),
        ("target LIKE '%JSON%'", [3]),
        ("target IS NULL", [4]),
        ("kind = 'example' AND input_words = 3", [3, 4]),
        ("target_chars > 39", [0]),
        ("labels = 1", [0, 1, 2, 3]),
        ("input.order = 'A-1' AND metadata.\"order\" = 'other'", [0]),
        ('"sel ect" = 2', [1]),
        ('"a.b"', [0]),
        ("metadata.language = 'de'", [1]),
        ("computed.language IS NULL", [0, 1, 2, 3, 4]),
        ("failing('echo')", [0]),
        ("NOT failing('echo') AND n < 6", [2, 4]),
        ("regexp_matches(text, '^I ')", [1]),
        ("text ILIKE '%QUOTES%'", [2]),
        ("n BETWEEN 2 AND 5", [2, 4]),
        ("CASE WHEN n > 10 THEN true ELSE false END", [1]),
        ("coalesce(n, 0) = 0", [3]),
        ("try_cast(text AS DOUBLE) IS NULL", [0, 1, 2, 3, 4]),
        ("tokens > 0", [0, 1, 2, 3, 4]),
        ("similarity < 0.5", [0, 1, 2, 3]),
        ("input = 'Is it open?'", [3]),
        ("true -- with a remark", [0, 1, 2, 3, 4]),
    ],
)
def test_names_mean_what_the_page_says(expression: str, places: list[int]):
    assert true_of(expression) == places


def test_what_is_absent_is_neither_true_nor_false():
    judged = judge("metadata.customer = 'c1'", NAMES, lambda check: ())
    assert judged.values == (True, False, None, None, None)
    assert judged.columns == ("metadata.customer",)
    assert judge("n > 3 AND failing('echo')", NAMES, lambda check: ()).checks == ("echo",)


@pytest.mark.parametrize(
    "expression, character, hint",
    [
        ("n > 1 AND categry = 'x'", 11, "category"),
        ("Ünï = 1", 1, "there are"),
        ("language = 'en'", 1, "metadata.language"),
        ("\"order\" = 'A-1'", 1, "input.order"),
        ("n > 1 AND lowr(text) = 'x'", 11, "lower"),
        ("text = 'ü' AND getenv('x') = 'y'", 16, "allowed"),
        ("n > 1 AND failing(n)", 11, "failing('truncated')"),
        ("metadata.custmer = 'x'", 1, "metadata.customer"),
    ],
)
def test_an_error_points_at_the_place_and_names_what_is_near(expression: str, character: int, hint: str):
    with pytest.raises(InputError) as caught:
        judge(expression, NAMES, lambda check: ())
    assert caught.value.where == f"the expression, character {character}"
    assert hint in str(caught.value.remedy)


@pytest.mark.parametrize("expression", ["n", "text || 'x'", "n > 'abc'", "text > 3", "target.tags", "'yes'"])
def test_what_is_no_condition_over_these_values_is_one_clear_error(expression: str):
    with pytest.raises(InputError) as caught:
        judge(expression, NAMES, lambda check: ())
    assert caught.value.remedy


def test_tokens_without_a_tokenizer_are_an_error_not_a_guess():
    with pytest.raises(InputError, match="tokenizer"):
        judge("tokens > 3", Names(CheckContext(ROWS)), lambda check: ())


def test_values_of_mixed_sorts_become_text_and_none_is_lost():
    assert one_sort([1, 2.5, None]) == [1.0, 2.5, None]
    assert one_sort([True, 1]) == ["true", "1"]
    assert one_sort(["a", 1, {"b": None}]) == ["a", "1", '{"b":null}']
    assert one_sort([["a"], None]) == [["a"], None]
    assert one_sort([10**30]) == [str(10**30)]


def test_a_select_sees_columns_groups_and_windows():
    found = select("SELECT r.row, r.category AS detail FROM rows r WHERE r.category = 'billing'", NAMES, "x")
    assert found == [(ROWS[1].row, "billing"), (ROWS[2].row, "billing")]
    ranked = select(
        "SELECT row FROM (SELECT row, row_number() OVER (ORDER BY n DESC) AS k FROM rows WHERE n IS NOT NULL) WHERE "
        "k = 1",
        NAMES,
        "x",
    )
    assert ranked == [(ROWS[1].row, None)]
    assert len(select("SELECT * FROM rows", NAMES, "x")) == 5


def test_a_preference_row_has_its_two_answers():
    pair = Preference(input={"q": "?"}, chosen="yes", rejected="no no")
    names = Names(CheckContext([pair]))
    assert judge("chosen = 'yes' AND rejected = 'no no' AND target = chosen", names, lambda c: ()).values == (True,)
