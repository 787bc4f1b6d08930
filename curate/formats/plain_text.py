"""Plain text to records of one column, `text`: the whole file, its paragraphs, or its lines.

What a row is cannot be told from a text, so the user says it: `--per file` (the default, for continued pretraining:
one document a file), `paragraph` (what blank lines part) or `line`. Texts stay as they are; the line ends around a
paragraph or line are no part of it, and blank ones are passed over. Markdown is text, its marks included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sluice.core.errors import InputError
from sluice.curate.formats.decode import decode
from sluice.curate.formats.records import (
    FORMATS,
    Format,
    Progress,
    ReadOptions,
    SetAside,
    Source,
    Table,
    empty,
    none_of,
)

UNITS = ("file", "paragraph", "line")
_ENDS = re.compile(r"(?:\r?\n)*")
_BREAK = re.compile(r"\r?\n(?:[ \t]*\r?\n)+")


def sniff(data: bytes) -> bool:
    """Return False: anything can be a text, so only its name or the user says so."""
    return False


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read a text as one record, or as one a paragraph or line.

    Raises InputError for another encoding, an unknown unit, and a text without a letter.
    """
    per = options.per or "file"
    if per not in UNITS:
        raise InputError(f"--per {per}: a row is a {', '.join(UNITS)}", remedy="--per line, for example")
    decoded = decode(source, options.encoding)
    lines: list[int] = []
    texts: list[str] = []
    aside: list[SetAside] = []
    for line, text in _units(decoded.text, per):
        bad = decoded.bad_column(text)
        if bad is not None:
            column = bad if per == "line" else None
            aside.append(SetAside(line, column, f"bytes that are not {decoded.encoding}", decoded.lossy(text)))
            continue
        lines.append(line)
        texts.append(text)
    if not texts:
        if not aside:
            raise empty(source.path, "every line is blank")
        raise InputError(
            f"{none_of(len(aside), per)} can be read; line {aside[0].line}: {aside[0].reason}",
            where=str(source.path),
            remedy="name the encoding with --encoding NAME, or the format with --format"
            + ("" if per == "line" else "; --per line sets only the damaged lines aside"),
        )
    records = [{"text": text} for text in texts]
    return Table(["text"], lines, records, lambda i: texts[i], aside, decoded.encoding)


def _units(text: str, per: str) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of each unit that is not blank."""
    if per == "file":
        if text.strip():
            yield 1, text
        return
    if per == "line":
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, line.removesuffix("\r")
        return
    at, line = 0, 1
    for stop, behind in [*((m.start(), m.end()) for m in _BREAK.finditer(text)), (len(text), len(text))]:
        body = text[at:stop]
        lead = _ENDS.match(body).end()  # type: ignore[union-attr]  # it matches nothing, too
        if body.strip():
            yield line + body.count("\n", 0, lead), body[lead:].removesuffix("\n").removesuffix("\r")
        line += text.count("\n", at, behind)
        at = behind


FORMATS.register("text")(
    Format(
        name="text",
        extensions=(".txt", ".md", ".markdown", ".text"),
        help="plain text and Markdown: one row a file, or --per paragraph, --per line",
        example="A sluice washes gravel from gold.\n\nIt is a gate, too.\n",
        sniff=sniff,
        read=read,
    )
)
