"""Word n-grams shared with eval rows: what is counted is what a plain reading of the two texts counts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import UsageError
from sluice.core.rows import AnyRow, Example, Preference
from sluice.curate.dataset import rows_frame
from sluice.curate.leaks.overlap import ngram_overlap
from sluice.curate.similar.row_texts import ANSWERS
from sluice.curate.similar.similarity import Boilerplate, Relation, ngrams, normalise

WORDS = ["a", "B", "c!", "Straße"]
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join)
rows = st.one_of(
    st.builds(lambda a, b: Example(input={"t": a}, target=b), texts, texts),
    st.builds(lambda a, b, c: Preference(input={"p": a, "q": b}, chosen=b, rejected=c), texts, texts, texts),
)
collections = st.lists(rows, min_size=1, max_size=8, unique_by=lambda r: r.row)


def grams(text: str, n: int) -> set[str]:
    words = normalise(text).split(" ")
    return {" ".join(words[i : i + n]) for i in range(len(words) - n + 1)}


def plain(
    rows: list[AnyRow], eval_rows: list[AnyRow], n: int, share: float | None
) -> dict[tuple[str, int, str], float]:
    found: dict[tuple[str, int, str], float] = {}
    for row in rows:
        here = set().union(*(grams(text, n) for text in row.texts().values()))
        for number, one in enumerate(eval_rows):
            for part in ("question", "answer"):
                named = [t for k, t in one.texts().items() if (k in ANSWERS) == (part == "answer")]
                wanted = set().union(*(grams(t, n) for t in named))
                held = len(wanted & here)
                if held and (share is None or held >= share * len(wanted)):
                    found[row.row, number, part] = held / len(wanted)
    return found


@settings(deadline=None, max_examples=80)
@given(collections, collections, st.sampled_from([5, 8]), st.sampled_from([None, 0.25, 0.5, 0.7, 1.0]))
def test_shared_ngrams_are_those_of_a_plain_reading(rows: list[AnyRow], eval_rows: list[AnyRow], n, share):
    found = ngram_overlap(rows_frame(rows), eval_rows, n, share)
    assert {(o.row, o.eval_row, o.part): o.share for o in found.found} == plain(rows, eval_rows, n, share)
    by = {row.row: row for row in rows}
    for o in found.found:
        assert o.span in normalise(by[o.row].texts()[o.field])
        assert o.span.count(" ") >= n - 1
    long = [any(grams(t, n) for t in one.texts().values()) for one in eval_rows]
    assert found.too_short == long.count(False)


def words(rng: random.Random, number: int) -> str:
    return " ".join("".join(rng.choices("abcdefgh", k=6)) for _ in range(number))


def test_boilerplate_alone_is_no_overlap_and_the_longest_run_is_the_evidence():
    rng = random.Random(4)
    footer, shared = words(rng, 12), words(rng, 10)
    eval_row = Example(input={"t": f"{words(rng, 9)} {shared} {footer}"}, target="x")
    same_footer = Example(input={"t": f"{words(rng, 9)} {footer}"}, target="x")
    copied = Example(input={"t": "nothing"}, target=f"{words(rng, 4)} {shared} {words(rng, 3)}")
    relation = Relation(Boilerplate.of(ngrams(footer, "word")))
    frame = rows_frame([same_footer, copied])
    assert {o.row for o in ngram_overlap(frame, [eval_row], 8).found} == {same_footer.row, copied.row}
    (only,) = ngram_overlap(frame, [eval_row], 8, relation=relation).found
    assert (only.row, only.field, only.span) == (copied.row, "target", shared)
    assert ngram_overlap(frame, [eval_row], 13).found == ()


def test_a_phrase_of_more_than_ten_rows_is_passed_over():
    rng = random.Random(5)
    phrase, own = words(rng, 10), words(rng, 9)
    eval_row = Example(input={"t": f"{phrase} {words(rng, 1)} {own}"}, target="x")
    common = [Example(input={"t": f"{words(rng, 3)} {phrase}"}, target="x") for _ in range(11)]
    copied = Example(input={"t": f"{own} {words(rng, 5)}"}, target="x")
    found = ngram_overlap(rows_frame([*common, copied]), [eval_row], 8)
    assert ([o.row for o in found.found], found.common) == ([copied.row], 3)
    assert {o.row for o in ngram_overlap(rows_frame(common[1:]), [eval_row], 8).found} == {r.row for r in common[1:]}


def test_what_makes_no_sense():
    frame = rows_frame([Example(input={"t": "x"}, target="y")])
    for n, share in ((4, None), (8, 0.0), (8, 1.5)):
        with pytest.raises(UsageError):
            ngram_overlap(frame, [], n, share)
