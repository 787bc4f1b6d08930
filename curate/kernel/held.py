"""Which of many texts are held by one of some units: those of whose n-grams 70% stand in one of them.

The other way round than `holders`: there a few texts are looked for in many; here many are looked for in a few. A unit
is any set of n-grams: a paragraph, a stretch of a document, a whole one. What is passed over is near-equal to no unit
and contained in none; what is found is looked at exactly by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sluice.curate.kernel import compiled
from sluice.curate.kernel.fold import Folded
from sluice.curate.kernel.threads import share_out
from sluice.curate.similar.similarity import NEAR_PERCENT, Hashes, Mask, Numbers


@dataclass(frozen=True)
class Units:
    """Sets of n-grams that texts are held against; see `compiled.held`."""

    table: Hashes
    numbers: Numbers
    posted: Numbers
    postings: Numbers
    left_out: Mask

    @classmethod
    def of(cls, sets: Sequence[Hashes], left_out: Hashes) -> Units:
        """Return the units of some n-gram sets.

        Args:
            sets: of each unit, in any order and with repeats.
            left_out: n-grams that may be left out of the texts (boilerplate).
        """
        none = np.empty(0, np.uint64)
        flat = np.concatenate([none, *sets])
        owners = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
        order = np.lexsort((owners, flat))
        flat, owners = flat[order], owners[order]
        first = np.ones(len(flat), bool)
        first[1:] = (flat[1:] != flat[:-1]) | (owners[1:] != owners[:-1])
        flat, owners = flat[first], owners[first]
        grams = np.union1d(flat, left_out)
        size = 1 << max(4, (4 * len(grams)).bit_length())
        table, numbers = np.zeros(size, np.uint64), np.zeros(size, np.int64)
        compiled.fill(grams, table, numbers)
        posted = np.append(np.searchsorted(flat, grams), len(flat)).astype(np.int64)
        return cls(table, numbers, posted, owners.astype(np.int64), np.isin(grams, left_out))


def held(
    texts: Folded, wanted: Mask, sort: int, units: Units, found: Mask, *, without: bool, percent: int = NEAR_PERCENT
) -> None:
    """Set `found` for each wanted text of which a unit holds enough.

    Args:
        texts: any texts in normal form.
        wanted: (texts,) which of them.
        sort: of the n-grams: `compiled.WORD` or `compiled.CHAR`.
        units: what they are held against.
        found: (texts,) is set to True, never to False.
        without: leave the units' `left_out` n-grams out.
        percent: of a text's different n-grams that a unit has to hold, in hundredths.
    """
    u = units
    arrays = (texts.data, texts.starts, texts.texts, wanted, sort, u.table, u.numbers, u.posted, u.postings)
    left_out = u.left_out if without else np.zeros(len(u.left_out), bool)
    share_out(lambda a, b: compiled.held(*arrays, left_out, percent, found, a, b), len(texts))
