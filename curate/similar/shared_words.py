"""Which words two texts share, in order: the evidence of a leak, marked in both.

Not `wordwise`, which says how two texts differ as they stand: here runs of the same normalised words count, wherever
they are, and the words between them do not.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from sluice.curate.similar.similarity import normalise

Stretches = tuple[tuple[int, int], ...]
"""(from, to) in characters of a text."""

FEWEST = 3  # words in a row that count as shared; fewer are met in any two texts
MOST_WORDS = 1_000
_WORDS = re.compile(r"\S+")


def shared_words(a: str, b: str) -> tuple[Stretches, Stretches]:
    """Return the stretches of two texts that hold the same words, 3 or more in a row or else the longest run.

    Words are compared as `normalise` makes them. Of a long text the first 1,000 words are looked at.
    """
    left, right = _words(a), _words(b)
    matcher = SequenceMatcher(None, [w for w, _, _ in left], [w for w, _, _ in right], autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if block.size]
    kept = [block for block in blocks if block.size >= FEWEST] or sorted(blocks, key=lambda block: -block.size)[:1]
    return (
        tuple((left[k.a][1], left[k.a + k.size - 1][2]) for k in kept),
        tuple((right[k.b][1], right[k.b + k.size - 1][2]) for k in kept),
    )


def _words(text: str) -> list[tuple[str, int, int]]:
    found = ((normalise(m[0]), m.start(), m.end()) for m in _WORDS.finditer(text))
    return [one for one in found if one[0]][:MOST_WORDS]
