"""Proven lines to the columns of their rows, straight from the file's bytes: what a shape's `Direct` says of them.

`lines_compiled` writes the texts that are stored and those that are hashed; here they are hashed, and become a frame.
Lines that are not ordinary are named, for `build` to make their rows. The result is the same, row for row and hash for
hash (a property test holds the two ways together).
"""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sluice.core.canonical import dump_exact
from sluice.core.rows import to_record
from sluice.curate.formats.lines_scan import Chunk
from sluice.curate.formats.records import ReadRow
from sluice.curate.formats.shapes import Direct, Reading

if TYPE_CHECKING:
    import polars as pl


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
