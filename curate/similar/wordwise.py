"""Which words of two texts differ: the one comparison that terminal, page and JSON show in colour or marks.

Words and signs are compared as they stand; blanks do not count, but are kept, so that each side put together again is
the text. It knows nothing of colours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_PIECES = re.compile(r"\s+|(?:\w+|[^\w\s])\s*")
MOST_PIECES = 2_000
"""Words a side, without what both begin and end with: the matcher takes time by their product, so beyond it the whole
middle counts as different."""
CUT = "..."


@dataclass(frozen=True)
class Stretch:
    """A part of a text: `same` where the other text has it, too."""

    text: str
    same: bool


def word_changes(a: str, b: str, context: int | None = None) -> tuple[list[Stretch], list[Stretch]]:
    """Return the two texts as stretches that are the same and stretches that are not, in order.

    Args:
        a: the one text.
        b: the other.
        context: words kept beside a difference; more of a stretch that is the same become `...`. None keeps all.
    """
    left, right = _PIECES.findall(a), _PIECES.findall(b)
    keys_a, keys_b = [piece.strip() for piece in left], [piece.strip() for piece in right]
    shorter = min(len(left), len(right))
    head = 0
    while head < shorter and keys_a[head] == keys_b[head]:
        head += 1
    tail = 0
    while tail < shorter - head and keys_a[-1 - tail] == keys_b[-1 - tail]:
        tail += 1
    middle_a, middle_b = left[head : len(left) - tail], right[head : len(right) - tail]
    mine, other = [Stretch("".join(left[:head]), True)], [Stretch("".join(right[:head]), True)]
    for tag, i, i_to, j, j_to in _steps(keys_a[head : len(left) - tail], keys_b[head : len(right) - tail]):
        mine.append(Stretch("".join(middle_a[i:i_to]), tag == "equal"))
        other.append(Stretch("".join(middle_b[j:j_to]), tag == "equal"))
    mine.append(Stretch("".join(left[len(left) - tail :]), True))
    other.append(Stretch("".join(right[len(right) - tail :]), True))
    return _tidy(mine, context), _tidy(other, context)


def _steps(a: list[str], b: list[str]) -> list[tuple[str, int, int, int, int]]:
    if max(len(a), len(b)) > MOST_PIECES:
        return [("replace", 0, len(a), 0, len(b))]
    return list(SequenceMatcher(None, a, b, autojunk=False).get_opcodes())


def _tidy(stretches: list[Stretch], context: int | None) -> list[Stretch]:
    """Put neighbours of one sort together, give blanks behind a difference to what follows, cut what is far away."""
    joined: list[Stretch] = []
    blanks = ""
    for stretch in stretches:
        text, blanks = blanks + stretch.text, ""
        if not stretch.same:
            blanks = text[len(text.rstrip()) :]
            text = text.removesuffix(blanks)
        if not text:
            continue
        if joined and joined[-1].same == stretch.same:
            joined[-1] = Stretch(joined[-1].text + text, stretch.same)
        else:
            joined.append(Stretch(text, stretch.same))
    if blanks:
        joined.append(Stretch(blanks, True))
    if context is None or all(s.same for s in joined):
        return joined
    return [
        s if not s.same else Stretch(_cut(s.text, context, place > 0, place < len(joined) - 1), True)
        for place, s in enumerate(joined)
    ]


def _cut(text: str, words: int, after: bool, before: bool) -> str:
    """Return a stretch with `words` words beside the difference that it stands after, before, or both."""
    pieces = re.findall(r"\s*\S+\s*|\s+", text)
    head, tail = (words if after else 0), (words if before else 0)
    if len(pieces) <= head + tail + 1:
        return text
    first, last = "".join(pieces[:head]), "".join(pieces[len(pieces) - tail :]) if tail else ""
    return f"{first}{CUT} {last}" if tail else f"{first}{CUT}"
