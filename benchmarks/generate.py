"""Answers behind a long few-shot prompt: plain batched `transformers.generate` against ours, side by side in one run.

Usage: python benchmarks/generate.py [--data FILE.jsonl] [--rows 100] [--batch 16] [--rounds 1] [--dtype ...]

The model is the default one. Plain generation gets the same token ids, sorted by length, in the given batch (the best
of a few sizes on most machines is 8 to 32), stops at the same tokens, and is timed without rendering. FILE.jsonl has
`request`, `intent` and `slots` a line; without it rows are synthetic. In float32 both must answer alike.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path

import torch

from sluice.core.paths import default_cache_dir
from sluice.evalsuite.generate import generate, shared_length
from sluice.evalsuite.models.local import LocalModel, load
from sluice.evalsuite.models.quiet import quiet_libraries
from sluice.evalsuite.models.store import DEFAULT_MODEL, resolve_model
from sluice.evalsuite.probe import probe

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
INSTRUCTION = "Turn the request into one JSON object with the keys intent and slots.\n\n"


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--batch", type=int, default=16, help="of the plain way; ours chooses its own")
    parser.add_argument("--shots", type=int, default=12)
    parser.add_argument("--new", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    given = parser.parse_args()

    cache = default_cache_dir()
    machine = probe(cache, dtype=given.dtype)
    model = load(resolve_model(given.model, cache), dtype=machine.dtype, device=machine.device)
    prompts = make_prompts(given.data, given.rows, given.shots)
    ids = [model.prompt_ids(prompt) for prompt in prompts]
    print(f"{machine.device_name}, {machine.threads} threads, {machine.dtype}")
    print(
        f"{len(ids)} rows, {statistics.mean(map(len, ids)):.0f} prompt tokens, {shared_length(ids)} of them shared, "
        f"at most {given.new} new tokens"
    )

    ours_seconds, plain_seconds = [], []
    ours: list[str] = []
    plain: list[str] = []
    for _ in range(given.rounds):
        start = time.perf_counter()
        answers = generate(model, prompts, given.new)
        ours_seconds.append(time.perf_counter() - start)
        ours = [answer.text for answer in answers]
        start = time.perf_counter()
        plain = plain_generate(model, ids, given.new, given.batch)
        plain_seconds.append(time.perf_counter() - start)
    fast, slow = statistics.median(ours_seconds), statistics.median(plain_seconds)
    print(f"plain generate, batch {given.batch}: {slow:7.1f} s   {len(ids) / slow:6.2f} rows/s")
    print(f"ours:                     {fast:7.1f} s   {len(ids) / fast:6.2f} rows/s   {slow / fast:.2f} x plain")
    same = sum(a == b for a, b in zip(ours, plain, strict=True))
    print(
        f"{same} of {len(ids)} answers are the same text"
        + ("" if machine.dtype == "float32" else " (lower precision: ties fall either way)")
    )


def make_prompts(data: Path | None, count: int, shots: int) -> list[list[dict[str, str]]]:
    """Few-shot prompts: an instruction, solved examples, one open request."""
    chance = random.Random(0)
    if data is not None:
        lines = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
        pairs = [
            (x["request"], json.dumps({"intent": x["intent"], "slots": x["slots"]}, ensure_ascii=False))
            for x in chance.sample(lines, shots + count)
        ]
    else:
        pairs = [
            (
                " ".join(chance.choices(WORDS, k=chance.randint(8, 16))),
                json.dumps({"intent": chance.choice(WORDS), "slots": {chance.choice(WORDS): chance.choice(WORDS)}}),
            )
            for _ in range(shots + count)
        ]
    solved = "\n\n".join(f"Request: {asked}\nAnswer: {answer}" for asked, answer in pairs[:shots])
    return [
        [{"role": "user", "content": f"{INSTRUCTION}{solved}\n\nRequest: {asked}\nAnswer:"}]
        for asked, _ in pairs[shots:]
    ]


def plain_generate(model: LocalModel, ids: list[list[int]], new: int, batch: int) -> list[str]:
    """What a careful script does: sort by length, pad on the left, `generate`, cut at the first stop token."""
    texts = [""] * len(ids)
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    pad = model.tokenizer.pad_token_id
    with torch.inference_mode(), quiet_libraries():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            longest = max(len(ids[row]) for row in rows)
            tokens = torch.tensor([[pad] * (longest - len(ids[row])) + ids[row] for row in rows], device=model.device)
            mask = torch.tensor(
                [[0] * (longest - len(ids[row])) + [1] * len(ids[row]) for row in rows], device=model.device
            )
            out = model.base.generate(
                input_ids=tokens,
                attention_mask=mask,
                max_new_tokens=new,
                do_sample=False,
                eos_token_id=sorted(model.stop_ids),
                pad_token_id=pad,
            )
            for row, written in zip(rows, out[:, longest:].tolist(), strict=True):
                end = next((place for place, token in enumerate(written) if token in model.stop_ids), len(written))
                texts[row] = model.tokenizer.decode(written[:end], skip_special_tokens=True)
    return texts


if __name__ == "__main__":
    main()
