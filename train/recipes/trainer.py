"""TRL's SFTTrainer with our loss and our batches: same loss, less work.

Differences from its parent: batches are grouped by length and hold a common prompt start once, logits are computed for
completion tokens only, a batch too large for memory is computed in parts, and nothing is printed, cached, uploaded or
written beside checkpoints. It gets token ids and never opens rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError
from sluice.core.files import append_line
from sluice.train.checkpoints import log_whole, mark_whole
from sluice.train.loss import completion_loss
from sluice.train.packing import Part, batches_by_length, pack, split_rows
from sluice.train.recipes.config import SftConfig
from sluice.train.render import Rendered


def make_trainer(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Rendered],
    config: SftConfig,
    out_dir: Path,
    device: str,
    *,
    share: bool,
    log: Path,
    on_step: Callable[[int, int], None] | None = None,
    deadline: float | None = None,
) -> Any:
    """Return the trainer for a PEFT model.

    Args:
        model: the PEFT model, LoRA weights in float32.
        rows: rendered rows without problems.
        out_dir: where checkpoints go.
        share: whether the model's attention can hold a common prompt start once.
        log: the JSONL file that gets a line a step, and one a checkpoint.
        on_step: called with (steps done, steps in all).
        deadline: value of `time.monotonic` after which training stops at the next step.
    """
    from datasets import Dataset
    from torch.utils.data import Sampler
    from transformers import PrinterCallback, ProgressCallback, TrainerCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    lengths = [len(row.ids) for row in rows]
    pad = tokenizer.pad_token_id or 0

    class Order(Sampler[int]):
        """Row indices in the order of `batches_by_length`; the epoch is set by the trainer."""

        epoch = 0

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

        def __iter__(self) -> Iterator[int]:
            for batch in batches_by_length(lengths, config.batch, config.seed, self.epoch):
                yield from batch

        def __len__(self) -> int:
            return len(rows)

    def collate(features: Sequence[dict[str, int]]) -> dict[str, Any]:
        batch = [rows[feature["row"]] for feature in features]
        parts = [pack(part, pad, share) for part in split_rows(batch, config.part_tokens)]
        return {"parts": parts}

    class Steps(TrainerCallback):
        """A line of the log for each step, the stop at the deadline, a checkpoint now and then."""

        def __init__(self) -> None:
            self.saved_at = self.before = time.monotonic()
            self.tokens = self.samples = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.saved_at = self.before = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            now = time.monotonic()
            # Not after the first step: the warm-up starts at a learning rate of 0, and it changes nothing.
            if deadline is not None and now > deadline and state.global_step > 1:
                control.should_training_stop = True
            due = config.checkpoint_steps is not None and state.global_step % config.checkpoint_steps == 0
            if due or (config.checkpoint_steps is None and now - self.saved_at > config.checkpoint_seconds):
                control.should_save = True
                self.saved_at = now

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if not logs or "loss" not in logs:
                return
            now = time.monotonic()
            line = {
                "step": state.global_step,
                "loss": logs["loss"],
                "learning_rate": logs.get("learning_rate"),
                "grad_norm": logs.get("grad_norm"),
                "samples": self.samples,
                "tokens": self.tokens,
                "seconds": round(now - self.before, 4),
            }
            append_json(log, line)
            self.before, self.tokens, self.samples = now, 0, 0
            if on_step is not None:
                on_step(state.global_step, state.max_steps)

    steps = Steps()

    class CompletionTrainer(SFTTrainer):
        """See the module."""

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return Order()

        def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
            return sum(len(part.labels) for batch in batch_samples for part in batch["parts"])

        def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
            model.train()
            total: Any = None
            for part in inputs["parts"]:
                loss = self.compute_loss(model, {"part": part}, num_items_in_batch=num_items_in_batch)
                self.accelerator.backward(loss)
                total = loss.detach() if total is None else total + loss.detach()
                steps.tokens += part.tokens
                steps.samples += part.rows
            value = float(total)
            if not math.isfinite(value):
                raise InputError(
                    f"the loss is {value} at step {self.state.global_step + 1}: training went astray",
                    where=str(log),
                    remedy="lower the learning rate, or train in float32",
                )
            if value == 0.0:
                raise InputError(
                    f"the loss is exactly 0 at step {self.state.global_step + 1}: nothing is learnt",
                    where=str(log),
                    remedy="check the rows (sluice plan shows trained and masked tokens)",
                )
            return total

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            part = _to(inputs["part"], device)
            count = len(part.labels) if num_items_in_batch is None else num_items_in_batch
            return completion_loss(self.accelerator.unwrap_model(model).get_base_model(), part) / count

        def floating_point_ops(self, inputs: Any) -> int:
            return 0

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            super(SFTTrainer, self)._save_checkpoint(model, trial)  # the parent's adds a model card to each
            checkpoint = out_dir / f"checkpoint-{self.state.global_step}"
            mark_whole(checkpoint)
            log_whole(log, checkpoint)

    total_steps = math.ceil(len(rows) / config.batch) * config.epochs
    arguments = SFTConfig(
        output_dir=str(out_dir),
        per_device_train_batch_size=config.batch,
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=math.ceil(config.warmup * total_steps),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch",
        seed=config.seed,
        data_seed=config.seed,
        bf16=False,  # weights are in their precision already; autocast would cast them again at every use
        fp16=False,
        use_cpu=device == "cpu",
        gradient_checkpointing=config.gradient_checkpointing,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",  # `Steps` asks for checkpoints
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        push_to_hub=False,
        max_length=None,
        completion_only_loss=True,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # one device a process; more are a matter of `accelerate`
    trainer = CompletionTrainer(
        model=model,
        args=arguments,
        data_collator=collate,
        train_dataset=Dataset.from_dict({"row": list(range(len(rows)))}),
        processing_class=tokenizer,
        callbacks=[steps],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def append_json(path: Path, line: dict[str, Any]) -> None:
    """Append one JSON object to a log."""
    import json

    append_line(path, json.dumps(line, ensure_ascii=False))


def _to(part: Part, device: str) -> Part:
    """Move a part's tensors to the device."""
    if device == "cpu":
        return part
    from dataclasses import replace

    moved = {name: getattr(part, name).to(device) for name in ("ids", "positions", "picked", "labels")}
    return replace(part, **moved)
