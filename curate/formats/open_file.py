"""From a path to the bytes of a file and the format they are in: by content, then by extension, then as it was named.

Only plain files are opened: a pipe or a device would wait or never end. Knows nothing of records.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sluice.core.columns import DELIMITERS
from sluice.core.errors import BadPath, InputError, NoPermission

# the built-in formats file themselves in FORMATS
from sluice.curate.formats import delimited, ipc, json_document, jsonl, parquet, plain_text, workbook  # noqa: F401
from sluice.curate.formats.records import FORMATS, Entry, Format, ReadOptions, Source
from sluice.curate.formats.unpack import inner_path, packing, unpack

BINARY = ("parquet", "arrow", "xlsx")
"""Formats whose first bytes say more than any name."""
LINES = ("json", "jsonl")
"""Two formats that go by one another's names: content decides between them."""
NAMED_ONLY = {
    ".xls": "open it in Excel or LibreOffice and save it as .xlsx",
    ".xlsb": "save it as .xlsx",
    ".ods": "save the sheet as .xlsx or CSV UTF-8",
    ".zip": "unpack it",
    ".tar": "unpack it: tar -xf",
    ".tgz": "unpack it: tar -xzf",
    ".bz2": "unpack it: bunzip2",
    ".xz": "unpack it: xz -d",
    ".db": "export the table as CSV",
    ".sqlite": "export the table as CSV",
    ".pdf": "give its text as .txt or JSONL",
    ".docx": "save it as plain text",
    ".pkl": "write it as Parquet: a pickle runs code when it is read",
    ".npz": "write it as Parquet",
    ".avro": "write it as Parquet",
    ".orc": "write it as Parquet",
}
"""Extensions of what is not read, each with what makes it readable."""
HEAD = 1 << 16  # bytes looked at to tell CSV from other text


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it lies on disk, and what is inside it."""

    source: Source
    sha256: str
    """Of the bytes as they lie, 64 hex digits."""
    size: int
    """Bytes, as they lie."""
    packed: str | None
    """`gzip`, `zstd` or None."""


def open_entry(entry: Entry) -> Opened:
    """Read a file whole and unpack it.

    Raises BadPath for what is not there or no plain file, NoPermission, and InputError for an empty or damaged file.
    """
    path = Path(entry.name or "stdin") if entry.data is not None else entry.path
    data = entry.data if entry.data is not None else _bytes(entry.path)
    if not data:
        raise InputError("the file is empty (0 bytes)", where=str(path), remedy="check that it was written in full")
    packed = packing(data)
    inside = data if packed is None else unpack(path, data, packed)
    source = Source(path if packed is None else inner_path(path), inside)
    return Opened(source, hashlib.sha256(data).hexdigest(), len(data), packed)


def _bytes(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            inside = sorted(p.name for p in path.iterdir() if p.suffix.lower() in extensions())
            remedy = f"name its files, for example {path / inside[0]}" if inside else "name a file"
            raise BadPath("this is a folder", where=str(path), remedy=remedy)
        if not stat.S_ISREG(mode):
            raise BadPath(
                "this is a pipe or a device, not a file",
                where=str(path),
                remedy=f"pipe its content in: cat {path} | sluice add NAME -",
            )
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise BadPath(
                "a link to a file that is not there", where=str(path), remedy=f"it leads to {path.readlink()}"
            ) from None
        raise BadPath("no such file", where=str(path), remedy=_nearest(path)) from None
    except PermissionError:
        raise NoPermission(
            "this file may not be read", where=str(path), remedy=f"chmod u+r {path}, or ask its owner"
        ) from None
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", where=str(path), remedy="check the path") from None
    except ValueError:  # a NUL in a name
        raise BadPath("no file can be called this", where=repr(str(path)), remedy="check the path") from None


def _nearest(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir()]
    except OSError:
        return f"the folder {path.parent} is not there either; check the path"
    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else "check the path"


def extensions() -> dict[str, Format]:
    """Return the format of each extension that is read, those of packed files left out."""
    return {extension: form for _, form in FORMATS for extension in form.extensions}


def is_readable_name(path: Path) -> bool:
    """Return whether a file is of a form that is read, by its name alone."""
    return inner_path(path).suffix.lower() in extensions()


def tell_format(source: Source, options: ReadOptions) -> Format:
    """Return the format of a file, or raise InputError that says how to name it."""
    if options.format is not None:
        return FORMATS.get(options.format)
    by_name = extensions().get(source.path.suffix.lower())
    for name in BINARY:
        if FORMATS.get(name).sniff(source.data):
            return FORMATS.get(name)
    if by_name is not None and by_name.name not in LINES:
        return by_name
    if FORMATS.get("json").sniff(source.data):
        return FORMATS.get("json")
    if by_name is not None:
        return by_name if by_name.name == "json" and json_document.one_object(source.data) else FORMATS.get("jsonl")
    if jsonl.sniff(source.data):
        return FORMATS.get("jsonl")
    suffix = source.path.suffix.lower()
    if suffix in NAMED_ONLY:
        raise InputError(f"{suffix} files are not read", where=str(source.path), remedy=NAMED_ONLY[suffix])
    if _is_delimited(source.data):
        return FORMATS.get("csv")
    raise InputError(
        f"the name ends in {source.path.suffix or 'no extension'}, and the content does not tell the format",
        where=str(source.path),
        remedy=f"say what it is: --format {' | '.join(FORMATS.names())}",
    )


def _is_delimited(data: bytes) -> bool:
    """Return whether the first lines have one delimiter equally often, which prose does not."""
    head = data[:HEAD].decode("utf-8-sig", "replace")
    lines = [line for line in head.split("\n")[: 21 if len(data) < HEAD else 20] if line.strip()]
    if len(lines) < 3 or "\0" in head:
        return False
    return any(lines[0].count(d) and len({line.count(d) for line in lines}) == 1 for d in DELIMITERS)
