"""Train a LoRA adapter on token rows, through interruptions, and leave it verified in its folder.

Gets rows that are already tokens, and a folder. In that folder: `plan.json` (what is trained), `log.jsonl` (a line a
step), `checkpoint-N/`, `result.json`, and last, in one rename, `adapter/`. Knows neither datasets nor gates.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError, SurroundingsError
from sluice.core.files import atomic_write, disk_errors, file_sha256, held, publish_folder, read_lines
from sluice.core.progress import Progress
from sluice.evalsuite.models.local import LocalModel
from sluice.evalsuite.models.quiet import quiet_libraries
from sluice.train.checkpoints import checkpoint_step, last_whole, logged
from sluice.train.loss import can_share, fast_lora, packed_attention
from sluice.train.recipes.config import FitResult, SftConfig
from sluice.train.recipes.trainer import append_json, make_trainer
from sluice.train.render import EXPLANATIONS, Rendered

_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


def fit(
    model: LocalModel,
    rows: Sequence[Rendered],
    config: SftConfig,
    out_dir: Path,
    progress: Progress | None = None,
    deadline_seconds: float | None = None,
    resume: bool = True,
) -> FitResult:
    """Train a LoRA adapter (QLoRA where the model was loaded in nf4) and save it to `out_dir/adapter`.

    Called again with the same rows and settings after an interruption, it goes on from the last whole checkpoint;
    called after it had finished, it returns the recorded result.

    Args:
        model: a loaded model without an adapter; its weights are as before afterwards.
        rows: from `render`; all must be without problems.
        config: settings.
        out_dir: a folder of this run only.
        progress: called as ("training", steps done, steps in all).
        deadline_seconds: stop at the first step (but the very first) that ends so many seconds from now; the adapter
            is saved all the same.
        resume: False starts afresh and removes what an interrupted run has left.

    Raises:
        InputError: no rows, a row with a problem, a folder of another run, a loss that is NaN or exactly 0.
        SurroundingsError: out of memory, disk full, a saved adapter that cannot be read back, another process at it.
    """
    deadline = None if deadline_seconds is None else time.monotonic() + deadline_seconds
    _check_rows(rows, model.context_length)
    if model.adapter is not None:
        raise InputError("the model has an adapter on", remedy="load the base alone")
    with disk_errors(out_dir), held(out_dir / "fit.lock", what="this training run", wait_seconds=0.0):
        if not resume:
            _clear(out_dir)
        _check_plan(model, rows, config, out_dir)
        if (out_dir / "adapter").is_dir():
            return FitResult.model_validate_json((out_dir / "result.json").read_text(encoding="utf-8"))
        with quiet_libraries():
            return _train(model, rows, config, out_dir, progress, deadline)


def _train(
    model: LocalModel,
    rows: Sequence[Rendered],
    config: SftConfig,
    out_dir: Path,
    progress: Progress | None,
    deadline: float | None,
) -> FitResult:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    set_seed(config.seed)
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,  # type: ignore[arg-type]
        lora_dropout=config.dropout,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
        base_model_name_or_path=model.files.name,
    )
    requires = {name: parameter.requires_grad for name, parameter in model.model.named_parameters()}
    wrapped: Any = get_peft_model(model.model, lora)
    wrapped.peft_config["default"].base_model_name_or_path = model.files.name  # not a path of this machine
    base = wrapped.get_base_model()
    forward = base.__dict__.get("forward")
    share = can_share(base)
    log = out_dir / "log.jsonl"
    checkpoint = last_whole(out_dir, logged(log))
    _cut_log(log, checkpoint_step(checkpoint))

    def on_step(done: int, total: int) -> None:
        if progress is not None:
            progress("training", done, total)

    try:
        with fast_lora(wrapped) as fast, packed_attention(base, share):
            trainer = make_trainer(
                wrapped,
                model.tokenizer,
                rows,
                config,
                out_dir,
                model.device,
                share=share,
                log=log,
                on_step=on_step,
                deadline=deadline,
            )
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        result = _finish(wrapped, trainer, out_dir, log, checkpoint_step(checkpoint), share, fast)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise SurroundingsError(
            f"out of memory with {config.part_tokens} tokens at once",
            where=model.device,
            remedy="set part_tokens lower, switch gradient_checkpointing on, or load the model in nf4",
        ) from error
    finally:
        wrapped.unload()
        if forward is None:
            base.__dict__.pop("forward", None)  # TRL's wrapper around it
        for name, parameter in model.model.named_parameters():
            parameter.requires_grad_(requires.get(name, False))
        model.model.eval()
    return result


def _finish(
    wrapped: Any, trainer: Any, out_dir: Path, log: Path, resumed_from: int, share: bool, fast: int
) -> FitResult:
    """Save and verify the adapter, then write the result, then give the adapter its name: that makes the run done."""
    staged = out_dir / ".adapter-staged"
    shutil.rmtree(staged, ignore_errors=True)
    wrapped.save_pretrained(str(staged), safe_serialization=True)
    for path in staged.iterdir():
        if path.name not in _ADAPTER_FILES:
            path.unlink()
    _sort_config(staged / "adapter_config.json")
    _verify(wrapped, staged)
    (staged / "adapter_model.safetensors").chmod(0o644)
    lines = [line for line in read_lines(log) if "loss" in line]
    seconds = sum(float(line["seconds"]) for line in lines)
    samples = sum(int(line["samples"]) for line in lines)
    result = FitResult(
        steps=len(lines),
        planned_steps=int(trainer.state.max_steps),
        samples=samples,
        tokens=sum(int(line["tokens"]) for line in lines),
        losses=[float(line["loss"]) for line in lines],
        seconds=round(seconds, 3),
        samples_per_second=round(samples / max(seconds, 1e-9), 3),
        stopped_early=len(lines) < int(trainer.state.max_steps),
        resumed_from=resumed_from,
        trained_parameters=sum(p.numel() for p in wrapped.parameters() if p.requires_grad),
        shared_prefix=share,
        fast_layers=fast,
        adapter=out_dir / "adapter",
        files={name: file_sha256(staged / name) for name in _ADAPTER_FILES},
    )
    atomic_write(out_dir / "result.json", (result.model_dump_json(indent=2) + "\n").encode())
    publish_folder(staged, out_dir / "adapter")
    return result


def _sort_config(path: Path) -> None:
    """Put sets that PEFT writes in any order in order, so that equal runs have equal bytes."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for key in ("target_modules", "modules_to_save", "exclude_modules"):
        if isinstance(content.get(key), list):
            content[key] = sorted(content[key])
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _verify(wrapped: Any, folder: Path) -> None:
    """Read a saved adapter back: every trained weight under its own key, equal, and not all zeros."""
    import torch
    from peft.utils import get_peft_model_state_dict
    from safetensors.torch import load_file

    remedy = "train again; if it comes back, report it: the adapter would not do what was trained"
    saved = load_file(str(folder / "adapter_model.safetensors"))
    trained = {name: tensor.detach().cpu() for name, tensor in get_peft_model_state_dict(wrapped).items()}
    if saved.keys() != trained.keys():
        raise SurroundingsError(
            "the saved adapter has other keys than the trained one", where=str(folder), remedy=remedy
        )
    changed = [name for name in saved if not torch.equal(saved[name], trained[name])]
    if changed:
        raise SurroundingsError(
            f"{len(changed)} weights were not saved as trained, for example {changed[0]}",
            where=str(folder),
            remedy=remedy,
        )
    second = [tensor for name, tensor in saved.items() if "lora_B" in name]
    if not second or all(not bool(tensor.any()) for tensor in second):
        raise SurroundingsError("the adapter is all zeros: nothing was learnt", where=str(folder), remedy=remedy)


def _check_rows(rows: Sequence[Rendered], context: int) -> None:
    if not rows:
        raise InputError("there are no rows to train on", remedy="name a dataset with rows")
    for number, row in enumerate(rows):
        if row.problem is not None:
            raise InputError(
                f"a row cannot be trained on: {EXPLANATIONS[row.problem]}",
                where=f"row {number}",
                remedy="drop it first (sluice filter --failing)",
            )
        if row.completion_tokens < 1 or row.prompt_tokens < 1:
            raise InputError("a row has nothing to learn", where=f"row {number}", remedy="drop it first")
        if len(row.ids) > context:
            raise InputError(
                f"a row has {len(row.ids):,} tokens, and the model reads {context:,}",
                where=f"row {number}",
                remedy="drop it first (sluice filter --failing overlong)",
            )


def _check_plan(model: LocalModel, rows: Sequence[Rendered], config: SftConfig, out_dir: Path) -> None:
    """Record what this folder trains, or check that it is what was recorded."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(f"{row.prompt_tokens}:{','.join(map(str, row.ids))};".encode())
    plan = {
        "format": 1,
        "base": model.files.name,
        "base_files": model.files.files,
        "dtype": model.dtype,
        "quantisation": model.quantisation,
        "rows": len(rows),
        "token_rows_sha256": digest.hexdigest(),
        "config": config.model_dump(),
    }
    path = out_dir / "plan.json"
    if not path.exists():
        atomic_write(path, (json.dumps(plan, indent=2) + "\n").encode())
        return
    recorded = json.loads(path.read_text(encoding="utf-8"))
    differing = sorted(key for key in plan.keys() | recorded.keys() if plan.get(key) != recorded.get(key))
    if differing:
        raise InputError(
            f"this folder belongs to a run with another {', '.join(differing)}",
            where=str(out_dir),
            remedy="train into another folder, or start afresh (resume=False)",
        )


def _cut_log(log: Path, step: int) -> None:
    """Leave the steps up to a checkpoint in the log: later ones are done again."""
    if not log.exists():
        return
    kept = [line for line in read_lines(log) if int(line.get("step", 0)) <= step]
    atomic_write(log, "".join(json.dumps(line) + "\n" for line in kept).encode())
    if step:
        append_json(log, {"step": step, "event": "resumed"})


def _clear(out_dir: Path) -> None:
    for path in out_dir.glob("checkpoint-*"):
        shutil.rmtree(path, ignore_errors=True)
    for name in ("adapter", ".adapter-staged"):
        shutil.rmtree(out_dir / name, ignore_errors=True)
    for name in ("plan.json", "log.jsonl", "result.json"):
        (out_dir / name).unlink(missing_ok=True)
