"""What rows are like: words in every script, where labels are, languages; and nothing where nothing is known."""

from __future__ import annotations

from sluice.core.rows import AnyRow, Example, Preference, Text
from sluice.curate.comparing.distributions import Categories, Lengths
from sluice.curate.comparing.measure import guess_languages, label_paths, labels, measure, word_count

GERMAN = "Guten Tag, mein Paket ist noch immer nicht angekommen, und ich warte schon seit zwei Wochen darauf."
ENGLISH = "Good morning, my parcel has still not arrived and I have been waiting for it for two weeks now."


def ask(text: str, target: str | None = "a") -> Example:
    return Example(input={"text": text}, target=target)


def by_name(found: tuple[Lengths | Categories, ...]) -> dict[str, Lengths | Categories]:
    return {d.name: d for d in found}


def test_words_are_counted_in_every_script():
    assert word_count("Where is it?") == 3
    assert word_count("don't") == 1
    assert word_count('{"category":"billing","refund":false}') == 4
    assert word_count("注文はどこですか") == 8
    assert word_count("") == 0


def test_labels_are_the_answer_where_it_takes_few_values():
    rows: list[AnyRow] = [ask(f"m{i}", "yn"[i % 2]) for i in range(20)]
    assert label_paths(rows) == ("target",)
    assert labels(rows, ("target",), {})[0].counts == {"n": 10, "y": 10}
    assert label_paths([ask(f"m{i}", f"answer {i}") for i in range(20)]) == ()


def test_labels_are_fields_of_a_json_answer_that_take_few_values():
    rows: list[AnyRow] = [
        ask(f"m{i}", f'{{"kind":"{"ab"[i % 2]}","id":{i},"refund":{"true" if i % 4 else "null"},"v":1}}')
        for i in range(40)
    ]
    assert label_paths(rows) == ("target.kind", "target.refund"), "an id is no label, and neither is what never changes"
    found = by_name(measure(rows))
    kind, refund = found["labels kind"], found["labels refund"]
    assert isinstance(kind, Categories)
    assert kind.counts == {"a": 20, "b": 20}
    assert isinstance(refund, Categories)
    assert refund.counts == {"true": 30, "null": 10}


def test_the_path_of_the_task_goes_first():
    rows: list[AnyRow] = [ask(f"m{i}", "yn"[i % 2]) for i in range(20)]
    beside = {row.row: {"channel": "web"} for row in rows[:15]}
    (found,) = labels(rows, label_paths(rows, "channel"), beside)
    assert found.counts == {"web": 15}
    assert found.without == 5


def test_languages_are_told_where_texts_are_long_enough():
    rows: list[AnyRow] = [*(ask(f"{GERMAN} {i}") for i in range(3)), *(ask(f"{ENGLISH} {i}") for i in range(5))]
    found = guess_languages(rows)
    assert found is not None
    assert found.counts == {"en": 5, "de": 3}
    assert "8 of 8" in found.note
    assert guess_languages([ask("short")]) is None


def test_languages_that_a_check_counted_are_taken():
    found = by_name(measure([ask(ENGLISH)], languages={"de": 1, "en": 7}))["languages"]
    assert isinstance(found, Categories)
    assert found.counts == {"en": 7, "de": 1}


def test_lengths_are_in_tokens_where_a_tokenizer_is_there():
    rows: list[AnyRow] = [ask("one two three", "yes"), Preference(input={"q": "a b"}, chosen="c d e", rejected="f")]
    lengths = by_name(measure(rows))
    assert lengths["input"] == Lengths(name="input", unit="words", counts={2: 1, 3: 1})
    assert lengths["answer"] == Lengths(name="answer", unit="words", counts={1: 1, 3: 1})
    tokens = by_name(measure(rows, text_tokens=lambda texts: [len(text) for text in texts]))["input"]
    assert isinstance(tokens, Lengths)
    assert (tokens.unit, tokens.counts) == ("tokens", {3: 1, 13: 1})


def test_what_is_not_there_is_not_measured():
    rows: list[AnyRow] = [Text(input={"text": "plain"})]
    assert set(by_name(measure(rows))) == {"kinds", "input"}
    assert measure([]) == ()
    with_more = by_name(measure(rows, sources={rows[0].row: "a.txt"}, groups={rows[0].row: ["g"]}))
    assert {"sources", "groups"} <= set(with_more)
