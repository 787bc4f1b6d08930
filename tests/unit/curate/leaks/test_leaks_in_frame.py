"""Leaks over columns are those over rows: what is left out could not have been one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, Preference, chat_row
from sluice.curate.dataset import rows_frame
from sluice.curate.leaks import in_frame as module
from sluice.curate.leaks.find import find_leaks
from sluice.curate.leaks.in_frame import candidates, leaks_in_frame
from sluice.curate.similar.folding import blocks
from sluice.curate.similar.row_texts import row_texts
from sluice.curate.similar.similarity import Boilerplate, Relation, ngrams, normalise

WORDS = [
    "order",
    "Late",
    "please!",
    "refund",
    "my",
    "parcel",
    "jazz",
    "Straße",
    "the",
    "blue",
    "ﬁne",
    "again",
    "退货",
    "…",
]
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=16).map(" ".join)
anything = st.text(max_size=40) | sentences
turns = st.lists(sentences, min_size=1, max_size=3)


def chat(texts: list[str]) -> AnyRow:
    said = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
    return chat_row([{"role": "system", "content": "You are kind to everyone who writes."}, *said])


rows_of_any_kind = st.one_of(
    st.builds(lambda a, b: Example(input={"t": a}, target=b or None), sentences, sentences),
    st.builds(
        lambda a, b, c: Example(input={"q": a, "context": b, "n": c}, target="x"), sentences, sentences, anything
    ),
    st.builds(lambda a, b: Example(input={"target": a, "deep": {"k": b}}, target="x"), sentences, sentences),
    st.builds(lambda a, b, c: Preference(input={"p": a}, chosen=b, rejected=c), sentences, sentences, sentences),
    turns.map(chat),
)
collections = st.lists(rows_of_any_kind, min_size=1, max_size=20, unique_by=lambda r: r.row)


@settings(deadline=None, max_examples=150)
@given(collections, collections, st.booleans())
def test_the_same_leaks_as_over_rows(rows: list[AnyRow], eval_rows: list[AnyRow], boilerplate: bool):
    some = [g for text in ("my parcel jazz the blue", "please my") for s in ("word", "char") for g in ngrams(text, s)]
    relation = Relation(Boilerplate.of(some)) if boilerplate else Relation()
    groups = {row.row: [f"g{row.row[0]}"] for row in (*rows, *eval_rows) if row.row[0] in "01234"}
    edges = [(rows[0].row, eval_rows[-1].row)] if rows[0].row[1] in "0123" else []
    expected = find_leaks(rows, eval_rows, relation, groups, edges=edges)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", 0)
        found = leaks_in_frame(rows_frame(rows, groups), eval_rows, relation, groups, edges)
    assert found == expected


def test_rows_that_share_little_are_left_out():
    rows: list[AnyRow] = [Example(input={"t": f"order {n} of the blue {n * 7} parcel {n} jazz {n}"}) for n in range(50)]
    touched = candidates(rows_frame(rows), [rows[3]], Relation())
    assert touched[3]
    assert touched.sum() < 5


ascii_texts = st.text(st.characters(max_codepoint=127), max_size=12)
awkward = st.one_of(ascii_texts, anything, st.sampled_from(["", "?", '"', "\\", "\\u0041", "a\tb\nc", "{}", "\u007f"]))
plain_rows = st.builds(
    lambda fields, target: Example(input=fields, target=target or None),
    st.dictionaries(st.text(st.characters(codec="ascii"), max_size=3), awkward | st.none() | st.integers(), max_size=3),
    awkward,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(plain_rows | rows_of_any_kind, min_size=1, max_size=12))
def test_texts_folded_from_arrow_are_those_of_rows(rows: list[AnyRow]):
    found: list[tuple[int, str]] = []
    for _, some in blocks(rows_frame(rows), 5):
        for block in some:
            assert (block.rows[1:] >= block.rows[:-1]).all()
            found += [(number, block.segments.text(n)[0]) for n, number in enumerate(block.rows.tolist())]
    wanted = [(n, text) for n, row in enumerate(rows) for raw in row.texts().values() if (text := normalise(raw))]
    assert sorted(text for text in found if text[1]) == sorted(wanted)


@settings(deadline=None, max_examples=60)
@given(collections)
def test_texts_of_columns_are_those_of_rows(rows: list[AnyRow]):
    found: dict[int, dict[str, str]] = {}
    for batch in row_texts(rows_frame(rows), batch=3):
        columns: Any = zip(batch.rows, batch.fields, batch.texts, strict=True)
        for number, field, text in columns:
            found.setdefault(number, {})[field] = text
    assert found == {n: {k: v for k, v in row.texts().items() if v} for n, row in enumerate(rows)}
