"""Find personal data in a text: where it stands, of which kind, and a form that may be shown.

It knows nothing of rows; `sluice.curate.checks.personal` walks those.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

from sluice.curate.privacy.patterns import KINDS


@dataclass(frozen=True)
class Hit:
    """One place: `text[start:end]` is of `kind`; `masked` is all of it that may be shown."""

    kind: str
    start: int
    end: int
    masked: str


def find_personal(text: str) -> list[Hit]:
    """Return every proven hit in order of place; where kinds overlap, the one with the stronger proof is kept."""
    hits: list[Hit] = []
    taken: list[tuple[int, int]] = []  # disjoint, sorted
    for kind in KINDS:
        if not kind.hint(text):
            continue
        for start, end in kind.spans(text):
            i = bisect_left(taken, (start, end))
            if (i and taken[i - 1][1] > start) or (i < len(taken) and taken[i][0] < end):
                continue
            insort(taken, (start, end))
            hits.append(Hit(kind.name, start, end, kind.mask(text[start:end])))
    return sorted(hits, key=lambda hit: hit.start)


def mask_personal(text: str) -> str:
    """Return the text with each hit in its masked form, all else untouched: for excerpts that people see."""
    parts: list[str] = []
    at = 0
    for hit in find_personal(text):
        parts += [text[at : hit.start], hit.masked]
        at = hit.end
    return "".join([*parts, text[at:]])
