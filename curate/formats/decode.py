"""From bytes to text, without a guess.

UTF-8 (with or without a byte order mark) and UTF-16 with one are read; any other encoding is named where it can be
detected, and read only when the user names it. A UTF-8 file with a few damaged lines keeps its good ones: bad bytes
become lone surrogates here, which no sound text holds, so that a reader finds the lines to set aside. Knows nothing
of lines or records beyond that.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from sluice.core.errors import InputError
from sluice.curate.formats.records import Source

SAMPLE = 200_000  # bytes given to the detector: it is slow, and lines beyond tell no more
PACKED = {
    b"\x1f\x8b": ("a gzip file", "gunzip it first"),
    b"PK\x03\x04": ("a zip file (or an Excel workbook)", "unpack it, or save the sheet as CSV UTF-8"),
    b"PK\x05\x06": ("an empty zip file", "check that this is the file you mean"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "unpack it first: zstd -d"),
    b"\xfd7zXZ\x00": ("an xz file", "unpack it first: xz -d"),
    b"BZh": ("a bzip2 file", "unpack it first: bunzip2"),
    b"ARROW1": ("an Arrow IPC file", "write it as Parquet"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV UTF-8"),
    b"SQLite format 3\x00": ("an SQLite database", "export the table as CSV"),
    b"%PDF": ("a PDF", "give its text as CSV or JSONL"),
}
RARE = re.compile(r"cp(?:4\d\d|7\d\d|8(?!74)\d\d|0\d\d|10\d\d|11\d\d|500)$|mac-|hp-|ptcp|kz1048")
"""Single-byte code pages of old DOS, IBM and Mac files, as `codecs` names them: seldom what a file is."""
USUAL = "‘’“”–—…€£§°«»·©®™²³½¼ \u00a0¿¡"
UTF8_NAMES = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the encoding it came in, and whether some of its characters stand for undecodable bytes."""

    text: str
    encoding: str
    damaged: bool = False

    def bad_column(self, piece: str) -> int | None:
        """Return the byte column (UTF-8) or character column (UTF-16) of the first damage in a piece, or None."""
        if not self.damaged:
            return None
        try:
            piece.encode()
        except UnicodeEncodeError as problem:
            before = piece[: problem.start]
            return (len(before.encode()) if self.encoding in UTF8_NAMES else len(before)) + 1
        return None

    def lossy(self, piece: str) -> str:
        """Return a piece with its undecodable bytes written as \\xNN (half surrogates as \\uNNNN)."""
        if not self.damaged:
            return piece
        if self.encoding in UTF8_NAMES:
            return piece.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return piece.encode("utf-8", "backslashreplace").decode()


def decode(source: Source, encoding: str | None) -> Decoded:
    """Decode a file. Raises InputError that names the encoding to give, the line, or what the file really is."""
    data = source.data
    for magic, (what, remedy) in PACKED.items():
        if data.startswith(magic):
            raise InputError(f"this is {what}, not text", where=str(source.path), remedy=remedy)
    if encoding is not None:
        return _decode_as(source, encoding)
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise _needs_encoding(source.path, "utf-32")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_utf16(source, "utf-16")
    wide = _wide_without_mark(data)
    if wide:
        raise _needs_encoding(source.path, wide)
    decoded = _decode_utf8(data)
    if decoded.damaged and decoded.encoding == "utf-8":  # one with a mark says itself what it is
        _refuse_other_encodings(source)
    return decoded


def _decode_as(source: Source, encoding: str) -> Decoded:
    try:
        name = codecs.lookup(encoding).name
        if name in UTF8_NAMES:
            return _decode_utf8(source.data)
        if name == "utf-16":
            return _decode_utf16(source, name)
        return Decoded(source.data.decode(name).removeprefix("\ufeff"), name)
    except LookupError:
        raise InputError(
            f"no text encoding is called '{encoding}'",
            where=str(source.path),
            remedy="give a name such as utf-8, utf-16-le, cp1252, iso8859-15, shift_jis or gb18030",
        ) from None
    except UnicodeDecodeError as problem:
        line = source.data.count(b"\n", 0, problem.start) + 1
        raise InputError(
            f"not {encoding}: byte {problem.start + 1} of the file (line {line}) does not decode",
            where=str(source.path),
            remedy="name another encoding, or leave --encoding away to have it detected",
        ) from None


def _decode_utf8(data: bytes) -> Decoded:
    marked = data.startswith(codecs.BOM_UTF8)
    body, name = (data[3:], "utf-8-sig") if marked else (data, "utf-8")
    try:
        return Decoded(body.decode(), name)
    except UnicodeDecodeError:
        return Decoded(body.decode("utf-8", "surrogateescape"), name, damaged=True)


def _decode_utf16(source: Source, name: str) -> Decoded:
    try:
        return Decoded(source.data.decode(name), name)
    except UnicodeDecodeError:
        pass
    try:
        return Decoded(source.data.decode(name, "surrogatepass"), name, damaged=True)
    except UnicodeDecodeError as problem:
        raise InputError(
            f"UTF-16 that breaks off at byte {problem.start + 1}: the file is cut or damaged",
            where=str(source.path),
            remedy="fetch or export the file again",
        ) from None


def _wide_without_mark(data: bytes) -> str | None:
    """Return utf-16-le or utf-16-be where every other byte of the beginning is mostly zero."""
    head = data[:4096]
    half = len(head) // 2
    if half < 2:
        return None
    if head[1::2].count(0) > 0.7 * half and head[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if head[::2].count(0) > 0.7 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _refuse_other_encodings(source: Source) -> None:
    """Raise unless the file shows itself to be UTF-8: at least as many lines with valid accents as damaged ones."""
    good, bad = 0, []
    for number, line in enumerate(source.data.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            bad.append((number, line))
        else:
            good += 1
    if good >= len(bad):
        return
    raise _needs_encoding(source.path, _detected([line for _, line in bad]), bad)


def _detected(lines: list[bytes]) -> str | None:
    """Return the likeliest encoding; Windows-1252 where it fits equally well or the likeliest is a rare code page."""
    from charset_normalizer import from_bytes

    sample = b"\n".join(lines)[:SAMPLE]
    matches = from_bytes(sample)
    best = matches.best()
    if best is None or best.encoding in ("ascii", "utf_8"):
        return None
    for match in matches:
        equal = match.chaos <= best.chaos and match.coherence >= best.coherence
        if equal and "cp1252" in match.could_be_from_charset:
            return "cp1252"
    name = codecs.lookup(best.encoding).name
    if RARE.match(name):
        return next((common for common in ("cp1252", "iso8859-1") if _reads_well(sample, common)), name)
    return name


def _reads_well(data: bytes, encoding: str) -> bool:
    """Return whether bytes decode into printable text whose marks beyond ASCII are letters and usual punctuation."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    marks = [c for c in text if not c.isascii()]
    usual = sum(c.isalpha() or c in USUAL for c in marks)
    return all(c.isprintable() or c in USUAL for c in marks) and usual >= 0.9 * len(marks)


def _needs_encoding(path: Path, name: str | None, bad: list[tuple[int, bytes]] | None = None) -> InputError:
    count = f"{len(bad)} lines are" if bad and len(bad) > 1 else f"line {bad[0][0]} is" if bad else ""
    if name is None:
        return InputError(
            f"not UTF-8 ({count} not), and no other encoding fits",
            where=str(path),
            remedy="name the encoding with --encoding NAME; --encoding utf-8 sets the damaged lines aside",
        )
    if not bad:
        return InputError(
            f"not UTF-8: it looks like {name}", where=str(path), remedy=f"if it is, add --encoding {name}"
        )
    number, line = bad[0]
    shown = line.decode(name, "replace").strip()[:80]
    return InputError(
        f"not UTF-8 ({count} not): it looks like {name}, in which line {number} reads: {shown}",
        where=str(path),
        remedy=f"if that reads well, add --encoding {name}; --encoding utf-8 sets the damaged lines aside",
    )
