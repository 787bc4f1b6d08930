"""Attacks on the gate through what is remembered or lies ready: hashes of models, answers, checkpoints, waivers.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from support.tiny_road import words

from sluice.core.paths import default_cache_dir
from sluice.core.runs import Run, all_runs
from sluice.curate.dataset import open_dataset
from sluice.evalsuite.models.identity import ModelFiles, identify

pytestmark = [pytest.mark.model]


# the model that is asked


def own_base(road) -> Path:
    """Give a project a base model of its own."""
    base = Path(road.project.config.model.base)
    other = road.root / "base"
    shutil.copytree(base, other)
    road.edit(str(base), str(other))
    return other / "model.safetensors"


def put(file: Path, content: bytes) -> None:
    """Write into a file with size, time and inode kept."""
    stat = file.stat()
    with open(file, "r+b") as opened:
        opened.write(content)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def crippled(weights: Path) -> bytes:
    """Return the weights with all zeros behind the header."""
    content = weights.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    return content[:start] + bytes(len(content) - start)


@pytest.mark.parametrize("how", ["the time is put back", "the cache is edited"])
def test_a_baseline_of_a_crippled_model_is_not_measured_as_the_true_one(split, how):
    weights = own_base(split)
    split("freeze")
    true = identify(ModelFiles("m", weights.parent), default_cache_dir()).files["model.safetensors"]
    if how == "the time is put back":
        put(weights, crippled(weights))
    else:
        weights.write_bytes(crippled(weights))
        identify(ModelFiles("m", weights.parent), default_cache_dir())
        cache = default_cache_dir() / "hashes.json"
        held = json.loads(cache.read_text())
        cache.write_text(json.dumps({k: true if str(weights) in k else v for k, v in held.items()}))
    ended = split("baseline", code=None)
    assert (ended.code, ended.error["code"]) == (3, "tampered")
    assert "hash is remembered" in ended.error["message"]
    assert not split.facts().of("evaluated")
    split("baseline")
    measured = {f.body["base"] for f in split.facts().of("evaluated")}
    assert measured == {identify(ModelFiles("m", weights.parent), use_cache=False).sha256}, "as what it is now"


def test_an_adapter_is_not_judged_on_another_base_than_its_own(trained):
    weights = own_base(trained)
    identify(ModelFiles("m", weights.parent), default_cache_dir())
    put(weights, crippled(weights))
    assert trained("compare", "sft-1", "--final", "--yes", code=None).code == 3
    assert not [f for f in trained.facts().of("opened") if f.body.get("adapter")], "no opening is spent"


# answers that lie ready


def test_a_baselines_answers_planted_before_the_set_was_opened_are_found(split, measured_template):
    split("freeze")
    planted = [r for r in all_runs(measured_template.project) if r.spec.on == "tickets"]
    assert planted
    runs = []
    for other in planted:
        run = Run.start(split.project, other.spec)
        for answer in other.answers().values():
            run.append(answer.model_copy(update={"text": "nonsense"}))
        runs.append(run)
    ended = split("baseline", code=3)
    assert ended.error["code"] == "tampered"
    assert "before the set was opened" in ended.error["message"]
    split.refuses("prompt-baseline")
    for run in runs:
        shutil.rmtree(run.folder)
    split("baseline")
    assert split.gate()["prompt-baseline"]["status"] == "ok"


# waivers

FAILING = ("empty", "conflict", "schema", "overlong", "dev-in-train", "leak")
MUCH = "999999999"


def forge_waiver(road, rule: str, value: str, **more: object) -> str:
    body = {"rule": rule, "task": "tickets", "dataset": "tickets/train", "value": value, "found": "x"}
    return road.forge("waived", body | {"reason": "looked at by the two of us", "parts": {}} | more)


@pytest.mark.parametrize(
    ("rule", "value", "more", "said"),
    [
        ("gradable", MUCH, {}, "more than gradable can find"),
        ("gradable", "1", {"reason": "x"}, "10 characters"),
        ("gradable", "1", {"parts": {"empty": "1"}}, "only audit has"),
        ("headroom", "1.5", {}, "more than headroom can find"),
        ("audit", MUCH, {"parts": dict.fromkeys(FAILING, MUCH)}, "sum of its parts"),
        ("audit", str(6 * int(MUCH)), {"parts": dict.fromkeys(FAILING, MUCH)}, "its version has"),
        ("audit", "60", {"parts": dict.fromkeys(FAILING, "10")}, "not 0"),
        ("train-size", MUCH, {}, "of a version of"),
    ],
)
def test_a_forged_waiver_opens_its_rule_no_further_than_a_real_one(measured, rule, value, more, said):
    version = {"version": open_dataset(measured.project, "tickets/train").hash}
    digest = forge_waiver(measured, rule, value, **(version | more))
    assert any(digest[:10] in line and said in line for line in measured.tampered()), measured.tampered()
    if said != "not 0":
        assert all(r["status"] != "waived" for r in measured.gate().values())


def test_a_forged_waiver_of_rows_that_are_not_here_waives_nothing(measured):
    forge_waiver(measured, "audit", "60", parts=dict.fromkeys(FAILING, "10"))
    (text,) = words(77, 1)
    for target in ("billing", "other"):
        measured.add_rows("tickets/train", [text], target)
    measured("baseline")
    assert measured.gate()["audit"]["status"] == "refused"
    measured.waive()
    assert "audit" in measured.train(code=3).error["message"]
    measured("waive", "audit", "--reason", "both answers are given in earnest", "--by", "test")
    assert measured.gate()["audit"]["status"] == "waived"
    assert measured.tampered() == []
