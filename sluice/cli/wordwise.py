"""Two texts with their differing words coloured, as `out.spans` takes them; marked where there is no colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.cli.terminal import Style
    from sluice.curate.similar.wordwise import Stretch

Spans = list[tuple[str, "Style | None"]]

_BLANKS = re.compile(r"\s+")
CONTEXT = 8
"""Words kept on each side of a difference, so that a pair of long rows stays a pair of lines."""


def differing(a: str, b: str, *, marks: bool = False, context: int | None = CONTEXT) -> tuple[Spans, Spans]:
    """Return both texts as spans: words that only the first has in red, those that only the second has in green.

    Args:
        a: the one text, such as the row that went.
        b: the other, such as the row that stays.
        marks: put [brackets] around what differs, for output without colour (`not out.colour`).
        context: words kept beside a difference; None keeps all.
    """
    from sluice.curate.similar.wordwise import word_changes

    left, right = word_changes(a, b, context)
    return _spans(left, "bad", marks), _spans(right, "good", marks)


def _spans(stretches: list[Stretch], style: Style, marks: bool) -> Spans:
    """Return stretches as spans on one line: line breaks and runs of blanks as one blank."""
    spans: Spans = []
    for stretch in stretches:
        text = _BLANKS.sub(" ", stretch.text)
        if stretch.same:
            spans.append((text, None))
            continue
        words = text.strip()
        lead = text[: len(text) - len(text.lstrip())]
        spans += [(lead, None), (f"[{words}]" if marks else words, style)]
    return [span for span in spans if span[0]]
