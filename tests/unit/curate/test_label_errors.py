"""Label errors: seeded wrong labels are found, ranked, held to a floor of precision and recall."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example
from sluice.curate.adding.add import add
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.formats import ReadOptions
from sluice.curate.show import show_failing

pytest.importorskip("cleanlab")

WORDS: dict[str, list[str]] = {
    "delivery": ["parcel", "courier", "late", "tracking", "address", "doorstep", "van", "depot", "driver", "route"],
    "billing": ["invoice", "charged", "card", "payment", "amount", "bank", "statement", "twice", "euro", "fee"],
    "account": ["password", "login", "email", "profile", "locked", "username", "reset", "settings", "name", "sign"],
    "product": ["broken", "screw", "lamp", "handle", "scratched", "button", "noise", "smell", "part", "leaks"],
}
_SHARED = "please tell me what happens with my thing today because it was so last week and nobody answers"
SHARED = _SHARED.split()


def messages(count: int, wrong: float = 0.05, seed: int = 0) -> tuple[list[dict[str, str]], set[str]]:
    """Return labelled messages, and the texts of those whose label is wrong."""
    generator = random.Random(seed)
    records: list[dict[str, str]] = []
    for i in range(count):
        label = [*WORDS][i % 4]
        said = generator.sample(WORDS[label], 2) + generator.sample(SHARED, 6)
        if generator.random() < 0.3:
            said.append(generator.choice(WORDS[generator.choice([*WORDS])]))
        generator.shuffle(said)
        records.append({"text": f"{' '.join(said)} {i}", "label": label})
    bad = generator.sample(range(count), int(count * wrong))
    for i in bad:
        records[i]["label"] = generator.choice([name for name in WORDS if name != records[i]["label"]])
    return records, {records[i]["text"] for i in bad}


def rows_of(records: list[dict[str, str]]) -> list[AnyRow]:
    return [Example(input={"text": r["text"]}, target=r["label"]) for r in records]


def test_seeded_wrong_labels_are_found_and_stand_first():
    records, bad = messages(1200)
    rows = rows_of(records)
    result = CHECKS.get("label-errors").run(CheckContext(rows))
    texts = {row.row: row.texts()["text"] for row in rows}
    hits = [texts[f.row or ""] in bad for f in result.rows]
    assert result.ranked
    assert sum(hits) / len(hits) >= 0.85
    assert sum(hits) / len(bad) >= 0.85
    assert sum(hits[:30]) >= 29
    assert [f.figures["rank"] for f in result.rows] == list(range(1, len(hits) + 1))
    quality = [f.figures["quality"] for f in result.rows]
    assert quality == sorted(quality)
    truth = {r["text"]: r["label"] for r in messages(1200, wrong=0)[0]}
    right = [f.figures["suggested"] == truth[texts[f.row or ""]] for f in result.rows if texts[f.row or ""] in bad]
    assert sum(right) / len(right) >= 0.9


def test_labels_at_a_place_of_a_json_target_are_judged_too():
    records, bad = messages(400)
    rows: list[AnyRow] = [
        Example(input={"text": r["text"]}, target=json.dumps({"kind": r["label"], "n": i}))
        for i, r in enumerate(records)
    ]
    result = CHECKS.get("label-errors").run(CheckContext(rows, stratify="target.kind"))
    named = {row.texts()["text"] for row in rows if row.row in {f.row for f in result.rows}}
    assert len(named & bad) / len(bad) >= 0.7


def test_a_classifier_that_knows_nothing_doubts_nobody():
    generator = random.Random(1)
    rows: list[AnyRow] = [
        Example(input={"text": " ".join(generator.sample(SHARED, 6))}, target=generator.choice("abcd"))
        for _ in range(300)
    ]
    result = CHECKS.get("label-errors").run(CheckContext(rows))
    assert result.status == "absent"
    assert "classifier" in result.missing[0]


def test_without_the_extra_it_is_absent_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sluice.curate.checks.label_errors.available", lambda: False)
    result = CHECKS.get("label-errors").run(CheckContext(rows_of(messages(100)[0])))
    assert result.status == "absent"
    assert 'pip install "sluiceway[labels]"' in result.missing[0]


def test_show_lists_them_in_rank_order_for_review(tmp_path: Path, lines: Callable[..., Path]):
    records, _ = messages(400)
    project = Project(tmp_path)
    add(project, "m", [lines(tmp_path / "m.jsonl", *records)], ReadOptions(input="text", target="label"))
    shown = show_failing(project, "m", "label-errors", limit=5)
    assert [row.rank for row in shown.failing] == [1, 2, 3, 4, 5]
    assert shown.total > 5
    first: Any = shown.failing[0]
    assert first.figures["given"] == first.target
    assert first.figures["suggested"] in WORDS


REAL = os.environ.get("SLUICE_TEST_DATA")


@pytest.mark.long
@pytest.mark.skipif(not REAL, reason="needs real data: SLUICE_TEST_DATA=FOLDER with snips/requests.jsonl")
def test_five_in_a_hundred_wrong_intents_of_real_requests_are_found():
    lines_of = (Path(str(REAL)) / "snips/requests.jsonl").read_text(encoding="utf-8").splitlines()
    intents = {record["request"]: record["intent"] for record in map(json.loads, lines_of)}
    names, generator = sorted(set(intents.values())), random.Random(0)
    bad = set(generator.sample(sorted(intents), len(intents) // 20))
    rows: list[AnyRow] = [
        Example(input={"q": q}, target=generator.choice([n for n in names if n != y]) if q in bad else y)
        for q, y in intents.items()
    ]
    wrong = {row.row for row in rows if row.texts()["q"] in bad}
    found = [f.row for f in CHECKS.get("label-errors").run(CheckContext(rows)).rows]
    assert len(wrong & set(found)) / len(found) >= 0.88  # measured: 0.92
    assert len(wrong & set(found)) / len(wrong) >= 0.90  # measured: 0.94
    assert len(wrong & set(found[:100])) >= 98  # measured: 100
