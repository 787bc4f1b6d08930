"""Excel workbooks (.xlsx, .xlsm) to records: the first row with cells is the header, each row below it a record.

Integers, floats, texts and booleans are values; dates and times become text (`2024-05-01`, `2024-05-01T12:00:00`) by
the format of their cell, to the millisecond, as Excel keeps them. A formula is the value that was stored with it; one
without a stored value, an error (`#N/A`) and a cell outside the header set the row aside. Hidden rows and columns are
read; a merged cell belongs to its first place. Knows nothing of rows of a dataset, or of XML.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from sluice.core.canonical import dump_exact
from sluice.core.errors import InputError
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
from sluice.curate.formats.workbook_cells import Cell, Row, column_letters, is_workbook, sheet_rows


def read(source: Source, options: ReadOptions, progress: Progress | None) -> Table:
    """Read the rows of one sheet.

    Raises InputError as `sheet_rows` does, for a header that is broken or names a column twice, and for no rows.
    """
    sheet, rows = sheet_rows(source, options.sheet)
    return replace(_table(_header(rows[0], source), rows[1:], source, progress), sheet=sheet)


def _table(header: dict[int, str], rows: list[Row], source: Source, progress: Progress | None) -> Table:
    lines: list[int] = []
    records: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    for done, (number, cells) in enumerate(rows, start=1):
        if progress is not None and done % STEP == 0:
            progress(f"reading {source.path.name}", done, len(rows))
        reason = next((r for r in (_reason(c, header) for c in cells) if r), None)
        if reason:
            shown = {header.get(c.column, column_letters(c.column)): c.problem or c.value for c in cells}
            aside.append(SetAside(number, None, reason, dump_exact(shown)))
            continue
        lines.append(number)
        records.append({header[c.column]: c.value for c in cells})
    if not records:
        if not aside:
            raise empty(source.path, "a sheet with a header and nothing below it")
        names = ", ".join(header.values())
        raise InputError(
            f"{none_of(len(aside), 'row')} can be read; row {aside[0].line}: {aside[0].reason}"
            f" (the first row with cells names the columns: {names[:60]})",
            where=str(source.path),
            remedy="take away rows above the header, mend the cells, or name another sheet with --sheet",
        )
    return Table(list(header.values()), lines, records, lambda i: dump_exact(records[i]), aside, "binary")


def _reason(cell: Cell, header: dict[int, str]) -> str | None:
    if cell.problem:
        return f"column '{header.get(cell.column, column_letters(cell.column))}' holds {cell.problem}"
    return None if cell.column in header else f"a cell in column {column_letters(cell.column)}, which has no name"


def _header(row: Row, source: Source) -> dict[int, str]:
    number, cells = row
    where = f"{source.path}:{number}"
    bad = next((c for c in cells if c.problem), None)
    if bad is not None:
        raise InputError(
            f"the header (first row with cells) holds {bad.problem} in column {column_letters(bad.column)}",
            where=where,
            remedy="write the name of each column into the first row",
        )
    header = {c.column: c.value if isinstance(c.value, str) else dump_exact(c.value) for c in cells}
    twice = [name for name, count in Counter(header.values()).items() if count > 1]
    if twice:
        raise InputError(
            f"the header names {twice[0]!r} twice", where=where, remedy="give each column a name of its own"
        )
    return header


FORMATS.register("xlsx")(
    Format(
        name="xlsx",
        extensions=(".xlsx", ".xlsm"),
        help="Excel workbooks: one sheet (--sheet NAME), its first row the header; dates as text",
        example="(binary) a sheet with the columns body, category, ticket",
        sniff=is_workbook,
        read=read,
        binary=True,
    )
)
