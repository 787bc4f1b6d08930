"""The compiled normal form and n-grams are those of the similarity, number for number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sluice.curate.kernel import compiled
from sluice.curate.kernel.fold import fold
from sluice.curate.similar.similarity import char_ngrams, is_short, normalise, word_ngrams

ODD = "ab C.,-é\u0301ßİıſﬁ\u200d\u00ad½日한나ᄀ\u11a8कि\u093f😀–…\u2009’|~^`\x00\x1f\x85\u3099か゛ﾞｶ٣ע\U0002f800"
texts = st.lists(st.text(st.sampled_from(ODD), max_size=30) | st.text(max_size=20), min_size=1, max_size=12)


@settings(deadline=None)
@given(texts)
@example(["", "?", "!?", "one", "one two", "a\u0301", "\u200b", "ﷺ", "ǅ ẞ İstanbul ΣΑΣ"])
def test_each_text_is_folded_as_normalise_does(found: list[str]):
    folded = fold(found)
    for number, text in enumerate(found):
        form = normalise(text)
        assert folded.text(number) == (form,)
        assert folded.short[number] == is_short((form,))
        assert folded.characters[number] == len(form)


@settings(deadline=None)
@given(texts)
@example(["one", "one two", "ab", "where is my parcel of last week please", "日本語のテキスト"])
def test_n_grams_have_the_same_hashes(found: list[str]):
    forms = [form for text in found if (form := normalise(text))]
    folded = fold(forms)
    room = np.empty(4096, np.uint64)
    for sort, plain in ((compiled.WORD, word_ngrams), (compiled.CHAR, char_ngrams)):
        for number, form in enumerate(forms):
            n = compiled.grams(folded.data, folded.starts, number, number + 1, sort, room)
            assert room[:n].tolist() == plain([form])[0].tolist()


def test_segments_slices_and_no_text_at_all():
    array = pa.array(["left out", "One two", "THREE", ""], pa.large_string())[1:]
    folded = fold(array, np.array([0, 2, 3]))
    assert len(folded) == 2
    assert folded.text(0) == ("one two", "three")
    assert folded.text(1) == ("",)
    assert folded.characters.tolist() == [13, 0]
    assert len(fold([])) == 0
