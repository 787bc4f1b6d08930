"""Rows to the batches that training computes with: grouped by length, their common prompt start held once.

Rows of one task begin alike (system text, instruction). In a part [1, prefix + rows * own] that start is computed once
and every row attends to it, which is exact for a causal model without dropout: the states of those tokens do not depend
on what follows. Rows are padded on the right, where a causal model never looks back from. Knows token ids only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice.train.render import Rendered

_MEGABATCH = 32  # batches that are sorted by length together; larger pads less and mixes less


def batches_by_length(lengths: Sequence[int], batch: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the row indices of each batch of one epoch: random, but rows of a batch have nearly one length.

    Rows are shuffled, cut into megabatches, sorted by length within each, cut into batches, and the batches shuffled.
    Each row occurs once; only one batch can be short, and it comes last. The same seed and epoch give the same list.
    """
    chance = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    chance.shuffle(order)
    full = len(order) - len(order) % batch
    batches, size = [], batch * _MEGABATCH
    for start in range(0, full, size):
        group = sorted(order[start : min(start + size, full)], key=lambda row: lengths[row])
        batches += [group[cut : cut + batch] for cut in range(0, len(group), batch)]
    chance.shuffle(batches)
    return batches + ([order[full:]] if full < len(order) else [])


@dataclass(frozen=True)
class Part:
    """What one forward pass computes.

    Attributes:
        ids: LongTensor [1, prefix + rows * own], or [rows, own] where nothing is shared.
        positions: LongTensor of the same shape: place of each token in its row.
        picked: LongTensor [labels]: places in the flat token axis whose next token is learnt.
        labels: LongTensor [labels]: those next tokens.
        rows: rows in it.
        prefix: tokens held once for all rows.
        own: tokens of the longest row behind the prefix.
        tokens: real tokens of the rows, each row's prefix counted, padding not.
    """

    ids: Any
    positions: Any
    picked: Any
    labels: Any
    rows: int
    prefix: int
    own: int
    tokens: int


def split_rows(rows: Sequence[Rendered], most_tokens: int) -> list[list[Rendered]]:
    """Split a batch into parts of at most `most_tokens` padded tokens each (one row at least), longest rows first."""
    ordered = sorted(rows, key=lambda row: len(row.ids), reverse=True)
    parts: list[list[Rendered]] = []
    while ordered:
        size = max(1, most_tokens // len(ordered[0].ids))
        parts.append(ordered[:size])
        ordered = ordered[size:]
    return parts


def pack(rows: Sequence[Rendered], pad: int, share: bool, min_shared: int = 8) -> Part:
    """Lay rows out for one forward pass.

    Args:
        rows: rendered rows without problems.
        pad: token id to pad with.
        share: whether the model's attention can hold a common prefix once.
        min_shared: tokens from which on a common prefix is held once.
    """
    import torch

    prefix = _common_prefix(rows) if share and len(rows) > 1 else 0
    if prefix < min_shared:
        prefix = 0
    own = max(len(row.ids) for row in rows) - prefix
    ids: list[int] = list(rows[0].ids[:prefix])
    positions = list(range(prefix))
    picked: list[int] = []
    labels: list[int] = []
    for row in rows:
        offset = len(ids) - prefix  # place of the row's token t in the flat axis is offset + t
        behind = row.ids[prefix:]
        ids += [*behind, *[pad] * (own - len(behind))]
        positions += range(prefix, prefix + own)
        picked += range(offset + row.prompt_tokens - 1, offset + len(row.ids) - 1)
        labels += row.ids[row.prompt_tokens :]
    shape = (1, -1) if prefix else (len(rows), own)
    return Part(
        ids=torch.tensor(ids).view(shape),
        positions=torch.tensor(positions).view(shape),
        picked=torch.tensor(picked),
        labels=torch.tensor(labels),
        rows=len(rows),
        prefix=prefix,
        own=own,
        tokens=sum(len(row.ids) for row in rows),
    )


def _common_prefix(rows: Sequence[Rendered]) -> int:
    """First tokens that all prompts share, leaving each row the last one of its prompt (it predicts the answer)."""
    limit = min(row.prompt_tokens for row in rows) - 1
    first, last = min(row.ids for row in rows), max(row.ids for row in rows)
    common = 0
    while common < limit and first[common] == last[common]:
        common += 1
    return common
