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

from sluice.core.paths import default_cache_dir
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
