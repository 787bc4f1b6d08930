"""Comparing two logs: aligned by name and content, judged by the one decider."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.core.errors import InputError
from sluice.evalsuite.foreign import ForeignLog, compare_logs, read_log
from sluice.evalsuite.verdict import decide


def log(folder: Path, name: str, scores: dict[str, float], header: dict | None = None, **columns: dict) -> ForeignLog:
    lines = [header] if header else []
    lines += [{"id": i, "score": s} | {k: v[i] for k, v in columns.items() if i in v} for i, s in scores.items()]
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return read_log(path)


IDS = [f"r{i}" for i in range(60)]
WEAK = {i: float(n < 20) for n, i in enumerate(IDS)}
STRONG = {i: float(n < 55 and n != 3) for n, i in enumerate(IDS)}
BINARY = {"kind": "binary"}


def test_the_verdict_is_that_of_the_decider_whatever_the_order(tmp_path: Path):
    a, b = log(tmp_path, "a", WEAK, BINARY), log(tmp_path, "b", dict(reversed(STRONG.items())), BINARY)
    got = compare_logs(a, b)
    wanted = decide(list(WEAK.values()), [STRONG[i] for i in WEAK], kind="binary", rows=IDS)
    assert got.verdict == wanted
    assert (got.verdict.word, got.verdict.helped, got.verdict.hurt) == ("better", 35, 1)
    assert compare_logs(b, a).verdict.word == "worse"
    assert (got.rate_a.n, got.rate_a.estimate) == (60, pytest.approx(1 / 3))
    assert len(got.flips) == 36
    assert (got.flips[-1].row, got.flips[-1].b) == ("r3", 0.0)


def test_the_kind_is_asked_for_and_never_guessed(tmp_path: Path):
    a, b = log(tmp_path, "a", WEAK), log(tmp_path, "b", STRONG)
    with pytest.raises(InputError, match="never guessed"):
        compare_logs(a, b)
    with pytest.raises(InputError, match="range"):
        compare_logs(a, b, kind="graded")
    assert compare_logs(a, b, kind="binary").verdict.kind == "binary"
    assert compare_logs(a, b, kind="graded", range=(0, 1)).verdict.kind == "graded"


def test_what_a_log_declares_cannot_be_changed(tmp_path: Path):
    a, b = log(tmp_path, "a", WEAK, BINARY), log(tmp_path, "b", STRONG)
    assert compare_logs(a, b).kind == "binary"
    with pytest.raises(InputError, match="declares"):
        compare_logs(a, b, kind="graded", range=(0, 1))
    c = log(tmp_path, "c", STRONG, {"kind": "graded", "range": [0, 1]})
    with pytest.raises(InputError, match="differ in kind"):
        compare_logs(a, c)


def test_a_score_beyond_what_is_declared_is_refused_with_its_line(tmp_path: Path):
    a, b = log(tmp_path, "a", WEAK, BINARY), log(tmp_path, "b", STRONG | {"r7": 0.5}, BINARY)
    with pytest.raises(InputError, match="r7") as problem:
        compare_logs(a, b)
    assert (problem.value.where or "").endswith("b.jsonl:9")
    with pytest.raises(InputError, match="within"):
        compare_logs(log(tmp_path, "c", {"x": 6.0}), log(tmp_path, "d", {"x": 1.0}), kind="graded", range=(0, 5))


def test_different_rows_are_refused_by_name_or_compared_where_shared(tmp_path: Path):
    a = log(tmp_path, "a", WEAK, BINARY)
    b = log(tmp_path, "b", {i: s for i, s in STRONG.items() if i not in IDS[:5]} | {"new": 1.0}, BINARY)
    with pytest.raises(InputError, match=r"5 of 60 .* r0, r1, r2 and 2 more"):
        compare_logs(a, b)
    with pytest.raises(InputError, match="new"):
        compare_logs(log(tmp_path, "c", {i: WEAK[i] for i in IDS[5:]}, BINARY), b)
    got = compare_logs(a, b, shared=True)
    assert (got.verdict.n, got.only_a, got.only_b) == (55, 5, 1)
    with pytest.raises(InputError, match="no row in common"):
        compare_logs(a, log(tmp_path, "d", {"z": 1.0}, BINARY), shared=True)


def test_other_content_under_one_id_is_refused_or_left_out(tmp_path: Path):
    here, there = {i: f"h{i}" for i in IDS}, {i: f"h{i}" for i in IDS} | {"r4": "other", "r9": "other"}
    a, b = log(tmp_path, "a", WEAK, BINARY, hash=here), log(tmp_path, "b", STRONG, BINARY, hash=there)
    with pytest.raises(InputError, match=r"2 of 60 .* r4, r9"):
        compare_logs(a, b)
    got = compare_logs(a, b, shared=True)
    assert (got.verdict.n, got.other_content) == (58, 2)


def test_groups_make_n_the_number_of_groups(tmp_path: Path):
    groups = {i: f"g{n // 6}" for n, i in enumerate(IDS)}
    a, b = log(tmp_path, "a", WEAK, BINARY, group=groups), log(tmp_path, "b", STRONG, BINARY)
    assert compare_logs(a, b).verdict.n_groups == 10
    plain = compare_logs(log(tmp_path, "c", WEAK, BINARY), b)
    assert plain.verdict.n_groups is None
    assert compare_logs(log(tmp_path, "c", WEAK, BINARY), b, groups=groups).verdict.n_groups == 10
    with pytest.raises(InputError, match="group"):
        compare_logs(a, log(tmp_path, "d", STRONG, BINARY, group=dict.fromkeys(IDS, "one")))


def test_lower_can_be_better(tmp_path: Path):
    header = {"kind": "graded", "range": [0, 10], "direction": "lower"}
    high, low = {i: 8.0 + n % 2 for n, i in enumerate(IDS)}, {i: 1.0 + n % 2 for n, i in enumerate(IDS)}
    a, b = log(tmp_path, "a", high, header), log(tmp_path, "b", low, header)
    assert compare_logs(a, b).verdict.word == "better"
    assert compare_logs(b, a).verdict.word == "worse"


def test_not_worse_by_a_margin_and_equal_logs(tmp_path: Path):
    a = log(tmp_path, "a", dict.fromkeys(map(str, range(400)), 1.0), BINARY)
    assert compare_logs(a, a).verdict.word == "cannot-tell"
    assert compare_logs(a, a, claim="not-worse", margin=0.05).verdict.word == "not-worse"


def test_different_metrics_are_not_compared(tmp_path: Path):
    logs = []
    for metric in ("acc", "exact_match"):
        path = tmp_path / f"{metric}.jsonl"
        path.write_text(
            json.dumps({"doc_id": 0, "doc_hash": "h", "filter": "none", "metrics": [metric], metric: 1}) + "\n"
        )
        logs.append(read_log(path))
    with pytest.raises(InputError, match="acc and exact_match"):
        compare_logs(*logs)


def test_reading_and_comparing_write_nothing(tmp_path: Path):
    a, b = log(tmp_path, "a", WEAK, BINARY), log(tmp_path, "b", STRONG, BINARY)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    compare_logs(a, b)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before
