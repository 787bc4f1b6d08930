"""csv and tsv, by RFC 4180: a header, then a record a row. Cells are texts; what is none becomes its JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sluice.curate.formats.encoders.base import (
    AS_TEXT,
    EMPTIED,
    ENCODERS,
    CannotHold,
    Encode,
    Encoder,
    Line,
    Survey,
    compact,
)
from sluice.curate.formats.quoting import join_cells


def cell(value: Any) -> str:
    """Return a value as a cell; an absent one is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else compact(value)


def inexact(survey: Survey) -> dict[str, str]:
    """Return the columns whose values are not read back as they were."""
    emptied = {name: EMPTIED for name, column in survey.columns.items() if column.empty}
    return emptied | {name: AS_TEXT for name, column in survey.columns.items() if column.types - {str}}


def _encode(delimiter: str) -> Encode:
    def encode(lines: Iterable[Line], survey: Survey) -> Iterator[bytes]:
        names = list(survey.columns)
        yield join_cells(names, delimiter).encode()
        for number, line in enumerate(lines, start=1):
            record = join_cells([cell(line.get(name)) for name in names], delimiter)
            if "\0" in record:
                remedy = "end the file in .jsonl or .parquet"
                raise CannotHold(number, "a text holds a NUL character, which no text file may", remedy)
            yield record.encode()

    return encode


ENCODERS.register("csv")(
    Encoder("csv", (".csv",), "comma-separated cells (RFC 4180)", _encode(","), inexact, True, True)
)
ENCODERS.register("tsv")(
    Encoder("tsv", (".tsv", ".tab"), "tab-separated cells, quoted as in CSV", _encode("\t"), inexact, True, True)
)
