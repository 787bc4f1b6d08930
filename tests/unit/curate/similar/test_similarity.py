"""The relation itself, against a plain implementation with texts: normalisation, n-grams, pair rules, boilerplate."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.curate.similar.similarity import Boilerplate, Relation, is_short, ngrams, normalise

WORDS = ["order", "late", "please", "refund", "my", "the", "parcel", "was", "Żółw", "blue", "cancel", "today"]
texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))


@given(texts)
def test_normalise_is_idempotent_and_blind_to_case_blanks_and_punctuation(text: str):
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(f"  {text}\u200b\n") == once
    assert "  " not in once
    assert once == once.strip()


def test_normalise_folds_what_copies_differ_in_and_keeps_what_tells_texts_apart():
    assert normalise("Don’t  STOP—now!") == normalise("don't stop now") == "don t stop now"
    assert normalise("ﬁne m²") == "fine m2"
    assert normalise("so\u00adft hy\u200bphen\ufe0f") == "soft hyphen"
    assert normalise("Straße") == normalise("STRASSE")
    assert normalise("e\u0301") == normalise("é")
    assert normalise("5 + 3") != normalise("5 3")
    assert normalise("?") != normalise("!")
    assert normalise("?") != ""


def test_short_is_under_eight_words_or_a_script_without_spaces():
    assert is_short((normalise("one two three four five six seven"),))
    assert not is_short((normalise("one two three four five six seven eight"),))
    assert not is_short(("one two three four", "five six seven eight"))
    assert is_short((normalise("我想退款 因为 我的 包裹 没有 到 请 帮 我 谢谢"),))


def plain_ngrams(text: str, sort: str) -> set[str]:
    """The definition in its plainest form, with texts instead of hashes."""
    if not text:
        return set()
    if sort == "word":
        words = text.split(" ")
        words += [""] * (3 - len(words))
        return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}
    padded = f" {text} ".ljust(5)
    return {padded[i : i + 5] for i in range(len(padded) - 4)}


def plain_near(a: str, b: str) -> float | None:
    a, b = normalise(a), normalise(b)
    if a == b:
        return 1.0
    sort = "char" if is_short((a,)) or is_short((b,)) else "word"
    one, two = plain_ngrams(a, sort), plain_ngrams(b, sort)
    share = len(one & two) / len(one | two) if one | two else 0
    return share if round(share, 12) >= 0.7 else None


@given(texts, texts)
def test_near_equal_is_the_plain_definition_and_symmetric(a: str, b: str):
    relation = Relation()
    assert relation.near_equal(a, b) == relation.near_equal(b, a) == plain_near(a, b)
    assert relation.near_equal(a, a.upper() if a.isascii() else a) == 1.0


@given(st.lists(st.sampled_from(WORDS), min_size=9, max_size=20), st.integers(0, 19), st.sampled_from(WORDS))
def test_near_equal_after_one_changed_word(words: list[str], place: int, other: str):
    changed = [*words]
    changed[place % len(words)] = other
    a, b = " ".join(words), " ".join(changed)
    assert Relation().near_equal(a, b) == plain_near(a, b)


@given(texts)
def test_ngrams_count_as_the_plain_ones(text: str):
    for sort in ("word", "char"):
        assert len(ngrams(text, sort)) == len(plain_ngrams(normalise(text), sort))


def test_hashes_are_the_same_in_another_process():
    code = "from sluice.curate.similar.similarity import ngrams; print(sorted(ngrams('Play some jazz')))"
    environment = {"PYTHONHASHSEED": "77"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert [int(n) for n in re.findall(r"\d+", told.stdout)] == sorted(ngrams("Play some jazz"))


MESSAGE = "my parcel with the blue running shoes has not arrived although it was sent last monday"


def test_contained_in_a_longer_text_from_eight_words_on():
    relation = Relation()
    assert relation.contained(MESSAGE, f"Hello there. {MESSAGE}! What can be done about it? " * 2) == 1.0
    assert relation.contained("has not arrived", f"the parcel {MESSAGE}") is None
    assert relation.contained(MESSAGE, "an entirely different text that is about invoices and their due dates") is None


def test_contained_by_characters_needs_forty_of_them_and_one_stretch():
    relation = Relation()
    text = "internationalisation misunderstandings everywhere"
    assert len(text) >= 40
    assert relation.contained(text, f"we saw {text} in the last release notes of the team") == 1.0
    filler = "filler words that push apart " * 20
    scattered = filler.join(f" {text[i : i + 10]} " for i in range(0, len(text) - 4, 3))
    assert len(ngrams(text) & ngrams(scattered, "char")) >= 0.8 * len(ngrams(text))
    assert relation.contained(text, scattered) is None


def test_boilerplate_is_left_out_and_pinned_without_text():
    greeting = "hello dear support team i hope you are all doing well today and thank you for your help"
    a = f"{greeting} {MESSAGE}"
    b = f"{greeting} the invoice of march shows a price that we never agreed on and nobody told us why"
    c = f"{MESSAGE} can you help"
    found = Boilerplate.of(ngrams(greeting, "word"), 400)
    assert Relation().contained(a, c) is None
    assert Relation(found).contained(a, c) is not None
    assert Relation(found).near_equal(a, b) is None
    again = Boilerplate.model_validate_json(found.model_dump_json())
    assert again == found
    assert "support" not in found.model_dump_json()


def test_a_text_of_little_but_boilerplate_is_judged_with_it():
    greeting = "hello dear support team i hope you are all doing well today and thank you for your help"
    relation = Relation(Boilerplate.of(ngrams(greeting, "word")))
    assert relation.near_equal(greeting, greeting + " please") is not None
    assert relation.near_equal(f"{greeting} anna", f"{greeting} berta") is not None


def test_a_list_of_another_version_is_refused():
    with pytest.raises(InputError, match="version 2"):
        Relation(Boilerplate(version=2))
    with pytest.raises(ValueError, match="hex"):
        Boilerplate(ngrams=("the cat sat",))
