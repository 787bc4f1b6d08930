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

from sluice.core.files import file_sha256
from sluice.core.paths import default_cache_dir
from sluice.core.runs import Run, all_runs
from sluice.curate.dataset import open_dataset
from sluice.evalsuite.asking import Form
from sluice.evalsuite.models.identity import ModelFiles, identify
from sluice.train.verification.adapters import log_problem

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


# a training that was cut


def test_a_checkpoint_that_was_overwritten_is_not_gone_on_from(measured):
    import torch
    from safetensors.torch import load_file, save_file

    from sluice.train.checkpoints import EVENT, mark_whole
    from sluice.train.recipes.config import SftConfig
    from sluice.train.recipes.spine import Order, run

    measured.waive()
    form = Form("float32", None, "cpu", 1)
    config = SftConfig(rank=4, alpha=8.0, batch=4, checkpoint_steps=1, seed=7)
    order = Order("tickets/train", "sft", config, form, form)
    honest = run(measured.copy(measured.root.parent / "honest").project, order, measured.model)

    def stop(what: str, done: int, _: int) -> None:
        if what == "training" and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(measured.project, order, measured.model, progress=stop)
    newest = measured.project.store / "training" / "sft-1" / "fit" / "checkpoint-4"
    weights = newest / "adapter_model.safetensors"
    save_file({k: torch.full_like(v, 0.37) for k, v in load_file(weights).items()}, weights, metadata={"format": "pt"})
    mark_whole(newest)
    out = run(measured.project, order, measured.model)
    assert out.result.resumed_from == 3, "the one before it"
    assert out.certificate.adapter == honest.certificate.adapter
    assert measured.tampered() == []
    log = newest.parent / "log.jsonl"
    kept = [line for line in log.read_text().splitlines() if f'"{EVENT}"' not in line or '"step": 3,' not in line]
    log.write_text("\n".join(kept) + "\n")
    certificate = out.certificate.model_copy(update={"log_sha256": file_sha256(log)})
    assert "went on from step 3" in (log_problem(log, certificate) or "")


# rows longer than the model reads


def test_a_row_longer_than_the_model_reads_is_not_trainable_whatever_the_task_allows(measured):
    measured.edit("max_tokens = 512", "max_tokens = 1000000")
    measured.add_rows("tickets/train", [" ".join(words(5, 120))])
    measured.waive()
    measured("baseline")
    found = measured.refuses("rows-trainable")
    assert "1 over-long" in found["found"]
    assert "the context of the model" in found["found"]
    assert measured.gate()["audit"]["status"] == "refused", "the quality report counts it, too"
    plan = measured("plan", "--no-probe").result
    assert (plan["overlong"], plan["max_tokens"], plan["limit_of"]) == (1, 1024, "the context of the model")
    checks = {c["name"]: c for c in measured("audit", "tickets/train").result["report"]["checks"]}
    assert (checks["overlong"]["status"], checks["overlong"]["count"]) == ("found", 1)
    measured("filter", "tickets/train", "--failing", "overlong")
    measured("baseline")
    assert measured.gate()["rows-trainable"]["status"] == "ok"
