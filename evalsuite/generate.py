"""Answers for many prompts at once, greedy or drawn.

Rows are sorted by length and answered in batches; what all prompts have in common at their start is computed once;
a row leaves the batch when it ends. Answers are handed out as they end, so that a run can be stored as it goes. Knows
nothing of tasks, graders or files.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sluice.core.errors import SurroundingsError
from sluice.core.progress import Progress
from sluice.evalsuite.models.local import LocalModel
from sluice.evalsuite.models.quiet import quiet_libraries
from sluice.evalsuite.models.template import Messages
from sluice.evalsuite.shared_prefix import KeyValueStore, shared_prefix_attention, supports_shared_prefix

Stop = Literal["end", "length", "context"]

MIN_SHARED = 64  # tokens; below this the second attention costs as much as it saves
DEFAULT_BATCH = 128  # rows; a step costs nearly the same for 10 rows as for 100 as long as weights are read for each
_PREFILL_TOKENS = 4096  # tokens of prompts read in one pass: bounds the memory of their activations
_STORE_BYTES = 1 << 30  # keys and values of one batch


@dataclass(frozen=True)
class Answer:
    """One answer of a model.

    Attributes:
        text: the decoded answer, without the token that ended it.
        stop: "end" (the model ended its turn), "length" (cut at `max_new_tokens`) or "context" (no room left).
        prompt_tokens: tokens of the prompt, the shared ones included.
        new_tokens: tokens written, the end token included.
        seconds: this row's share of the wall time; the shares of a call add up to its time.
    """

    text: str
    stop: Stop
    prompt_tokens: int
    new_tokens: int
    seconds: float


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn: from the whole distribution at a temperature.

    Args:
        temperature: above 0; logits are divided by it.
        seeds: one for each prompt: its draws are its own, whatever stands beside it in a batch.
    """

    temperature: float
    seeds: Sequence[int]


@dataclass
class _Row:
    index: int
    ids: list[int]
    limit: int
    """New tokens allowed: `max_new_tokens`, or less where the context ends first."""
    new: list[int]
    seconds: float = 0.0
    draws: Sequence[float] = ()
    """One number from 0 to 1 for each new token, where answers are drawn."""


def generate(
    model: LocalModel,
    prompts: Sequence[Messages],
    max_new_tokens: int,
    batch: int = DEFAULT_BATCH,
    progress: Progress | None = None,
    on_answer: Callable[[int, Answer], None] | None = None,
    sampling: Sampling | None = None,
) -> list[Answer]:
    """Answer each prompt, greedily where no `sampling` is given.

    In float32 the answers are those of `transformers.generate(do_sample=False)` on the same batch; in lower precision
    they can differ from it where two tokens are nearly equal.

    Args:
        model: a loaded model; its adapter is on unless the call stands inside `model.adapter_off()`.
        prompts: one list of messages a row.
        max_new_tokens: most tokens to write for a row.
        batch: most rows at once; fewer are taken where their keys and values would not fit.
        progress: called as ("answering", rows done, rows in all).
        on_answer: called with (row index, answer) as soon as a row has ended; rows end in any order.
        sampling: how answers are drawn.

    Returns:
        The answers, in the order of the prompts.

    Raises:
        InputError: the chat template refuses a row's messages.
        SurroundingsError: out of memory.
    """
    import numpy as np
    import torch

    answers: dict[int, Answer] = {}
    start = time.perf_counter()

    def finish(row: _Row, stop: Stop) -> None:
        ended = bool(row.new) and row.new[-1] in model.stop_ids
        text = model.tokenizer.decode(row.new[:-1] if ended else row.new, skip_special_tokens=True)
        answers[row.index] = Answer(text, stop, len(row.ids), len(row.new), row.seconds)
        if on_answer is not None:
            on_answer(row.index, answers[row.index])
        if progress is not None:
            progress("answering", len(answers), len(prompts))

    rows = []
    for index, messages in enumerate(prompts):
        ids = model.prompt_ids(messages)
        rows.append(_Row(index, ids, min(max_new_tokens, model.context_length - len(ids)), []))
        if sampling is not None and rows[-1].limit > 0:
            rows[-1].draws = np.random.default_rng(sampling.seeds[index]).random(rows[-1].limit).tolist()
    warmth = 0.0 if sampling is None else sampling.temperature
    full = [row for row in rows if row.limit < 1]
    for row in full:
        finish(row, "context" if max_new_tokens > 0 else "length")
    rows = sorted((row for row in rows if row.limit >= 1), key=lambda row: len(row.ids), reverse=True)
    _spread(rows, time.perf_counter() - start)
    if not rows:
        return [answers[index] for index in range(len(prompts))]
    try:
        with torch.inference_mode(), quiet_libraries():
            if supports_shared_prefix(model.base):
                with shared_prefix_attention(model.base):
                    _answer_all(model, rows, batch, max_new_tokens, finish, warmth)
            else:
                _answer_by_transformers(model, rows, batch, max_new_tokens, finish, sampling)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise SurroundingsError(
            f"out of memory with {batch} rows at once; {len(answers)} of {len(prompts)} rows are answered",
            remedy="ask for a smaller batch, or a smaller model",
        ) from error
    return [answers[index] for index in range(len(prompts))]


def shared_length(sequences: Sequence[list[int]]) -> int:
    """Return how many first tokens all sequences have in common, leaving each at least one of its own."""
    first, last = min(sequences), max(sequences)  # all others lie between these two in dictionary order
    limit = min(len(sequence) for sequence in sequences) - 1
    common = 0
    while common < limit and first[common] == last[common]:
        common += 1
    return common


def _answer_all(
    model: LocalModel,
    rows: list[_Row],
    batch: int,
    max_new_tokens: int,
    finish: Callable[[_Row, Stop], None],
    warmth: float,
) -> None:
    start = time.perf_counter()
    shared = shared_length([row.ids for row in rows]) if len(rows) > 1 else 0
    prefix: list[tuple[Any, Any]] = []
    if shared >= MIN_SHARED:
        prefix = _read_prefix(model, rows[0].ids[:shared])
    else:
        shared = 0
    _spread(rows, time.perf_counter() - start)
    token_bytes = _bytes_per_token(model)
    while rows:
        own = len(rows[0].ids) - shared
        size = max(1, min(batch, len(rows), _STORE_BYTES // (token_bytes * (own + max_new_tokens))))
        _answer_batch(model, rows[:size], prefix, shared, max_new_tokens, finish, warmth)
        rows = rows[size:]


def _answer_batch(
    model: LocalModel,
    rows: list[_Row],
    prefix: list[tuple[Any, Any]],
    shared: int,
    max_new_tokens: int,
    finish: Callable[[_Row, Stop], None],
    warmth: float,
) -> None:
    """Read the rows' own tokens (padded on the left), then write one token a row and step until all have ended."""
    import torch

    device = model.device
    clock = time.perf_counter()
    own = [row.ids[shared:] for row in rows]
    longest = max(len(ids) for ids in own)
    pads = torch.tensor([longest - len(ids) for ids in own], device=device)
    store = KeyValueStore(len(rows), longest + max_new_tokens, prefix)
    tokens = _read_own(model, store, rows, longest, shared, warmth)
    store.filled = longest
    visible = torch.arange(store.room, device=device)[None, :] >= pads[:, None]
    for step in range(max_new_tokens):
        now = time.perf_counter()
        _spread(rows, now - clock)
        clock = now
        staying = []
        for place, (row, token) in enumerate(zip(rows, tokens.tolist(), strict=True)):
            row.new.append(token)
            if token in model.stop_ids:
                finish(row, "end")
            elif len(row.new) >= row.limit:
                finish(row, "length" if row.limit == max_new_tokens else "context")
            else:
                staying.append(place)
        if not staying:
            return
        if len(staying) < len(rows):
            kept = torch.tensor(staying, device=device)
            rows = [rows[place] for place in staying]
            tokens, pads, visible = tokens[kept], pads[kept], visible[kept]
            store.keep(kept)
        mask = visible[:, None, None, : store.filled + 1]
        positions = (shared + longest + step - pads)[:, None]
        tokens = _pick(_forward(model, tokens[:, None], positions, mask, store), rows, warmth)
        store.filled += 1


def _read_prefix(model: LocalModel, ids: list[int]) -> list[tuple[Any, Any]]:
    import torch

    store = KeyValueStore(1, len(ids))
    positions = torch.arange(len(ids), device=model.device)[None, :]
    _forward(model, torch.tensor([ids], device=model.device), positions, None, store)
    store.filled = len(ids)
    return store.pairs()


def _read_own(
    model: LocalModel, store: KeyValueStore, rows: list[_Row], longest: int, shared: int, warmth: float
) -> Any:
    """Read the rows' own prompt tokens in slices of rows that bound the memory; return each row's first new token."""
    import torch

    device = model.device
    own = [row.ids[shared:] for row in rows]
    step = max(1, _PREFILL_TOKENS // longest)
    pad = model.tokenizer.pad_token_id or 0
    first = []
    for start in range(0, len(own), step):
        part = own[start : start + step]
        ids = torch.tensor([[pad] * (longest - len(row)) + row for row in part], device=device)
        pads = torch.tensor([longest - len(row) for row in part], device=device)
        place = torch.arange(longest, device=device)
        positions = (shared + place[None, :] - pads[:, None]).clamp(min=0)
        causal = place[None, :] <= place[:, None]
        real = place[None, :] >= pads[:, None]
        # A padded place sees itself, so that its softmax has something to divide by; nobody looks at it.
        mask = (causal[None] & real[:, None, :]) | torch.eye(longest, dtype=torch.bool, device=device)[None]
        store.writing = slice(start, start + len(part))
        logits = _forward(model, ids, positions, mask[:, None], store)
        first.append(_pick(logits, rows[start : start + len(part)], warmth))
    store.writing = slice(0, store.rows)
    return torch.cat(first)


def _forward(model: LocalModel, ids: Any, positions: Any, mask: Any, store: KeyValueStore) -> Any:
    """Run the model over new tokens [rows, new] and return the logits [rows, vocabulary] of each row's next one."""
    base = model.base
    name = "cache" if "cache" in inspect.signature(base.forward).parameters else "past_key_values"
    logits = base(
        input_ids=ids,
        position_ids=positions,
        attention_mask=mask,
        use_cache=True,
        logits_to_keep=1,
        store=store,
        **{name: store},
    ).logits
    return logits[:, -1]


def _pick(logits: Any, rows: list[_Row], warmth: float) -> Any:
    """Return each row's next token: the most likely one, or at a temperature the one that its next draw falls on.

    Drawn by the inverse of the cumulative distribution, in float64: exact, and the same whatever the batch holds.
    """
    import torch

    if warmth <= 0:
        return logits.argmax(dim=-1)
    shares = torch.softmax(logits.double() / warmth, dim=-1).cumsum(dim=-1)
    draws = torch.tensor([[row.draws[len(row.new)]] for row in rows], dtype=shares.dtype, device=shares.device)
    return torch.searchsorted(shares, draws * shares[:, -1:], right=True).squeeze(1).clamp(max=shares.shape[1] - 1)


def _answer_by_transformers(
    model: LocalModel,
    rows: list[_Row],
    batch: int,
    max_new_tokens: int,
    finish: Callable[[_Row, Stop], None],
    sampling: Sampling | None = None,
) -> None:
    """The same for models whose attention cannot be replaced: batches through `transformers.generate`."""
    import torch

    pad = model.tokenizer.pad_token_id or 0
    token_bytes = _bytes_per_token(model)
    while rows:
        clock = time.perf_counter()
        longest = len(rows[0].ids)
        size = max(1, min(batch, len(rows), _STORE_BYTES // (token_bytes * (longest + max_new_tokens))))
        part, rows = rows[:size], rows[size:]
        ids = torch.tensor([[pad] * (longest - len(row.ids)) + row.ids for row in part], device=model.device)
        mask = torch.tensor([[0] * (longest - len(row.ids)) + [1] * len(row.ids) for row in part], device=model.device)
        with torch.random.fork_rng(enabled=sampling is not None):
            if sampling is not None:
                torch.manual_seed(sampling.seeds[part[0].index] % 2**63)
            output = model.base.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max(row.limit for row in part),
                do_sample=sampling is not None,
                num_beams=1,
                temperature=None if sampling is None else sampling.temperature,
                top_p=None if sampling is None else 1.0,
                top_k=None if sampling is None else 0,
                repetition_penalty=1.0,
                eos_token_id=sorted(model.stop_ids) or None,
                pad_token_id=pad,
            )
        _spread(part, time.perf_counter() - clock)
        for row, written in zip(part, output[:, longest:].tolist(), strict=True):
            end = next((place for place, token in enumerate(written) if token in model.stop_ids), None)
            row.new = written[: row.limit] if end is None or end >= row.limit else written[: end + 1]
            if row.new and row.new[-1] in model.stop_ids:
                finish(row, "end")
            else:
                finish(row, "length" if row.limit == max_new_tokens else "context")


def _bytes_per_token(model: LocalModel) -> int:
    """Bytes of keys and values that one token takes over all layers."""
    config = model.base.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    size = 4 if model.dtype == "float32" else 2
    return int(2 * config.num_hidden_layers * heads * width * size)


def _spread(rows: Sequence[_Row], seconds: float) -> None:
    """Share wall time out evenly over rows."""
    for row in rows:
        row.seconds += seconds / len(rows)
