"""The loss of supervised fine-tuning, and the two places where a step on short answers wastes its time.

1. Logits are computed for completion tokens only: `logits_to_keep` hands the head the states that predict one, so a
   prompt token never meets the vocabulary. The value is that of the plain loss: the mean over completion tokens of the
   negative log-likelihood, in float32.
2. A LoRA layer is one autograd node that casts nothing but its two small matrices (`fast_lora`), in place of eight.

With a shared prefix, attention runs as `sluice_packed`: see `sluice.train.packing`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from types import MethodType
from typing import Any

from sluice.evalsuite.shared_prefix import attention, supports_shared_prefix
from sluice.train.packing import Part

ATTENTION = "sluice_packed"

_PLAIN_SCORES = 1 << 22  # rows * heads * queries * keys; each layer keeps about six bytes a score for the backward


def completion_loss(base: Any, part: Part) -> Any:
    """Return the summed negative log-likelihood (float32 scalar tensor) of the completion tokens of one part.

    Args:
        base: the transformers causal model; adapter layers sit inside it.
        part: token ids and labels on the model's device.
    """
    from torch.nn import functional

    if part.prefix:
        logits = base(
            input_ids=part.ids,
            position_ids=part.positions,
            attention_mask=_unused_mask(part),
            use_cache=False,
            logits_to_keep=part.picked,
            part=part,
        ).logits[0]
    else:
        # One flat row of rows would attend across rows: here the rows stay apart, and the head gets the columns that
        # any row needs.
        columns = (part.picked % part.own).unique()
        logits = base(
            input_ids=part.ids,
            position_ids=part.positions,
            attention_mask=_unused_mask(part) if _packed(base) else None,
            use_cache=False,
            logits_to_keep=columns,
        ).logits
        column_of = part.picked.new_zeros(part.own)
        column_of[columns] = columns.new_tensor(range(len(columns)))
        logits = logits[part.picked // part.own, column_of[part.picked % part.own]]
    return functional.cross_entropy(logits.float(), part.labels, reduction="sum")


def _packed(base: Any) -> bool:
    return base.config._attn_implementation == ATTENTION


def _unused_mask(part: Part) -> Any:
    """A mask of four dimensions, which makes transformers build none of its own."""
    return part.ids.new_ones((1, 1, 1, 1)).bool()


def can_share(base: Any) -> bool:
    """Whether the model's attention can hold a common prefix once (see `supports_shared_prefix`), without dropout."""
    config = base.config.get_text_config()
    return supports_shared_prefix(base) and not getattr(config, "attention_dropout", 0.0)


def packed_attention(base: Any, share: bool) -> contextlib.AbstractContextManager[None]:
    """Let a model attend over packed parts inside the block; nothing happens where `share` is False."""
    return attention(base, ATTENTION, _attend) if share else contextlib.nullcontext()


def _attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    part: Part | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Attention of one part: [1, heads, prefix + rows * own, width], or [rows, heads, own, width] without a prefix.

    Returns the same with tokens and heads swapped. `attention_mask` is not read: see `_causal`.
    """
    import torch

    if part is None or not part.prefix:
        return _causal(query, key, value, scaling).transpose(1, 2), None
    prefix, own, rows = part.prefix, part.own, part.rows

    def by_row(states: Any) -> Any:
        return states[0, :, prefix:].unflatten(1, (rows, own)).transpose(0, 1)

    def with_prefix(states: Any) -> Any:
        return torch.cat([states[:, :, :prefix].expand(rows, -1, -1, -1), by_row(states)], dim=2)

    first = _causal(query[:, :, :prefix], key[:, :, :prefix], value[:, :, :prefix], scaling)
    others = _causal(by_row(query), with_prefix(key), with_prefix(value), scaling)
    flat = others.transpose(1, 2).flatten(0, 1)[None]
    return torch.cat([first.transpose(1, 2), flat], dim=1), None


def _causal(query: Any, key: Any, value: Any, scaling: float | None) -> Any:
    """Causal attention of the last queries [rows, heads, new, width] to [rows, kv heads, old + new, width].

    On a CPU, short rows go through plain batched products: the fused kernel's backward takes seven times as long there
    in bfloat16 (measured at 61 queries, 99 keys).
    """
    import torch
    from torch.nn import functional

    rows, heads, new, width = query.shape
    kv_heads, total = key.shape[1], key.shape[2]
    place = torch.arange(total, device=query.device)
    visible = place[None, :] <= place[total - new :, None]
    if query.device.type != "cpu" or rows * heads * new * total > _PLAIN_SCORES:
        groups = heads // kv_heads
        if groups > 1:
            key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        if new == total:
            return functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=visible, scale=scaling)
    scale = width**-0.5 if scaling is None else scaling
    hidden = torch.zeros(visible.shape, dtype=query.dtype).masked_fill_(~visible, -torch.inf)
    grouped = (query * scale).reshape(rows, kv_heads, -1, width)  # the queries of one key/value head lie together
    scores = torch.matmul(grouped, key.transpose(2, 3)).view(rows, heads, new, total) + hidden
    weights = torch.softmax(scores, dim=-1)
    return torch.matmul(weights.view(rows, kv_heads, -1, total), value).view(rows, heads, new, -1)


@contextlib.contextmanager
def fast_lora(model: Any) -> Iterator[int]:
    """Run plain LoRA layers as one autograd node each inside the block; yields how many.

    A layer is plain with one active adapter, no dropout, no DoRA, no bias of its own, on an unquantised nn.Linear
    whose weights are frozen. All others keep PEFT's forward.
    """
    changed = [module for module in model.modules() if _is_plain(module)]
    for module in changed:
        module.forward = MethodType(_lora_forward, module)
    try:
        yield len(changed)
    finally:
        for module in changed:
            del module.forward


def _is_plain(module: Any) -> bool:
    from peft.tuners.lora import Linear
    from torch import nn

    if not isinstance(module, Linear) or type(module.base_layer) is not nn.Linear:
        return False
    if len(module.active_adapters) != 1 or module.merged or module.disable_adapters:
        return False
    name = module.active_adapters[0]
    if name not in module.lora_A:
        return False
    variant = module.lora_variant.get(name) if hasattr(module, "lora_variant") else None
    return (
        variant is None
        and isinstance(module.lora_dropout[name], nn.Identity)
        and module.lora_A[name].bias is None
        and module.lora_B[name].bias is None
        and not module.base_layer.weight.requires_grad
    )


def _lora_forward(self: Any, x: Any, *_: Any, **__: Any) -> Any:
    name = self.active_adapters[0]
    base = self.base_layer
    a, b = self.lora_A[name].weight, self.lora_B[name].weight
    return _lora_node().apply(x, base.weight, base.bias, a, b, self.scaling[name])


@cache
def _lora_node() -> Any:
    """Return the autograd function, made on first use (torch is not imported with this module)."""
    import torch
    from torch.nn import functional

    class LoraLinear(torch.autograd.Function):
        """y = x W^T + bias + s (x A^T) B^T, with W frozen; A and B are kept in float32 and cast where they are used."""

        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, bias: Any, a: Any, b: Any, scale: float) -> Any:
            flat = x.reshape(-1, x.shape[-1])
            low = flat @ a.to(flat.dtype).t()
            out = functional.linear(flat, weight, bias)
            out.addmm_(low, b.to(flat.dtype).t(), alpha=scale)
            ctx.save_for_backward(flat, low, weight, a, b)
            ctx.scale = scale
            return out.view(*x.shape[:-1], -1)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            flat, low, weight, a, b = ctx.saved_tensors
            grad = grads[0].reshape(-1, grads[0].shape[-1])
            low_grad = (grad @ b.to(grad.dtype)).mul_(ctx.scale)
            grad_b = (grad.t() @ low).to(b.dtype).mul_(ctx.scale)
            grad_a = (low_grad.t() @ flat).to(a.dtype)
            grad_x = None
            if ctx.needs_input_grad[0]:
                grad_x = (grad @ weight).addmm_(low_grad, a.to(grad.dtype)).view(*grads[0].shape[:-1], -1)
            return grad_x, None, None, grad_a, grad_b, None

    return LoraLinear
