"""Attention over one prefix that all rows of a batch share, and the key/value store behind it.

A few-shot prompt repeats hundreds of tokens for every row. Here their keys and values exist once, [1, heads, prefix,
width], and every row attends to them and to its own tokens under one softmax: the same sum as over a repeated cache,
without copying it. Registered with transformers as the attention `sluice_shared_prefix`; it knows nothing of prompts,
tokens or stopping.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

ATTENTION = "sluice_shared_prefix"

# Scores of one block of queries are held in float32: rows * heads * queries * keys numbers, at most about this many.
_SCORES_AT_ONCE = 1 << 25


class KeyValueStore:
    """Keys and values of a batch: an optional prefix that all rows share, and room for each row's own tokens.

    Acts as the cache that transformers writes through (`update`). Shapes are [rows, heads, tokens, width]; the own
    part is made once for the longest row and the longest answer, and written in place.

    Args:
        room: own tokens a row can hold.
        prefix: keys and values of the shared prefix, one pair [1, heads, prefix, width] a layer; empty for none.
    """

    is_compileable = False
    is_sliding: tuple[bool, ...] = ()

    def __init__(self, rows: int, room: int, prefix: list[tuple[Any, Any]] | None = None):
        self.rows = rows
        self.room = room
        self.prefix = prefix or []
        self.filled = 0
        self.writing = slice(0, rows)
        self._keys: list[Any] = []
        self._values: list[Any] = []

    def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Write the new tokens' keys and values behind what the rows hold, and return all own ones of these rows."""
        if layer == len(self._keys):
            shape = (self.rows, keys.shape[1], self.room, keys.shape[3])
            self._keys.append(keys.new_empty(shape))
            self._values.append(values.new_empty((*shape[:3], values.shape[3])))
        end = self.filled + keys.shape[2]
        self._keys[layer][self.writing, :, self.filled : end] = keys
        self._values[layer][self.writing, :, self.filled : end] = values
        return self._keys[layer][self.writing, :, :end], self._values[layer][self.writing, :, :end]

    def keep(self, rows: Any) -> None:
        """Drop all rows but those at the positions `rows` (a LongTensor), in that order."""
        for layer in range(len(self._keys)):
            self._keys[layer] = self._keys[layer].index_select(0, rows)
            self._values[layer] = self._values[layer].index_select(0, rows)
        self.rows = len(rows)
        self.writing = slice(0, self.rows)

    def pairs(self) -> list[tuple[Any, Any]]:
        """Return the filled keys and values layer by layer, for use as another store's prefix."""
        return [(k[:, :, : self.filled], v[:, :, : self.filled]) for k, v in zip(self._keys, self._values, strict=True)]

    def get_seq_length(self, *_: Any) -> int:
        """Tokens before the next one, as transformers asks for them."""
        return self.filled + (self.prefix[0][0].shape[2] if self.prefix else 0)


def supports_shared_prefix(base: Any) -> bool:
    """Whether a model's attention can be replaced by this one without changing its answers.

    It must take attention by name, attend to everything before (no sliding window, no recurrent layers), and have
    nothing that this attention does not do (soft caps, sinks, position biases).
    """
    config = base.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"} or not getattr(base, "_supports_attention_backend", False):
        return False
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return False
    extras = ("attn_logit_softcapping", "attention_chunk_size", "position_embedding_type", "alibi", "kv_lora_rank")
    return not any(getattr(config, extra, None) for extra in extras) and config.model_type in _TRIED


# Architectures whose answers were compared, or whose attention is the same code as one that was.
_TRIED = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3", "olmo", "olmo2", "granite", "phi3", "starcoder2"})


def shared_prefix_attention(base: Any) -> contextlib.AbstractContextManager[None]:
    """Let a model attend through a `KeyValueStore` inside the block."""
    return attention(base, ATTENTION, _attend)


@contextlib.contextmanager
def attention(base: Any, name: str, attend: Callable[..., tuple[Any, None]]) -> Iterator[None]:
    """Let a transformers model attend by a function of ours, registered as `name`, inside the block."""
    from transformers import AttentionInterface

    AttentionInterface.register(name, attend)
    config = base.config
    before = config._attn_implementation
    config._attn_implementation = name
    try:
        yield
    finally:
        config._attn_implementation = before


def _attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    store: KeyValueStore | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Attention of `query` [rows, heads, new, width] to the shared prefix and to own keys [rows, kv heads, own, width].

    `attention_mask` is [rows, 1, new, own], True where a query may look; the prefix is always in full view. Returns
    [rows, new, heads, width], as transformers wants it.
    """
    import torch
    from torch.nn import functional

    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if store is None or not store.prefix:
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        causal = attention_mask is None and query.shape[2] > 1
        output = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, is_causal=causal, scale=scale
        )
        return output.transpose(1, 2).contiguous(), None

    prefix_key, prefix_value = store.prefix[module.layer_idx]
    rows, heads, new, width = query.shape
    kv_heads, shared, own = key.shape[1], prefix_key.shape[2], key.shape[2]
    groups = heads // kv_heads
    block = max(1, min(new, _SCORES_AT_ONCE // (rows * heads * (shared + own))))
    pieces = []
    for start in range(0, new, block):
        part = query[:, :, start : start + block]
        size = part.shape[2]
        # Queries of one key/value head lie together: [rows, kv heads, groups * size, width]
        grouped = part.reshape(rows, kv_heads, groups * size, width)
        stacked = grouped.transpose(0, 1).reshape(kv_heads, rows * groups * size, width)
        to_prefix = torch.matmul(stacked, prefix_key[0].transpose(1, 2))
        to_prefix = to_prefix.view(kv_heads, rows, groups * size, shared).transpose(0, 1)
        to_own = torch.matmul(grouped, key.transpose(2, 3))
        if attention_mask is not None:
            mask = attention_mask[:, :, start : start + size]
            if groups > 1 and size > 1:
                mask = mask.repeat(1, 1, groups, 1)
            to_own = to_own.masked_fill(~mask, torch.finfo(to_own.dtype).min)
        scores = torch.cat([to_prefix, to_own], dim=-1).float().mul_(scale)
        weights = torch.softmax(scores, dim=-1).to(query.dtype)
        from_prefix = weights[..., :shared].transpose(0, 1).reshape(kv_heads, rows * groups * size, shared)
        output = torch.matmul(from_prefix, prefix_value[0]).view(kv_heads, rows, groups * size, -1).transpose(0, 1)
        output = output + torch.matmul(weights[..., shared:], value)
        pieces.append(output.reshape(rows, heads, size, -1))
    output = pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=2)
    return output.transpose(1, 2).contiguous(), None
