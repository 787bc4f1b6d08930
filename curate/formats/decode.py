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
from sluice.curate.formats.detect import certain, likely
from sluice.curate.formats.records import AUTO, Source

PACKED = {
    b"\x1f\x8b": ("a gzip file", "unpack it first: gunzip"),
    b"PK\x03\x04": ("a zip file (or an Excel workbook)", "unpack it; a workbook is read as --format xlsx"),
    b"PK\x05\x06": ("an empty zip file", "check that this is the file you mean"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "unpack it first: zstd -d"),
    b"\xfd7zXZ\x00": ("an xz file", "unpack it first: xz -d"),
    b"BZh": ("a bzip2 file", "unpack it first: bunzip2"),
    b"ARROW1": ("an Arrow IPC file", "add --format arrow"),
    b"PAR1": ("a Parquet file", "add --format parquet"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV UTF-8"),
    b"SQLite format 3\x00": ("an SQLite database", "export the table as CSV"),
    b"%PDF": ("a PDF", "give its text as CSV or JSONL"),
}
TAR = b"ustar"  # at byte 257 of the first member's header
_HALF = re.compile("[\ud800-\udfff]")  # UTF-7 and a few more can write half a pair
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


class DoubtfulEncoding(InputError):
    """A text that is not UTF-8, and in an encoding that is in doubt or was not named. Exit 2."""


def decode(source: Source, encoding: str | None) -> Decoded:
    """Decode a file; with the encoding `auto`, in the one that is detected.

    Raises DoubtfulEncoding that names the encoding to give, InputError for the line or what the file really is.
    """
    data = source.data
    for magic, (what, remedy) in PACKED.items():
        if data.startswith(magic):
            raise InputError(f"this is {what}, not text", where=str(source.path), remedy=remedy)
    if data[257:262] == TAR:
        raise InputError("this is a tar archive, not text", where=str(source.path), remedy="unpack it first: tar -xf")
    auto = encoding == AUTO
    if encoding is not None and not auto:
        return _decode_as(source, encoding)
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        if auto:
            return _decode_as(source, "utf-32")
        raise _needs_encoding(source.path, "utf-32")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_utf16(source, "utf-16")
    wide = wide_without_mark(data)
    if wide:
        if auto:
            return _decode_as(source, wide)
        raise _needs_encoding(source.path, wide)
    decoded = _decode_utf8(data)
    if not decoded.damaged or decoded.encoding != "utf-8":  # one with a mark says itself what it is
        return decoded
    bad = _other_than_utf8(data)
    if not bad:
        return decoded
    lines = [line for _, line in bad]
    sure = certain(lines) if auto else None
    if sure is None:
        raise _needs_encoding(source.path, likely(lines), bad, asked=not auto)
    try:
        return _decode_as(source, sure)
    except InputError as problem:
        raise DoubtfulEncoding(problem.message, where=problem.where, remedy=problem.remedy) from None


def _decode_as(source: Source, encoding: str) -> Decoded:
    try:
        name = codecs.lookup(encoding).name
        if name in UTF8_NAMES:
            return _decode_utf8(source.data)
        if name == "utf-16":
            return _decode_utf16(source, name)
        text = source.data.decode(name).removeprefix("\ufeff")
        return Decoded(text, name, damaged=_HALF.search(text) is not None)
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
    except UnicodeError:  # codecs that are made for names and not for texts
        raise InputError(f"not {encoding}", where=str(source.path), remedy="name another encoding") from None


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


def wide_without_mark(data: bytes) -> str | None:
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


def _other_than_utf8(data: bytes) -> list[tuple[int, bytes]]:
    """Return the lines that are not UTF-8, none where the file shows itself to be: as many lines have valid accents."""
    good, bad = 0, list[tuple[int, bytes]]()
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            bad.append((number, line))
        else:
            good += 1
    return [] if good >= len(bad) else bad


def _needs_encoding(
    path: Path, name: str | None, bad: list[tuple[int, bytes]] | None = None, *, asked: bool = True
) -> DoubtfulEncoding:
    """Return the error for a text that is not UTF-8; `asked`: whether a person is asked rather than a detector."""
    count = f"{len(bad)} lines are" if bad and len(bad) > 1 else f"line {bad[0][0]} is" if bad else ""
    if name is None:
        return DoubtfulEncoding(
            f"not UTF-8 ({count} not), and no other encoding fits",
            where=str(path),
            remedy="name the encoding with --encoding NAME; --encoding utf-8 sets the damaged lines aside",
        )
    if not bad:
        return DoubtfulEncoding(
            f"not UTF-8: it looks like {name}", where=str(path), remedy=f"if it is, add --encoding {name}"
        )
    number, line = bad[0]
    text = line.decode(name, "replace").strip()[:80]
    shown = "".join(c if c.isprintable() else "\ufffd" for c in text)
    doubt = "it looks like" if asked else "its encoding is in doubt; perhaps it is"
    return DoubtfulEncoding(
        f"not UTF-8 ({count} not): {doubt} {name}, in which line {number} reads: {shown}",
        where=str(path),
        remedy=f"if that reads well, add --encoding {name}; --encoding utf-8 sets the damaged lines aside",
    )
