"""Inputs that stand in documents are the same over columns as over rows: what is left out could not have been one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, chat_row
from sluice.curate.dataset import rows_frame
from sluice.curate.leaks import in_documents as module
from sluice.curate.leaks.find import Leak, find_leaks_in_texts
from sluice.curate.leaks.in_documents import candidates, leaks_of_documents
from sluice.curate.similar import densest
from sluice.curate.similar.similarity import Boilerplate, Relation, ngrams, stretch

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
    "退货",
    "…",
    "12",
]
CHINESE = "请问我的包裹什么时候能到我想退货并且要求全额退款谢谢您的帮助"
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
unspaced = st.tuples(st.integers(0, 20), st.integers(4, 30)).map(lambda cut: CHINESE[cut[0] : cut[0] + cut[1]])
sentences = words | unspaced
rows_of_any_kind: st.SearchStrategy[AnyRow] = st.one_of(
    st.builds(lambda a: Example(input={"t": a}, target="x"), sentences),
    st.builds(lambda a, b: Example(input={"q": a, "rule": "my parcel jazz the blue", "n": b}), sentences, sentences),
    st.builds(lambda a: chat_row([{"role": "user", "content": a}, {"role": "assistant", "content": "x"}]), sentences),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[AnyRow], dict[str, str]]:
    """Return rows, and documents that hold some of their texts among others, whole, cut, or quoted."""
    rows = draw(st.lists(rows_of_any_kind, min_size=1, max_size=12, unique_by=lambda r: r.row))
    said = [text for row in rows for text in row.texts().values()]
    pieces = st.one_of(
        sentences,
        st.sampled_from(said),
        st.sampled_from(said).map(lambda text: text[3:]),
        st.sampled_from(said).map(lambda text: f'{{"a": "{text}", "b": ["{text[:9]}"]}}'),
        st.sampled_from(said).map(lambda text: f"Customer: {text} | refund"),
    )
    joins = st.sampled_from(["\n", "\n\n", " "])
    texts = draw(st.lists(st.lists(pieces, min_size=1, max_size=12), min_size=1, max_size=3))
    return rows, {f"d{n}": draw(joins).join(some) for n, some in enumerate(texts)}


def as_pairs(leaks: list[Leak]) -> list[dict[str, Any]]:
    return sorted((leak.model_dump() for leak in leaks), key=lambda leak: (leak["row"], leak["eval_row"]))


@settings(deadline=None, max_examples=200)
@given(cases(), st.booleans(), st.sampled_from([8, 40, 64]), st.sampled_from([20, 4_000_000]))
def test_the_same_leaks_as_over_rows(case: Any, boilerplate: bool, shortest: int, together: int):
    rows, named = case
    some = [g for text in ("my parcel jazz the blue", "please my") for s in ("word", "char") for g in ngrams(text, s)]
    relation = Relation(Boilerplate.of(some)) if boilerplate else Relation()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", -1)
        patch.setattr(module, "CHARACTERS", shortest)
        patch.setattr(module, "TOGETHER", together)
        found = leaks_of_documents(rows_frame(rows), named, relation)
    assert as_pairs(found) == as_pairs(find_leaks_in_texts(named, rows, relation))


def test_most_rows_are_not_looked_at_and_progress_is_told():
    rows: list[AnyRow] = [Example(input={"t": f"where is order {n}{n * 7}{n}"}) for n in range(100, 160)]
    text = " ".join(f"Nothing said of {n} in this long manual about parcels and ships." for n in range(300))
    told: list[tuple[str, int, int | None]] = []
    found = candidates(
        rows_frame(rows),
        {"manual": f'{text}\n"{rows[3].input["t"]}"\n{text}'},  # type: ignore[index]
        Relation(),
        lambda *what: told.append(what),
    )
    assert found[3]
    assert found.sum() < 15
    assert told[-1] == ("documents", 60, 60)


@settings(deadline=None, max_examples=200)
@given(
    st.text("ab ", min_size=6, max_size=40),
    st.text("abc ", min_size=5, max_size=300),
    st.sampled_from(["word", "char"]),
)
def test_a_stretch_is_the_same_when_pieces_of_a_long_field_are_passed_over(text: str, field: str, sort: Any):
    text, field = " ".join(text.split()) or "a", " ".join(field.split()) or "a"
    wanted = np.array(sorted(ngrams(text, sort)), np.uint64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(densest, "FEW_HITS", 0)
        quick = stretch(wanted, field, sort)
    assert quick == stretch(wanted, field, sort)
