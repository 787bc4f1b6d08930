"""The road on real requests with the real small model, short: 100 training rows, 40 eval, 20 dev."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import road as road_

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        road_.requests_file() is None, reason="SLUICE_TEST_DATA names no folder with snips/requests.jsonl"
    ),
]


def test_the_road_from_raw_requests_to_a_verdict(tmp_path: Path) -> None:
    road = road_.start(tmp_path, dev="20", evaluation="40", per_class=False)

    refused = road("train", "sft", "--yes", code=3)
    closed = {r["rule"] for r in refused["rules"] if r["status"] == "refused"}
    assert "prompt-baseline" in closed
    assert not list((tmp_path / ".sluice").glob("adapters/*")), "a refusal must train nothing"

    road("sample", "requests/train", "100")
    audit = road("gate", code=3)
    failing = next(r for r in audit["rules"] if r["rule"] == "audit")
    if failing["status"] == "refused":
        names = failing["fix"].split("--failing ")[1]
        road("filter", "requests/train", "--failing", names)
    baselines = road("baseline")
    assert {line["on"] for line in baselines["dev"]} == {"dev"}
    assert baselines["eval"], "the best prompt is measured on the eval set"
    assert all(sum(line["classes"].values()) == line["rate"]["n"] for line in baselines["dev"] + baselines["eval"])

    road("waive", "gradable", "--reason", "nobody grades in a test run of the product", "--by", "test")
    trained = road("train", "sft", "--batch", "4", "--yes")
    assert trained["adapter"] == "sft-1"
    losses = trained["result"]["losses"]
    assert losses[-1] < losses[0] * 0.7

    # A hundred rows teach the form of an answer; whether they beat the prompt is what was measured, whatever it is.
    verdict = road("compare", "sft-1", "--final", "--yes", code=None)
    comparison = verdict["comparison"]
    assert comparison["verdict"]["n"] == 40
    assert comparison["exit_code"] == {"better": 0, "worse": 1, "cannot-tell": 4}[comparison["verdict"]["word"]]
    assert verdict["opening"] == 1
    folder = next((tmp_path / "evals").iterdir())
    run = next(
        p.name for p in (tmp_path / ".sluice" / "runs").iterdir() if "adapter" in p.name and "requests" in p.name
    )
    measured = road_.figures(road_.answers_on(road, run, f"evals/{folder.name}/rows.jsonl"))
    assert measured["valid"] > 0.8

    again = road("compare", "sft-1", "--final", "--yes", code=comparison["exit_code"])
    assert again["comparison"]["verdict"] == comparison["verdict"]
    assert again["opening"] == 1, "looking again is no second opening"
    checked = road("verify")
    assert not checked.get("tampered")
