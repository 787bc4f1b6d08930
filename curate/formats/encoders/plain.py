"""txt: texts alone. One text is the whole file; several are its paragraphs, a blank line between them.

A text that a paragraph cannot hold is refused: it would be read back as another, or as several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sluice.curate.formats.encoders.base import ENCODERS, CannotHold, Encoder, Line, Survey, exact

REMEDY = "end the file in .jsonl"
NO_PARAGRAPH = re.compile(r"\r?\n[ \t]*\r?\n|^[\r\n]|[\r\n]$|\A\s*\Z|\A[ \t]*\n|\n[ \t]*\Z|\0|\A\ufeff")


def encode(lines: Iterable[Line], survey: Survey) -> Iterator[bytes]:
    """Yield the texts. Raises CannotHold for one that is no paragraph, where there are several."""
    for number, line in enumerate(lines, start=1):
        text: str = line["text"]
        if survey.rows > 1 and NO_PARAGRAPH.search(text):
            why = "a text with a blank line in it, at an end of it, or no letter is no paragraph of a text file"
            raise CannotHold(number, why, REMEDY)
        if survey.rows == 1 and ("\0" in text or not text.strip() or text.startswith("\ufeff")):
            raise CannotHold(number, "a blank text, or one with a NUL character, is no text file", REMEDY)
        yield (text if survey.rows == 1 else text + "\n\n" if number < survey.rows else text + "\n").encode()


def read_with(survey: Survey) -> tuple[str, ...]:
    """Return what `add` has to be told."""
    return ("--per", "paragraph") if survey.rows > 1 else ()


ENCODERS.register("txt")(
    Encoder(
        "txt",
        (".txt", ".text", ".md"),
        "the texts alone: paragraphs with a blank line between",
        encode,
        exact,
        False,
        True,
        read_with,
    )
)
