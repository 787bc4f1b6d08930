"""CSV and its kin as RFC 4180 has it: quoted line breaks, doubled quotes, one number of cells in the whole file.

Cells are text and stay as they are (0870, NA, null, TRUE); only the empty cell is absent. The delimiter is the one
among , ; tab | that gives most records the header's number of cells over the whole file. What breaks the rules is set
aside with its physical lines (`quoting` says how the next sound line is found). Knows nothing of rows.
"""

from __future__ import annotations

from collections import Counter

from sluice.core.columns import DELIMITERS
from sluice.core.errors import InputError
from sluice.curate.formats.decode import Decoded, decode
from sluice.curate.formats.quoting import Parsed, Problem, parse
from sluice.curate.formats.records import (
    FORMATS,
    STEP,
    Format,
    Progress,
    ReadOptions,
    SetAside,
    Source,
    Table,
    empty,
    none_of,
)

ENOUGH = 0.5  # of the records agree with the header: below that a character is no delimiter


def sniff(data: bytes) -> bool:
    """Return False: any text can be a CSV, so only its name or the user says so."""
    return False


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read the records of a delimited file under its header.

    Raises InputError for another encoding, a header that is broken or names a column twice, and a file without rows.
    """
    decoded = decode(source, options.encoding)
    parsed = _parse(source, decoded.text, _delimiter(source, options.delimiter))
    header = parsed.header
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise InputError(
            f"the header names {twice[0]!r} twice" if twice[0] else "the header has two columns without a name",
            where=f"{source.path}:{parsed.header_line}",
            remedy="give each column a name of its own",
        )
    if decoded.bad_column("".join(header)) is not None:
        raise InputError(
            f"the header holds bytes that are not {decoded.encoding}",
            where=f"{source.path}:{parsed.header_line}",
            remedy="rename the column, or name the encoding with --encoding NAME",
        )
    return _table(source, decoded, parsed, progress)


def _table(source: Source, decoded: Decoded, parsed: Parsed, progress: Progress | None) -> Table:
    header, text = parsed.header, decoded.text
    lines: list[int] = []
    records: list[dict[str, str]] = []
    spans: list[tuple[int, int]] = []
    aside = [_aside(p, decoded.lossy(text[p.start : p.end].rstrip("\r\n"))) for p in parsed.problems]
    for number, (line, start, end, cells) in enumerate(parsed.records, start=1):
        if progress is not None and number % STEP == 0:
            progress(f"reading {source.path.name}", number, len(parsed.records))
        if decoded.damaged:
            bad = decoded.bad_column(text[start:end])
            if bad is not None:
                raw = decoded.lossy(text[start:end].rstrip("\r\n"))
                aside.append(SetAside(line, bad, f"bytes that are not {decoded.encoding}", raw))
                continue
        lines.append(line)
        spans.append((start, end))
        records.append({name: cell for name, cell in zip(header, cells, strict=True) if cell})
    aside.sort(key=lambda a: a.line)
    if not records:
        if aside:
            raise InputError(
                f"{none_of(len(aside), 'record')} can be read; line {aside[0].line}: {aside[0].reason}",
                where=str(source.path),
                remedy="check the delimiter (--delimiter) and the format (--format)",
            )
        raise empty(source.path, "a header and nothing below it")
    return Table(header, lines, records, lambda i: text[slice(*spans[i])].rstrip("\r\n"), aside, decoded.encoding)


def _aside(problem: Problem, raw: str) -> SetAside:
    """Return a problem as what is set aside; one of several lines names them."""
    lines = f" (lines {problem.line:,} to {problem.last:,})" if problem.last > problem.line else ""
    return SetAside(problem.line, problem.column, problem.reason + lines, raw)


def _delimiter(source: Source, asked: str | None) -> str | None:
    if asked is None:
        return None
    delimiter = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(asked, asked)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(
            f"{asked!r} cannot be a delimiter",
            where=str(source.path),
            remedy="give one character, or the word tab: --delimiter ';'",
        )
    return delimiter


def _parse(source: Source, text: str, asked: str | None) -> Parsed:
    """Parse under the delimiter that was asked for, or under the one that fits the whole file best."""
    tried = [asked] if asked else [d for d in DELIMITERS if d == "," or d in text]
    candidates = [parse(text, d) for d in tried]
    read = [p for p in candidates if p is not None]
    if not read:
        if not text.strip():
            raise empty(source.path, "every line is blank")
        raise InputError(
            "the header (first line) is not sound CSV: a quote that is not closed, or stands inside a cell",
            where=f"{source.path}:1",
            remedy="mend the first line",
        )
    split = [p for p in read if len(p.header) > 1 and (asked or p.agreement >= ENOUGH)]
    return max(split or read, key=lambda p: (p.agreement, len(p.records)))  # the first of equals: DELIMITERS' order


FORMATS.register("csv")(
    Format(
        name="csv",
        extensions=(".csv", ".tsv", ".tab", ".psv"),
        help="CSV (RFC 4180) with any delimiter: quoted line breaks, cells are text, the empty cell is absent",
        example='ticket,body,category\n0870,"Where is my parcel?\nIt is late.",delivery\n',
        sniff=sniff,
        read=read,
    )
)
