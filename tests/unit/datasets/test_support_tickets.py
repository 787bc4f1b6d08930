"""The sample task datasets/support-tickets: its bytes, its planted faults, its handwritten rows, its schema.

The similarity here is written a second time, apart from the generator's own, so that a slip in one shows in the other.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parents[3] / "datasets" / "support-tickets"
COLUMNS = ["ticket_id", "received", "channel", "customer", "message", "answer"]

Row = dict[str, Any]


def read_lines(name: str) -> list[str]:
    return (FOLDER / name).read_bytes().decode("utf-8").removesuffix("\n").split("\n")


def parse(line: str) -> Row | None:
    """Return the record of a line, or None where it is broken, repeats a key or holds half a surrogate pair."""
    try:
        pairs: list[tuple[str, Any]] = json.loads(line, object_pairs_hook=list)
        json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8")
    except ValueError:
        return None
    keys = [key for key, _ in pairs]
    return json.loads(line) if len(keys) == len(set(keys)) else None


def normal(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(re.findall(r"\w+", text))


def grams(text: str) -> set[tuple[str, ...]]:
    words = normal(text).split()
    return set(zip(words, words[1:], words[2:], strict=False))


def jaccard(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> float:
    return len(a & b) / len(a | b)


@pytest.fixture(scope="module")
def faults() -> dict[str, Any]:
    return json.loads((FOLDER / "faults.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def raw() -> list[Row | None]:
    return [parse(line) for line in read_lines("raw.jsonl")]


@pytest.fixture(scope="module")
def handwritten() -> list[Row]:
    """The 140 good rows: well-formed lines, each message once."""
    rows = [row for line in read_lines("handwritten.jsonl") if (row := parse(line)) is not None]
    return list({row["message"]: row for row in reversed(rows)}.values())[::-1]


@pytest.fixture(scope="module")
def clean(raw: list[Row | None], faults: dict[str, Any]) -> list[Row]:
    faulty = {entry["line"] for entries in faults["faults"].values() for entry in entries}
    return [row for i, row in enumerate(raw, 1) if i not in faulty and row is not None]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_generator_writes_the_committed_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-B", str(FOLDER / "generate.py"), "--out", str(tmp_path)], check=True, timeout=60)
    for name in ("raw.jsonl", "faults.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_counts_add_up(raw: list[Row | None], clean: list[Row], faults: dict[str, Any]) -> None:
    listed = [entry["line"] for entries in faults["faults"].values() for entry in entries]
    assert len(listed) == len(set(listed))
    assert {kind: len(entries) for kind, entries in faults["faults"].items()} == faults["counts"]
    assert len(raw) == faults["lines"] == faults["clean"] + len(listed)
    assert len(clean) == faults["clean"] >= 1300


def test_card_states_the_counts(faults: dict[str, Any]) -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = {m[1]: int(m[2]) for m in re.finditer(r"^\| `(\w+)` \| (\d+) \|", card, re.MULTILINE)}
    assert table == faults["counts"]


def test_rows_have_the_columns_in_order(raw: list[Row | None], handwritten: list[Row]) -> None:
    for row in [row for row in raw if row is not None] + handwritten:
        assert list(row) == COLUMNS


def test_only_the_planted_lines_are_malformed(raw: list[Row | None], faults: dict[str, Any]) -> None:
    assert [i for i, row in enumerate(raw, 1) if row is None] == [
        entry["line"] for entry in faults["faults"]["malformed"]
    ]


def test_duplicates_are_what_faults_says(raw: list[Row | None], clean: list[Row], faults: dict[str, Any]) -> None:
    by_id = {row["ticket_id"]: row for row in raw if row is not None}
    good = {row["ticket_id"] for row in clean}
    for kind in ("exact_duplicate", "normalised_duplicate", "near_duplicate", "conflict"):
        for entry in faults["faults"][kind]:
            copy, base = by_id[entry["ticket_id"]], by_id[entry["of"]]
            assert entry["of"] in good
            assert entry["ticket_id"] > entry["of"]
            assert (copy["answer"] == base["answer"]) is (kind != "conflict")
            assert (copy["message"] == base["message"]) is (kind in ("exact_duplicate", "conflict"))
            assert (normal(copy["message"]) == normal(base["message"])) is (kind != "near_duplicate")
            assert jaccard(grams(copy["message"]), grams(base["message"])) >= 0.7


def test_leaks_repeat_the_named_handwritten_rows(
    raw: list[Row | None], handwritten: list[Row], faults: dict[str, Any]
) -> None:
    by_id = {row["ticket_id"]: row for row in raw if row is not None}
    hand = {row["ticket_id"]: row for row in handwritten}
    named = [
        entry["handwritten"] for kind in faults["faults"] if kind.startswith("leak") for entry in faults["faults"][kind]
    ]
    assert len(named) == len(set(named))
    for kind in ("leak_exact", "leak_near", "leak_contained"):
        for entry in faults["faults"][kind]:
            row, source = by_id[entry["ticket_id"]], hand[entry["handwritten"]]
            a, b = grams(row["message"]), grams(source["message"])
            assert row["answer"] == source["answer"]
            assert (row["message"] == source["message"]) is (kind == "leak_exact")
            if kind == "leak_contained":
                assert len(a & b) >= 0.8 * len(b)
                assert source["message"] in row["message"]
            else:
                assert jaccard(a, b) >= 0.7


def test_other_faults_show(raw: list[Row | None], faults: dict[str, Any], validator: Draft202012Validator) -> None:
    by_id = {row["ticket_id"]: row for row in raw if row is not None}

    def rows(kind: str) -> list[Row]:
        return [by_id[entry["ticket_id"]] for entry in faults["faults"][kind]]

    assert not any(normal(row["message"]) for row in rows("empty_input"))
    assert all(len(row["message"].split()) > 2500 for row in rows("over_long"))
    assert not any(validator.is_valid(row["answer"]) for row in rows("invalid_answer"))
    personal = re.compile(r"@[\w.]*example\.|\b555[-.) ]+01\d\d|\b(?:\d[ -]?){15,16}\b")
    assert all(personal.search(row["message"]) for row in rows("personal_data"))
    for entry in faults["faults"]["wrong_label"]:
        written = by_id[entry["ticket_id"]]["answer"]
        assert [key for key in written if written[key] != entry["right"][key]] == [entry["note"]]


def test_clean_rows_are_clean(clean: list[Row], validator: Draft202012Validator) -> None:
    for row in clean:
        assert not list(validator.iter_errors(row["answer"])), row["ticket_id"]
        assert "@" not in row["message"]
        assert "555" not in row["message"] or not re.search(r"\b555[- ]01\d\d\b", row["message"])
        wanted = row["answer"]["order_id"]
        assert wanted is None or wanted in row["message"], row["ticket_id"]
        assert len(json.dumps(row["answer"], separators=(",", ":"))) < 125


def test_clean_rows_are_unlike_each_other_and_the_handwritten(clean: list[Row], handwritten: list[Row]) -> None:
    places: dict[tuple[str, ...], list[int]] = {}
    sets: list[set[tuple[str, ...]]] = []
    for row in handwritten + clean:
        own = grams(row["message"])
        shared = Counter(i for gram in own for i in places.get(gram, ()))
        for i, count in shared.items():
            limit = 0.3 if i < len(handwritten) else 0.6
            assert count / (len(own) + len(sets[i]) - count) < limit, row["ticket_id"]
            if i < len(handwritten):
                assert count < 0.8 * len(sets[i]), row["ticket_id"]
        for gram in own:
            places.setdefault(gram, []).append(len(sets))
        sets.append(own)


def test_the_clean_rows_are_balanced(clean: list[Row]) -> None:
    def shares(key: str) -> dict[object, float]:
        return {value: n / len(clean) for value, n in Counter(row["answer"][key] for row in clean).items()}

    assert all(0.15 < share < 0.19 for share in shares("category").values())
    assert all(share > 0.18 for share in shares("urgency").values())
    assert all(share > 0.25 for share in shares("refund").values())
    products = shares("product")
    assert len(products) == 13
    assert all(0.04 < share < 0.25 for share in products.values())
    assert all(normal(row["message"]).count(" ") < 120 for row in clean)


def test_handwritten_file_is_140_rows_4_broken_lines_6_repeats(handwritten: list[Row]) -> None:
    rows = [parse(line) for line in read_lines("handwritten.jsonl")]
    assert len(rows) == 150
    assert rows.count(None) == 4
    assert len(handwritten) == 140
    for message, n in Counter(row["message"] for row in rows if row is not None).items():
        assert len({json.dumps(row["answer"]) for row in rows if row is not None and row["message"] == message}) == 1
        assert n <= 2


def test_handwritten_rows_are_pairwise_unrelated_and_valid(
    handwritten: list[Row], validator: Draft202012Validator
) -> None:
    for row in handwritten:
        assert not list(validator.iter_errors(row["answer"])), row["ticket_id"]
        wanted = row["answer"]["order_id"]
        assert wanted is None or wanted in row["message"], row["ticket_id"]
        assert len(grams(row["message"])) >= 8
    for a, b in combinations([grams(row["message"]) for row in handwritten], 2):
        assert jaccard(a, b) < 0.3
        assert len(a & b) < 0.8 * min(len(a), len(b))


def test_customers_of_the_two_files_are_different_people(raw: list[Row | None], handwritten: list[Row]) -> None:
    assert not {row["customer"] for row in raw if row is not None} & {row["customer"] for row in handwritten}


def test_rubric_names_every_label() -> None:
    schema = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))["properties"]
    rubric = (FOLDER / "rubric.md").read_text(encoding="utf-8")
    for value in schema["category"]["enum"] + schema["urgency"]["enum"] + ["true", "false"]:
        assert f"`{value}`" in rubric
    assert "{{ message }}" in (FOLDER / "prompt-train.md").read_text(encoding="utf-8")
