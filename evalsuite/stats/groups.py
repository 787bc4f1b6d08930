"""Rows that belong together (one document, customer or template) count as one: differences are averaged within them.

After averaging, n is the number of groups and the graded rule decides, also for 0/1 scores. A row without a key is a
group of its own. What this module does not know: whether the keys given are the right ones.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sluice.core.errors import InputError


def group_means(differences: ArrayLike, keys: Sequence[Hashable | None]) -> NDArray[np.float64]:
    """Return the mean difference of each group, in order of first appearance.

    Args:
        differences: shape (n,).
        keys: shape (n,), equal for rows of one group; None for a row that stands alone.

    Raises:
        InputError: as many keys as differences are needed, and at least one of each.
    """
    d = np.asarray(differences, dtype=np.float64)
    if len(keys) != len(d):
        raise InputError(
            f"{len(keys)} group keys for {len(d)} rows", remedy="give each row its group key, None where it has none"
        )
    if len(d) == 0:
        raise InputError("no rows to group", remedy="compare runs over at least one shared row")
    places: dict[Hashable, int] = {}
    index = np.empty(len(d), dtype=np.int64)
    for row, key in enumerate(keys):
        index[row] = places.setdefault(("alone", row) if key is None else ("group", key), len(places))
    return np.bincount(index, weights=d) / np.bincount(index)
