"""Checks of wording: what each must find and must leave alone, case by case."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import AnyRow, Example, Preference, Text
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.checks.langid import classify_all, identifier
from sluice.curate.checks.preference import cohens_d
from sluice.curate.checks.repeats import Words, over_table

ASKED = "Where is my parcel, and when will it be here?"
WHOLE = "It is on its way and will be with you tomorrow morning."


def found(check: str, *answers: str, asked: str = ASKED) -> list[bool]:
    rows: list[AnyRow] = [Example(input={"text": asked}, target=answer) for answer in answers]
    named = {f.row for f in CHECKS.get(check).run(CheckContext(rows)).rows}
    return [row.row in named for row in rows]


CASES = {
    "refusal": (
        [
            "I'm sorry, but I can't assist with that.",
            "As an AI language model, I cannot provide medical advice.",
            "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
            "Je suis désolé, mais je ne peux pas vous aider.",
            "Lo siento, pero no puedo ayudarte con eso.",
            "抱歉，我无法提供这方面的帮助。",
            "I must respectfully decline to answer this.",
        ],
        [
            "I'm sorry that your parcel is late. It will come tomorrow.",
            "I can't find order A-1 in our books. Is it B-1?",
            "Sorry, we cannot refund shipping, but the lamp itself we can.",
            "He said: I'm an actor.",
            "Es tut mir leid, dass die Lampe zerbrochen ist.",
        ],
    ),
    "boilerplate": (
        [
            "As an AI language model, I like blue.",
            "Sure! Here is a poem:\nroses",
            "All rights reserved.",
            "Alle Rechte vorbehalten",
        ],
        ["Here is the answer: blue.", "The model is large.", "Sure.", "I hope she is well."],
    ),
    "truncated": (
        [
            "Hold the button for ten seconds, let it go again, and",
            "First you open the lid and then you take the,",
            "It is on its way to you and will be there (",
        ],
        [
            WHOLE,
            "Yes",
            "delivery",
            '{"a": "the"}',
            "It came in two pieces and I do not like that :(",
            "- one thing of it\n- another thing that is without a mark",
        ],
    ),
    "unclosed": (
        ["```python\nprint(1)", '{"a": [1, 2', '{"a": "b', "It is here (in the shop near the river", '[{"a": 1}, {"b"'],
        [
            "```python\nprint('(')\n```",
            '{"a": [1, 2]}',
            "a) first b) second",
            "It lies in [0, 1) :(",
            'She said "(" twice.',
            "not {json}",
        ],
    ),
    "echo": ([f"{ASKED} {WHOLE}", ASKED.upper()], [WHOLE, "Where is my parcel? It is here."]),
    "repeated": (
        ["a" * 30, "no no no no no no", "I think so and I think so and I think so and I think so and", "ha" + "!" * 25],
        [
            "soooooo good",
            f"one\n{'-' * 30}\n" + WHOLE,
            "1 1 1 1 1 1 1 1 1",
            "no, no, no",
            "| --- | --- | --- | --- | --- |\n| a | b | c | d | e |",
        ],
    ),
    "mojibake": (
        ["la mÃºsica", "donâ€™t", "lost \ufffd here"],
        ["la música", "don’t", "Ünï 5 € – “so”", "日本語"],
    ),
    "markup": (
        ["so<br>on", "Tom &amp; Ana", "<p class='x'>Hi</p>"],
        ["a < b > c", "use `<br>` here", "AT&T", "<name>", "```\n<p>x</p>\n```"],
    ),
    "template": (
        ["Hi {{name}}", "Hello<|im_end|>", "[INST] go", "Dear [Your Name]", "### Response: x", "[object Object]"],
        ["{'a': {'b': 1}}", "[1] a note", "f(x) = {x | x > 1}", "see [name of the shop]", "`{{name}}` is a field"],
    ),
}


@pytest.mark.parametrize("check", CASES)
def test_finds_these_and_leaves_those_alone(check: str):
    bad, good = CASES[check]
    padding = [f"{WHOLE} ({i})" for i in range(len(bad) + 1)]  # most answers are in order
    assert dict(zip(bad, found(check, *bad, *padding), strict=False)) == dict.fromkeys(bad, True)
    assert dict(zip(good, found(check, *good), strict=True)) == dict.fromkeys(good, False)


@pytest.mark.parametrize(
    "asked, points",
    [
        ("Summarise the following text.", True),
        ("Translate the sentence above into German", True),
        ("see above", True),
        ("<noinput>", True),
        ("Fasse den folgenden Text zusammen.", True),
        ("Rate the following textbook three points", False),
        ("Summarise the following text:\nIt rained all day.", False),
        ("What comes above the treble?", False),
        ("Write a list of above-average players", False),
    ],
)
def test_an_input_that_points_nowhere_is_found(asked: str, points: bool):
    assert found("see-above", WHOLE, asked=asked) == [points]


def test_what_most_rows_do_is_one_finding_about_the_set():
    rows: list[AnyRow] = [Example(input={"t": f"{ASKED} {i}"}, target=f"{ASKED} {i} It is here.") for i in range(30)]
    result = CHECKS.get("echo").run(CheckContext(rows))
    assert [f.row for f in result.rows] == [None]
    assert result.figures["found"] == 30


def test_texts_cut_at_one_width_are_found():
    rows: list[AnyRow] = [
        Example(input={"t": str(i)}, target=(f"{i} is a number of a kind " * 30)[:255]) for i in range(5)
    ]
    rows += [Example(input={"t": f"x{i}"}, target=f"{WHOLE} {i}.") for i in range(9)]
    result = CHECKS.get("truncated").run(CheckContext(rows))
    assert {f.row for f in result.rows} == {row.row for row in rows[:5]}
    assert "255" in result.rows[0].detail


def test_languages_are_judged_against_the_input_and_the_set_and_short_texts_are_not():
    english = [
        "The shop by the river opens at nine in the morning and closes late.",
        "We have sent your parcel with a courier who will ring the bell twice.",
    ]
    german = "Wir haben Ihr Paket heute Morgen mit einem Boten auf den Weg gebracht."
    rows: list[AnyRow] = [
        Example(input={"t": f"{english[i % 2]} Number {i} is what I ask about today."}, target=english[1])
        for i in range(30)
    ]
    rows += [Example(input={"t": english[0]}, target=german), Example(input={"t": german}, target="ja")]
    rows += [Example(input={"t": "Bonjour"}, target="oui")]
    result = CHECKS.get("language").run(CheckContext(rows))
    assert {f.row for f in result.rows} == {rows[30].row, rows[31].row}
    translated: list[AnyRow] = [Example(input={"t": f"{english[0]} {i}"}, target=german) for i in range(30)]
    assert CHECKS.get("language").run(CheckContext(translated)).status == "ok"


def datatrove_shares(words: list[str], n: int) -> float:
    """Return the share of characters in repeated n-grams as datatrove counts it, word by word."""
    seen: set[str] = set()
    covered = [False] * len(words)
    for i in range(len(words) - n + 1):
        gram = " ".join(words[i : i + n])
        if gram in seen:
            covered[i : i + n] = [True] * n
        seen.add(gram)
    return sum(len(w) for w, c in zip(words, covered, strict=True) if c) / len(" ".join(words))


def test_repetition_shares_are_those_of_the_plain_count():
    generator = np.random.default_rng(3)
    texts = [
        " ".join(generator.choice(list("abcdefg"), size) + generator.choice(list("xyz"), size))
        for size in (0, 3, 40, 90)
    ]
    words = Words.of(pl.Series(texts))
    for n in (2, 5, 7):
        expected = [datatrove_shares(text.split(), n) if text else 0 for text in texts]
        assert words.duplicate_share(n) == pytest.approx(expected)
    assert words.top_share(2)[1] == 0  # nothing comes twice
    assert Words.of(pl.Series(["a b a b a b", "x y"])).top_share(2).tolist() == pytest.approx([9 / 11, 0])
    assert Words.of(pl.Series(["so so so so", "a b a b a b c", "x"])).loops(2).tolist() == [2, 3, 1]
    assert 0 in over_table(pl.Series(["the same line again\n" * 9]))


def test_cohens_d_is_the_published_one():
    a, b = np.array([1.0, 2, 3, 4, 5]), np.array([3.0, 4, 5, 6, 7])
    assert cohens_d(a, b) == pytest.approx(-2 / np.sqrt(2.5))
    assert cohens_d(np.ones(5), np.ones(5)) == 0
    assert cohens_d(np.ones(5) * 2, np.ones(5)) == 1000


def test_near_pairs_leaves_equal_pairs_to_their_own_check():
    rows: list[AnyRow] = [
        Preference(input={"q": "1"}, chosen="It is open.", rejected="It is open."),
        Preference(input={"q": "2"}, chosen="It is open.", rejected="it is open!"),
        Preference(input={"q": "3"}, chosen="It is open.", rejected="It is shut."),
    ]
    assert [f.row for f in CHECKS.get("near-pairs").run(CheckContext(rows)).rows] == [rows[1].row]
    assert [f.row for f in CHECKS.get("pairs").run(CheckContext(rows)).rows] == [rows[0].row]


def test_corpus_rules_look_at_other_rows_only_when_told():
    row = Example(input={"text": "Home"}, target="Log in")
    assert CHECKS.get("gopher").run(CheckContext([row])).status == "absent"
    told = CHECKS.get("gopher").run(CheckContext([row], corpus=True))
    assert "words: 3" in told.rows[0].detail
    assert (
        CHECKS.get("c4")
        .run(CheckContext([Text(input={"text": "Lorem ipsum dolor."})]))
        .rows[0]
        .detail.startswith("lorem")
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(max_size=60) | st.sampled_from([ASKED, WHOLE, "Wo ist mein Paket?", "どこですか", "ĞŞ", ""]), max_size=8
    )
)
def test_languages_of_many_texts_are_those_that_py3langid_gives_one_by_one(texts: list[str]):
    one_by_one = [identifier().classify(text) for text in texts]
    together = classify_all(texts)
    assert [p for _, p in together] == pytest.approx([p for _, p in one_by_one], abs=1e-4)
    sure = [i for i, (_, p) in enumerate(one_by_one) if p > 0.5]
    assert [together[i][0] for i in sure] == [one_by_one[i][0] for i in sure]
