"""Large JSON Lines: the same rows as line by line, made column by column, on all cores.

Compiled loops prove of a line that it is sound and ordinary, and write the texts of its row straight from the file's
bytes; a line that is not proven is read by `parse_exact` and built by its shape, as in a small file. The result is the
same, row for row and hash for hash (a property test holds the two together).

numba compiles at the first call and keeps the result, so a small file does not come here.
"""

from __future__ import annotations

import codecs
import hashlib
import itertools
import json
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from sluice.core.canonical import dump_exact
from sluice.core.rows import to_record
from sluice.curate.formats.decode import TAR, UTF8_NAMES, wide_without_mark
from sluice.curate.formats.jsonl import read_line
from sluice.curate.formats.records import AUTO, Progress, ReadOptions, ReadRow, SetAside, Source, Table
from sluice.curate.formats.shapes import Direct, Reading

if TYPE_CHECKING:
    import polars as pl

CHUNK = 4 << 20  # bytes that one thread works on at a time


@dataclass(slots=True)
class Chunk:
    """Whole lines of a file."""

    first: int
    """The number of its first line, from 1."""
    starts: Any
    """Where each line begins in the file (int64), blank lines left out."""
    ends: Any
    numbers: Any
    """The number of each line."""
    proven: Any
    """1 where a line is proven (uint8)."""
    keys: list[tuple[int, list[str]]]
    """Keys of lines, with the lines' numbers, for each set of keys met in proven lines."""


@dataclass(slots=True)
class Lines:
    """A file's lines, scanned; what choosing a shape needs is read on demand."""

    data: bytes
    encoding: str
    chunks: list[Chunk]
    columns: list[str] = field(default_factory=list[str])

    def text(self, start: int, end: int) -> str:
        """Return a physical line."""
        return self.data[start:end].decode()


class Records(Sequence[dict[str, Any]]):
    """All records of a file, each read when it is asked for."""

    def __init__(self, lines: Lines):
        self._lines = lines

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for chunk in self._lines.chunks:
            for start, end in zip(chunk.starts.tolist(), chunk.ends.tolist(), strict=True):
                value = read_line(self._lines.text(start, end), 0)
                if not isinstance(value, SetAside):
                    yield value

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None

    def __getitem__(self, at: Any) -> Any:
        return next(itertools.islice(self, at, None))


def scan_lines(source: Source, options: ReadOptions, progress: Progress | None, chunk: int = CHUNK) -> Lines | None:
    """Return the lines of a file; None for one that has to be read line by line: no sound UTF-8, or odd at its head.

    Args:
        source: the file.
        options: what the user said of its encoding.
        progress: called with (what, bytes done, bytes in all).
        chunk: bytes that one thread works on at a time.
    """
    data = source.data
    marked = data.startswith(codecs.BOM_UTF8)
    head = data[3 if marked else 0 :][:4096].lstrip(b" \t\r\n")
    if not head.startswith(b"{") or data[257:262] == TAR or wide_without_mark(data) or not _is_utf8(options.encoding):
        return None
    cuts = [3 if marked else 0]
    while cuts[-1] < len(data):
        cuts.append(data.find(b"\n", cuts[-1] + chunk) + 1 or len(data))
    chunks: list[Chunk] = []
    number = 1
    with pool_of_cores() as pool:
        for start, found in zip(cuts, pool.map(lambda cut: _scan(data, *cut), itertools.pairwise(cuts)), strict=False):
            if found is None or (not chunks and not _opens(data, found)):
                return None
            part, count = found
            part.first = number
            part.numbers += number
            part.keys = [(line + number, keys) for line, keys in part.keys]
            number += count
            chunks.append(part)
            if progress is not None:
                progress(f"reading {source.path.name}", start, len(data))
    lines = Lines(data, "utf-8-sig" if marked else "utf-8", chunks)
    lines.columns = _columns_of(lines)
    return lines


@contextmanager
def pool_of_cores() -> Iterator[ThreadPoolExecutor]:
    """Give threads, one a core: what they run is compiled, and lets others run. At the end none is left."""
    from sluice.curate.kernel.threads import cores

    pool = ThreadPoolExecutor(cores())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _is_utf8(encoding: str | None) -> bool:
    if encoding is None or encoding == AUTO:
        return True
    try:
        return codecs.lookup(encoding).name in UTF8_NAMES
    except LookupError:
        return False


def _opens(data: bytes, found: tuple[Chunk, int]) -> bool:
    """Return whether the first line that is not blank is a sound object: else the whole file may be something else."""
    part = found[0]
    if not part.starts.size:
        return False
    return part.proven[0] == 1 or not isinstance(read_line(data[part.starts[0] : part.ends[0]].decode(), 1), SetAside)


def _scan(data: bytes, first: int, last: int) -> tuple[Chunk, int] | None:
    """Return a chunk numbered from 0 and its physical lines; None where it is not UTF-8."""
    import numpy as np
    import pyarrow as pa

    from sluice.curate.formats.lines_compiled import scan

    part = pa.py_buffer(memoryview(data)[first:last])
    whole = pa.py_buffer(np.array([0, last - first], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, whole, part]).validate(full=True)
    except pa.ArrowInvalid:
        return None
    view = np.frombuffer(data, np.uint8)
    feeds = np.flatnonzero(view[first:last] == 0x0A) + first
    starts = np.concatenate([[first], feeds + 1]).astype(np.int64)
    ends = np.concatenate([feeds, [last]]).astype(np.int64)
    proven, fresh = np.zeros(starts.size, np.uint8), np.zeros(starts.size, np.uint8)
    scan(view, starts, ends, proven, fresh)
    said = np.flatnonzero(proven != 2)
    keys = [(int(i), list(json.loads(data[starts[i] : ends[i]]))) for i in np.flatnonzero(fresh)]
    return Chunk(0, starts[said], ends[said], said.astype(np.int64), proven[said], keys), feeds.size


def _columns_of(lines: Lines) -> list[str]:
    """Return the keys of all lines in order of first appearance."""
    columns: dict[str, None] = {}
    for chunk in lines.chunks:
        others = list[tuple[int, list[str]]]()
        for i in (chunk.proven == 0).nonzero()[0].tolist():
            value = read_line(lines.text(chunk.starts[i], chunk.ends[i]), 0)
            if not isinstance(value, SetAside):
                others.append((int(chunk.numbers[i]), list(value)))
        for _, keys in sorted([*chunk.keys, *others], key=lambda pair: pair[0]):
            columns.update(dict.fromkeys(keys))
    return list(columns)


@dataclass(frozen=True, slots=True)
class Plan:
    """How ordinary records of a file are read: a Direct in arrays."""

    direct: Direct
    names: Any
    cuts: Any
    own: int
    keys: Any
    key_cuts: Any
    order: Any


def plan_of(reading: Reading) -> Plan | None:
    """Return how the ordinary records of a reading are read, None where all go to its `build`."""
    import numpy as np

    direct = reading.direct
    if direct is None:
        return None
    inputs = [direct.turns] if direct.turns is not None else list(direct.inputs)
    own = inputs + ([direct.target] if direct.target is not None else [])
    if not all(unicodedata.is_normalized("NFC", name) for name in inputs):
        return None
    barred = sorted((reading.used | reading.no_metadata) - set(own))
    names, cuts = _joined([name.encode() for name in [*own, *barred]])
    keys, key_cuts = _joined([dump_exact(name).encode() for name in inputs])
    order = np.array(sorted(range(len(inputs)), key=lambda k: inputs[k]), np.int64)
    return Plan(direct, names, cuts, len(own), keys, key_cuts, order)


def _speakers(direct: Direct) -> tuple[Any, Any, Any]:
    """Return how turns are spelt: their two keys and the speakers that are no tools, and the role of each of these."""
    import numpy as np

    from sluice.curate.formats import lines_compiled as c

    roles = {c.PHRASES[k]: k for k in (c.SYSTEM, c.DEVELOPER, c.USER, c.ASSISTANT)}
    known = {name: roles[role] for name, role in direct.speakers.items() if role in roles and name != "function_call"}
    spelt, cuts = _joined([word.encode() for word in (*direct.spelt, *known)])
    return spelt, cuts, np.array(list(known.values()), np.int64)


def _joined(parts: list[bytes]) -> tuple[Any, Any]:
    import numpy as np

    cuts = np.array([0, *itertools.accumulate(map(len, parts))], np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), cuts


@dataclass(slots=True)
class Made:
    """The rows of a chunk that were made directly, and the lines that were not."""

    frame: pl.DataFrame
    """rows.COLUMNS, line, metadata."""
    left: list[int]
    """Positions of other lines in the chunk."""


def make_directly(data: bytes, chunk: Chunk, plan: Plan | None) -> Made:
    """Return the rows of the lines of a chunk that are proven and ordinary."""
    import numpy as np

    from sluice.curate.formats import lines_compiled as c
    from sluice.curate.formats.characters import table

    count = chunk.starts.size
    taken = chunk.proven.copy()
    if plan is None or not count or not taken.any():
        return Made(empty_frame(), list(range(count)))
    room = int((chunk.ends - chunk.starts).sum()) + c.OVERHEAD * (count + 1)
    stored, target, beside = (np.empty(room, np.uint8) for _ in range(3))
    hashed = np.empty(2 * room, np.uint8)
    stored_at, target_at, beside_at = (np.zeros(count + 1, np.int64) for _ in range(3))
    hashed_at, has_target = np.zeros(2 * count + 1, np.int64), np.zeros(count, np.bool_)
    view = np.frombuffer(data, np.uint8)
    arrays = (
        view, chunk.starts, taken, plan.names, plan.cuts, table(), stored, stored_at, hashed, hashed_at, target,
        target_at, has_target, beside, beside_at, *_joined([phrase.encode() for phrase in c.PHRASES]),
    )  # fmt: skip
    if plan.direct.turns is not None:
        c.chats(*arrays, *_speakers(plan.direct))
    else:
        inputs, kind = len(plan.direct.inputs), int(plan.direct.kind == "text")
        c.fields(
            *arrays, plan.own, inputs, plan.keys, plan.key_cuts, plan.order, plan.direct.drops_blank, kind
        )  # fmt: skip
    texts = memoryview(cast("Any", hashed))
    for i in np.flatnonzero(taken == c.COMPOSE).tolist():
        if not unicodedata.is_normalized("NFC", str(texts[hashed_at[2 * i] : hashed_at[2 * i + 1]], "utf-8")):
            taken[i] = c.PLAIN
    good = taken != c.PLAIN
    ends = hashed_at.tolist()
    sha = hashlib.sha256
    digests = b"".join(
        [
            sha(texts[ends[2 * i + k] : ends[2 * i + k + 1]]).digest()
            for i in np.flatnonzero(good).tolist()
            for k in (0, 1)
        ]
    )
    return Made(
        _frame(
            plan.direct,
            digests,
            chunk.numbers[good],
            _picked(stored, stored_at, good),
            _picked(target, target_at, good, has_target),
            _picked(beside, beside_at, good),
        ),
        np.flatnonzero(~good).tolist(),
    )


def _picked(buffer: Any, at: Any, good: Any, there: Any = None) -> Any:
    """Return the texts of good lines as a polars series; the buffer is copied as far as it was filled."""
    import numpy as np
    import polars as pl
    import pyarrow as pa

    count = good.size
    valid = None if there is None else pa.py_buffer(np.packbits(there, bitorder="little"))
    buffers = [valid, pa.py_buffer(at), pa.py_buffer(buffer[: at[-1]].copy())]
    array = pa.Array.from_buffers(pa.large_string(), count, buffers)
    series = pl.Series(pl.from_arrow(array))
    return series if good.all() else series.filter(pl.Series(good))


def _frame(direct: Direct, digests: bytes, numbers: Any, stored: Any, target: Any, beside: Any) -> pl.DataFrame:
    import numpy as np
    import polars as pl
    import pyarrow as pa

    count = len(numbers)
    hexadecimal = np.frombuffer(digests.hex().encode(), np.uint8).reshape(count, 2, 64)
    at = pa.py_buffer(np.arange(count + 1, dtype=np.int64) * 64)

    def hashes(k: int) -> pl.Series:
        text = pa.py_buffer(np.ascontiguousarray(hexadecimal[:, k]))
        return pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.large_string(), count, [None, at, text])))

    example = direct.kind == "example"
    columns = {
        "row": hashes(0),
        "input_hash": hashes(1),
        "kind": pl.repeat(direct.kind, count, eager=True),
        "input_form": pl.repeat("messages" if direct.turns is not None else "fields", count, eager=True),
        "input": stored,
        "target_form": pl.repeat("text" if example else None, count, dtype=pl.String, eager=True),
        "target": target if example else pl.repeat(None, count, dtype=pl.String, eager=True),
        **{name: pl.repeat(None, count, dtype=pl.String, eager=True) for name in ("chosen", "rejected", "answer")},
        "good": pl.repeat(None, count, dtype=pl.Boolean, eager=True),
        "groups": pl.repeat([], count, dtype=pl.List(pl.String), eager=True),
        "line": pl.Series(numbers),
        "metadata": beside,
    }
    return pl.DataFrame(columns, schema=schema())


def schema() -> dict[str, Any]:
    """Return the types of rows.COLUMNS, line and metadata."""
    import polars as pl

    from sluice.core.rows import COLUMNS

    types: dict[str, Any] = dict.fromkeys(COLUMNS, pl.String)
    return types | {"good": pl.Boolean, "groups": pl.List(pl.String), "line": pl.Int64, "metadata": pl.String}


def empty_frame() -> pl.DataFrame:
    """Return a frame of no rows."""
    import polars as pl

    return pl.DataFrame(schema=schema())


def frame_of(rows: Sequence[ReadRow]) -> pl.DataFrame:
    """Return rows that were built one by one as a frame."""
    import polars as pl

    records = [to_record(r.row) | {"line": r.line, "metadata": dump_exact(r.metadata)} for r in rows]
    return pl.DataFrame(records, schema=schema(), orient="row")


def plain_table(lines: Lines, chunk: Chunk, left: list[int]) -> Table:
    """Return some lines of a chunk, read one by one."""
    kept: list[int] = []
    records: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    for i in left:
        value = read_line(lines.text(chunk.starts[i], chunk.ends[i]), int(chunk.numbers[i]))
        if isinstance(value, SetAside):
            aside.append(value)
        else:
            kept.append(i)
            records.append(value)

    def raw(k: int) -> str:
        return lines.text(chunk.starts[kept[k]], chunk.ends[kept[k]])

    return Table(lines.columns, [int(chunk.numbers[i]) for i in kept], records, raw, aside, lines.encoding)
