"""SFT with LoRA on short answers: TRL's SFTTrainer as it comes, against our recipe, side by side in one run.

Usage: python benchmarks/sft.py [--data FILE.jsonl] [--rows 80] [--batch 8] [--rounds 3] [--dtype bfloat16|float32]

The model is the default one; rows have about 90 tokens, about 21 of them completion. Rounds alternate (TRL, ours, ours
without a shared prompt start), since other programs disturb a machine; medians of steps are compared. Also printed:
the difference between the two losses on one batch, and the floor, the time that the matrix products of one TRL step
take alone. FILE.jsonl has an object a line with `request` and `intent`; without it the rows are synthetic.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from sluice.core.paths import default_cache_dir
from sluice.evalsuite.models.local import LocalModel, load
from sluice.evalsuite.models.quiet import quiet_libraries
from sluice.evalsuite.models.store import DEFAULT_MODEL, resolve_model
from sluice.evalsuite.probe import probe
from sluice.train.loss import can_share, completion_loss, fast_lora, packed_attention
from sluice.train.packing import pack
from sluice.train.recipes.config import SftConfig
from sluice.train.recipes.trainer import make_trainer
from sluice.train.render import Rendered, render

WORDS = [
    "please",
    "my",
    "kettle",
    "parcel",
    "order",
    "late",
    "refund",
    "broken",
    "screen",
    "delivery",
    "invoice",
    "wrong",
    "twice",
    "charged",
    "return",
    "help",
]


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=80)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    given = parser.parse_args()

    cache = default_cache_dir()
    machine = probe(cache, dtype=given.dtype)
    files = resolve_model(given.model, cache)
    model = load(files, dtype=machine.dtype, device=machine.device)
    rows = make_rows(model, given.data, given.rows)
    mean = statistics.mean
    print(
        f"{machine.device_name}, {machine.threads} threads, {machine.dtype}: float32 {machine.float32_gflops} GFLOPS, "
        f"bfloat16 {machine.bfloat16_gflops}"
    )
    print(
        f"{len(rows)} rows, {mean(len(r.ids) for r in rows):.0f} tokens, {mean(r.completion_tokens for r in rows):.0f} "
        f"of them completion; batch {given.batch}, LoRA r=16 on all linear layers"
    )

    ways = ("trl", "ours", "ours, nothing shared")
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(given.rounds):
        for way in ways:
            times[way] += run(way, load(files, dtype=machine.dtype, device=machine.device), rows, given.batch)
    speed = {way: given.batch / statistics.median(steps) for way, steps in times.items()}
    floor = products_floor(model, rows, given.batch)
    trl_loss, our_loss = losses(model, rows[: given.batch])
    for way in ways:
        print(f"{way:22} {speed[way]:6.2f} samples/s   {speed[way] / speed['trl']:.2f} x TRL")
    print(
        f"floor of TRL's matrix products {given.batch / floor:6.2f} samples/s (ours is at "
        f"{speed['ours'] * floor / given.batch:.2f} of it; above 1 where tokens are shared)"
    )
    print(f"loss on one batch: TRL {trl_loss:.6f}, ours {our_loss:.6f}, difference {abs(trl_loss - our_loss):.1e}")


def make_rows(model: LocalModel, data: Path | None, count: int) -> list[Rendered]:
    """Rows of about 90 tokens: an instruction, a message, a short JSON answer."""
    chance = random.Random(0)
    if data is not None:
        lines = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
        pairs = [(f"{x['request']}", x["intent"]) for x in chance.sample(lines, count)]
    else:
        pairs = [
            (" ".join(chance.choices(WORDS, k=chance.randint(20, 34))), chance.choice(WORDS)) for _ in range(count)
        ]
    instruction = "Turn the message into one JSON object with intent and urgency.\n\n"
    rows = []
    for message, word in pairs:
        target = json.dumps(
            {"intent": word, "urgency": chance.choice(["low", "high"]), "refund": chance.random() < 0.5}
        )
        rows.append(render(model.tokenizer, [{"role": "user", "content": instruction + message}], target, 1024))
    return rows


def run(way: str, model: LocalModel, rows: list[Rendered], batch: int) -> list[float]:
    """Train one epoch and return the seconds of each step but the first."""
    from peft import LoraConfig, get_peft_model
    from transformers import TrainerCallback

    steps: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            steps.append(time.perf_counter())

    with quiet_libraries(), tempfile.TemporaryDirectory() as folder:
        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        wrapped: Any = get_peft_model(model.model, lora)
        if way == "trl":
            trainer = trl_trainer(wrapped, model, rows, batch, Path(folder))
            trainer.add_callback(Clock())
            trainer.train()
        else:
            able = can_share(wrapped.get_base_model())
            share = able and way == "ours"
            with fast_lora(wrapped), packed_attention(wrapped.get_base_model(), able):
                trainer = make_trainer(
                    wrapped,
                    model.tokenizer,
                    rows,
                    SftConfig(batch=batch),
                    Path(folder),
                    model.device,
                    share=share,
                    log=Path(folder) / "log.jsonl",
                )
                trainer.add_callback(Clock())
                trainer.train()
    return [after - before for before, after in pairwise(steps)]


def trl_trainer(wrapped: Any, model: LocalModel, rows: list[Rendered], batch: int, folder: Path) -> Any:
    """TRL's SFTTrainer with its defaults, given the same token rows."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    data = Dataset.from_dict({"input_ids": [list(r.ids) for r in rows], "labels": [labels(r) for r in rows]})
    arguments = SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=batch,
        num_train_epochs=1,
        learning_rate=1e-3,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        gradient_checkpointing=False,
        bf16=model.dtype == "bfloat16",
        use_cpu=model.device == "cpu",
    )
    trainer = SFTTrainer(model=wrapped, args=arguments, train_dataset=data, processing_class=model.tokenizer)
    trainer.remove_callback(PrinterCallback)
    return trainer


def labels(row: Rendered) -> list[int]:
    """Token ids where learnt, -100 elsewhere."""
    return [-100] * row.prompt_tokens + list(row.ids[row.prompt_tokens :])


def losses(model: LocalModel, rows: list[Rendered]) -> tuple[float, float]:
    """The mean loss of one batch by TRL's trainer and by ours."""
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    with quiet_libraries(), tempfile.TemporaryDirectory() as folder, torch.no_grad():
        torch.manual_seed(0)
        wrapped: Any = get_peft_model(model.model, lora)
        base = wrapped.get_base_model()
        part = pack(rows, model.tokenizer.pad_token_id, can_share(base))
        with fast_lora(wrapped), packed_attention(base, can_share(base)):
            ours = float(completion_loss(base, part)) / len(part.labels)
        trainer = trl_trainer(wrapped, model, rows, len(rows), Path(folder))
        inputs = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
        with trainer.compute_loss_context_manager():
            trl = float(trainer.compute_loss(wrapped, inputs))
    return trl, ours


def products_floor(model: LocalModel, rows: list[Rendered], batch: int) -> float:
    """Seconds of one step's matrix products alone: every linear layer forward, and backward to its input."""
    tokens = round(statistics.mean(len(row.ids) for row in rows) * batch)
    learnt = round(statistics.mean(row.completion_tokens for row in rows) * batch)
    config = model.base.config
    heads = config.head_dim * config.num_attention_heads
    kv = config.head_dim * config.num_key_value_heads
    hidden, inner = config.hidden_size, config.intermediate_size
    shapes = [
        (hidden, heads),
        (hidden, kv),
        (hidden, kv),
        (heads, hidden),
        (hidden, inner),
        (hidden, inner),
        (inner, hidden),
    ]
    dtype = getattr(torch, model.dtype)

    def seconds(count: int, width: int, out: int) -> float:
        x, weight = torch.randn(count, width, dtype=dtype), torch.randn(out, width, dtype=dtype)
        y = torch.randn(count, out, dtype=dtype)
        best = float("inf")
        for _ in range(8):
            start = time.perf_counter()
            _ = torch.nn.functional.linear(x, weight)
            _ = y @ weight
            best = min(best, time.perf_counter() - start)
        return best

    layers = sum(seconds(tokens, width, out) for width, out in shapes) * config.num_hidden_layers
    return layers + seconds(learnt, hidden, config.vocab_size)


if __name__ == "__main__":
    main()
