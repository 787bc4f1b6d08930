"""Training to a verified adapter: it learns, survives being killed, and refuses what it must."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.tiny_model import WORDS, build_tiny_model

from sluice.core.errors import InputError, StoreBusy
from sluice.core.files import held
from sluice.evalsuite.models.local import LocalModel, load
from sluice.evalsuite.models.store import resolve_model
from sluice.train.checkpoints import last_whole, log_whole, logged, mark_whole
from sluice.train.recipes.config import SftConfig
from sluice.train.recipes.fit import fit
from sluice.train.render import Rendered, render

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("one_thread")]

CONFIG = SftConfig(batch=8, epochs=2, checkpoint_steps=3, learning_rate=5e-3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = build_tiny_model(tmp_path_factory.mktemp("tiny"))
    return load(resolve_model(str(folder), tmp_path_factory.mktemp("cache")))


def rows_of(model: LocalModel, count: int) -> list[Rendered]:
    chance = random.Random(0)
    first = {"role": "system", "content": "You are a helpful assistant."}
    return [
        render(
            model.tokenizer,
            [first, {"role": "user", "content": " ".join(chance.choices(WORDS, k=chance.randint(2, 12)))}],
            f'{{"a": "{chance.choice(WORDS)}"}}',
            512,
        )
        for _ in range(count)
    ]


class Stop(BaseException):
    """Stands for Ctrl-C."""


def test_it_learns_logs_each_step_and_leaves_the_base_as_it_was(model: LocalModel, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in model.model.state_dict().items()}
    seen: list[tuple[int, int]] = []
    result = fit(model, rows_of(model, 60), CONFIG, tmp_path, lambda _, done, total: seen.append((done, total)))
    assert result.steps == result.planned_steps == 16
    assert seen[-1] == (16, 16)
    assert result.samples == 120
    assert sum(result.losses[-3:]) < 0.6 * sum(result.losses[:3])
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    log = [line for line in lines if "event" not in line]
    assert [line["step"] for line in lines if line.get("event") == "checkpoint"] == [3, 6, 9, 12, 15]
    assert [line["step"] for line in log] == list(range(1, 17))
    assert all(line["learning_rate"] is not None and line["grad_norm"] > 0 for line in log)
    after = model.model.state_dict()
    assert before.keys() == after.keys()
    assert all(bool((before[name] == after[name]).all()) for name in before)
    tuned = load(model.files, adapter=result.adapter)
    assert tuned.adapter_is_on() > 0.1
    assert sorted(path.name for path in result.adapter.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_an_interrupted_run_ends_in_the_same_bytes(model: LocalModel, tmp_path: Path) -> None:
    rows = rows_of(model, 60)
    whole = fit(model, rows, CONFIG, tmp_path / "whole")

    def stop(_: str, done: int, __: int) -> None:
        if done == 8:
            raise Stop

    with pytest.raises(Stop):
        fit(model, rows, CONFIG, tmp_path / "cut", stop)
    # The newest checkpoint was cut while it was written: the one before counts.
    newest = last_whole(tmp_path / "cut", logged(tmp_path / "cut" / "log.jsonl"))
    assert newest is not None
    assert newest.name == "checkpoint-6"
    (newest / "optimizer.pt").write_bytes(b"half")
    resumed = fit(model, rows, CONFIG, tmp_path / "cut")
    assert resumed.resumed_from == 3
    assert resumed.files == whole.files
    assert resumed.losses == whole.losses
    assert fit(model, rows, CONFIG, tmp_path / "cut") == resumed  # done is done


def test_a_killed_run_goes_on(model: LocalModel, tmp_path: Path) -> None:
    rows = rows_of(model, 60)
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "import torch\n"
        "from sluice.evalsuite.models.local import load\n"
        "from sluice.evalsuite.models.store import resolve_model\n"
        "from sluice.train.recipes.config import SftConfig\n"
        "from sluice.train.recipes.fit import fit\n"
        "from sluice.train.render import Rendered\n"
        "torch.set_num_threads(1)\n"
        "given = json.load(open(sys.argv[1]))\n"
        "rows = [Rendered(tuple(ids), prompt) for ids, prompt in given['rows']]\n"
        "model = load(resolve_model(given['model'], Path(given['cache'])))\n"
        "fit(model, rows, SftConfig(**given['config']), Path(given['out']))\n"
    )
    given = {
        "rows": [[row.ids, row.prompt_tokens] for row in rows],
        "model": str(model.files.folder),
        "cache": str(tmp_path / "cache"),
        "config": {**CONFIG.model_dump(), "checkpoint_steps": 2, "epochs": 4},
        "out": str(tmp_path / "out"),
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "given.json")], stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    while last_step(tmp_path / "out") < 7 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "adapter").exists()
    result = fit(model, rows, SftConfig(**given["config"]), tmp_path / "out")
    assert result.resumed_from >= 2
    assert result.steps == result.planned_steps == 32
    assert result.samples == 240


def last_step(folder: Path) -> int:
    log = folder / "log.jsonl"
    return log.read_text().count('"loss"') if log.exists() else 0


def test_a_deadline_stops_it_with_an_adapter(model: LocalModel, tmp_path: Path) -> None:
    result = fit(model, rows_of(model, 60), CONFIG, tmp_path, deadline_seconds=0.0)
    assert result.stopped_early
    assert result.steps == 2
    assert (result.adapter / "adapter_model.safetensors").is_file()


def test_large_batches_in_parts_train_the_same(model: LocalModel, tmp_path: Path) -> None:
    rows = rows_of(model, 24)
    whole = fit(model, rows, CONFIG, tmp_path / "a")
    parts = fit(model, rows, CONFIG.model_copy(update={"part_tokens": 130}), tmp_path / "b")
    assert parts.losses == pytest.approx(whole.losses, rel=1e-3)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Rendered((1, 2, 3), 2, "over-long")],
        [Rendered((1, 2, 3), 3)],  # everything masked: other trainers go on with a loss of 0 or NaN
        [Rendered((1, 2, 3), 0)],
    ],
)
def test_rows_that_cannot_be_learnt_are_refused(model: LocalModel, tmp_path: Path, rows: list[Rendered]) -> None:
    with pytest.raises(InputError):
        fit(model, rows, CONFIG, tmp_path)


def test_a_loss_that_is_not_a_number_stops_it(model: LocalModel, tmp_path: Path) -> None:
    import torch

    weight = model.model.get_input_embeddings().weight
    before = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(float("nan"))
    try:
        with pytest.raises(InputError, match="nan"):
            fit(model, rows_of(model, 8), CONFIG, tmp_path)
    finally:
        with torch.no_grad():
            weight.copy_(before)
    assert not (tmp_path / "adapter").exists()


def test_a_folder_belongs_to_one_run(model: LocalModel, tmp_path: Path) -> None:
    rows = rows_of(model, 16)
    first = fit(model, rows, CONFIG, tmp_path)
    with pytest.raises(InputError, match="token_rows_sha256"):
        fit(model, rows[1:], CONFIG, tmp_path)
    with pytest.raises(InputError, match="config"):
        fit(model, rows, CONFIG.model_copy(update={"rank": 8}), tmp_path)
    with held(tmp_path / "fit.lock", what="it"), pytest.raises(StoreBusy):
        fit(model, rows, CONFIG, tmp_path)
    assert fit(model, rows, CONFIG, tmp_path, resume=False).files == first.files


def test_a_checkpoint_counts_only_when_whole_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for step in (5, 10, 100):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "weights").write_text(str(step))
        if step != 100:
            mark_whole(folder)
            log_whole(log, folder)
    assert last_whole(tmp_path, logged(log)) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-100").exists()
    (tmp_path / "checkpoint-10" / "weights").write_text("others")
    mark_whole(tmp_path / "checkpoint-10")
    assert last_whole(tmp_path, logged(log)) == tmp_path / "checkpoint-5"
    assert not (tmp_path / "checkpoint-10").exists()
    assert last_whole(tmp_path, {}) is None


def test_four_bit_weights_train_too(model: LocalModel, tmp_path: Path) -> None:
    quantised = load(model.files, quantisation="nf4")
    result = fit(quantised, rows_of(model, 32), CONFIG, tmp_path)
    assert result.fast_layers == 0
    assert sum(result.losses[-2:]) < sum(result.losses[:2])
    assert load(model.files, adapter=result.adapter, quantisation="nf4").adapter_is_on() > 0.01
