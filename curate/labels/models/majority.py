"""Majority: the value that most people gave. Ties are named, not broken."""

from __future__ import annotations

import numpy as np

from sluice.curate.labels.agreement.judgements import MISSING, Table


def votes(table: Table) -> np.ndarray:
    """Return how often each value was given to each item: (items, values)."""
    counts = np.zeros((len(table.items), len(table.values)))
    rows, columns = np.nonzero(table.codes != MISSING)
    np.add.at(counts, (rows, table.codes[rows, columns]), 1.0)
    return counts


def vote_shares(table: Table) -> np.ndarray:
    """Return the share of an item's votes that each value has: (items, values); zeros where nobody judged."""
    counts = votes(table)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)


def accuracy(table: Table, annotator: int) -> float | None:
    """Return the share of a person's judgements that equal the others' majority, None where the others have none.

    The person's own vote is left out: with it, someone who is always alone would still agree with half of a pair.
    """
    own = table.codes[:, annotator]
    others = votes(table)
    rows = np.flatnonzero(own != MISSING)
    others[rows, own[rows]] -= 1.0
    rest = others[rows]
    most = rest.max(axis=1, initial=0.0)
    clear = (most > 0) & ((rest == most[:, None]).sum(axis=1) == 1)
    if not clear.any():
        return None
    return float((rest[clear].argmax(axis=1) == own[rows][clear]).mean())
