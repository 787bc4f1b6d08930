"""Reading logs of other programs: what they say, and by line what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.core.errors import InputError
from sluice.evalsuite.foreign import read_log


def write(path: Path, *lines) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def sample(doc_id: int, filter: str = "none", **metrics: object) -> dict:
    return {
        "doc_id": doc_id,
        "doc": {"question": f"q{doc_id}\u2028"},
        "target": "t",
        "arguments": {"gen_args_0": {"arg_0": "p", "arg_1": {}}},
        "resps": [["r"]],
        "filtered_resps": ["r"],
        "filter": filter,
        "metrics": list(metrics),
        "doc_hash": f"d{doc_id}",
        "prompt_hash": "p",
        "target_hash": f"t{doc_id}",
        **metrics,
    }


def test_id_and_score(tmp_path: Path):
    log = read_log(write(tmp_path / "a.jsonl", {"id": "a", "score": 0.0}, "", {"id": 2, "score": True, "note": "x"}))
    assert log.format == "id-score"
    assert {i: r.score for i, r in log.rows.items()} == {"a": 0.0, "2": 1.0}
    assert log.rows["2"].line == 3
    assert log.kind is None


def test_a_header_declares(tmp_path: Path):
    header = {"kind": "graded", "range": [0, 5], "direction": "lower"}
    log = read_log(write(tmp_path / "a.jsonl", header, {"id": "a", "score": 4}))
    assert (log.kind, log.range, log.direction, log.declared) == ("graded", (0, 5), "lower", True)
    for bad in ({"kind": "graded"}, {"kind": "likert", "range": [1, 5]}):
        with pytest.raises(InputError, match="header"):
            read_log(write(tmp_path / "b.jsonl", bad, {"id": "a", "score": 4}))


def test_our_run_folder(tmp_path: Path):
    write(tmp_path / "run" / "scores.jsonl", {"row": "a1", "input": "7f", "score": 0.5})
    log = read_log(tmp_path / "run")
    assert (log.format, log.rows["a1"].score, log.rows["a1"].content) == ("ours", 0.5, "7f")
    older = read_log(write(tmp_path / "older.jsonl", {"input": "7f", "score": 0.5}))
    assert (older.format, older.by_input, older.rows["7f"].score) == ("ours", True, 0.5)
    with pytest.raises(InputError, match="scores"):
        read_log(write(tmp_path / "empty" / "x.txt").parent)


def test_lm_eval_samples(tmp_path: Path):
    log = read_log(write(tmp_path / "samples_t.jsonl", sample(0, exact_match=1.0), sample(1, exact_match=0.0)))
    assert (log.format, log.kind, log.filter, log.metric) == ("lm-eval", "binary", "none", "exact_match")
    assert log.rows["1"].content == "d1"
    assert read_log(tmp_path).rows == log.rows


def test_filters_and_metrics_are_named_by_the_caller(tmp_path: Path):
    lines = [sample(i, f, exact_match=float(f == "strict"), f1=0.5) for i in range(2) for f in ("strict", "flexible")]
    path = write(tmp_path / "s.jsonl", *lines)
    with pytest.raises(InputError, match="strict, flexible"):
        read_log(path)
    with pytest.raises(InputError, match="exact_match, f1"):
        read_log(path, filter="strict")
    with pytest.raises(InputError, match="'lenient'"):
        read_log(path, filter="lenient")
    with pytest.raises(InputError, match="'acc'"):
        read_log(path, filter="strict", metric="acc")
    scores = {f: read_log(path, filter=f, metric="exact_match").rows["0"].score for f in ("strict", "flexible")}
    assert scores == {"strict": 1.0, "flexible": 0.0}
    assert read_log(path, filter="strict", metric="f1").kind is None


def test_samples_without_a_list_of_metrics_are_read_too(tmp_path: Path):
    old = {k: v for k, v in sample(0, acc=1).items() if k not in ("metrics", "filter")}
    log = read_log(write(tmp_path / "s.jsonl", old))
    assert (log.metric, log.kind) == ("acc", "binary")


@pytest.mark.parametrize(
    "line, told",
    [
        ({"id": "a", "score": 1}, "twice, first in line 1"),
        ({"id": "b"}, "no 'score'"),
        ({"id": "b", "score": None}, "null"),
        ('{"id": "b", "score": NaN}', "NaN"),
        ('{"id": "b", "score": 1e999}', "Infinity"),
        ({"id": "b", "score": "1"}, "not a number"),
        ({"id": "b", "score": [1]}, "not a number"),
        ({"score": 1}, "no 'id'"),
        ({"id": True, "score": 1}, "no 'id'"),
        ({"id": None, "score": 1}, "no 'id'"),
        ('{"id": "b", "score": 1, "score": 0}', "twice in one object"),
        ("[1]", "no JSON object"),
        ('{"id": "b",', "no JSON"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path: Path, line, told: str):
    with pytest.raises(InputError, match=told) as problem:
        read_log(write(tmp_path / "a.jsonl", {"id": "a", "score": 1}, line))
    assert (problem.value.where or "").endswith("a.jsonl:2")


def test_an_id_as_text_and_as_number_is_one_id(tmp_path: Path):
    with pytest.raises(InputError, match="twice"):
        read_log(write(tmp_path / "a.jsonl", {"id": 1, "score": 1}, {"id": "1", "score": 1}))


def test_files_that_are_no_log(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        read_log(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="no line"):
        read_log(write(tmp_path / "empty.jsonl"))
    with pytest.raises(InputError, match="no log of scores"):
        read_log(write(tmp_path / "rows.jsonl", {"body": "x", "category": "y"}))
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9", "score": 1}\n')
    with pytest.raises(InputError, match="no JSON") as problem:
        read_log(tmp_path / "latin.jsonl")
    assert (problem.value.where or "").endswith(":1")
    with pytest.raises(InputError, match="lm-eval"):
        read_log(write(tmp_path / "a.jsonl", {"id": "a", "score": 1}), metric="acc")


def test_two_samples_files_in_a_folder_are_listed(tmp_path: Path):
    for name in ("samples_a.jsonl", "samples_b.jsonl"):
        write(tmp_path / name, sample(0, acc=1))
    with pytest.raises(InputError, match=r"samples_a\.jsonl, samples_b\.jsonl"):
        read_log(tmp_path)
