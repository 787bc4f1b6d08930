"""Cells to aligned lines: by rich on a terminal, where lines have to fit, and plainly elsewhere, where nothing is cut.

It knows nothing about streams or verbs. rich is imported only when a terminal is drawn on: it costs about 25 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

GAP = "  "


def cell_text(value: Any) -> str:
    """Return what stands in a cell: `-` for None, thousands commas in whole numbers, texts as they are."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def alignments(rows: Sequence[Sequence[Any]], count: int) -> list[Literal["left", "right"]]:
    """Return for each of `count` columns where its cells stand: right where all that is there are numbers."""
    sides: list[Literal["left", "right"]] = []
    for index in range(count):
        cells = [row[index] for row in rows if row[index] is not None]
        numeric = bool(cells) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)
        sides.append("right" if numeric else "left")
    return sides


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return the table as lines of any length, line breaks inside a cell written as `\\n`."""
    lines = [list(columns), *([cell_text(cell).replace("\n", "\\n") for cell in row] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    sides = alignments(rows, len(columns))
    return [
        GAP.join(
            cell.rjust(width) if side == "right" else cell.ljust(width)
            for cell, width, side in zip(line, widths, sides, strict=True)
        ).rstrip()
        for line in lines
    ]


def terminal_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], looks: Sequence[str], width: int, colour: bool
) -> list[str]:
    """Return the table as lines of at most `width` cells, long texts wrapped, with colour where wanted.

    Args:
        columns: the names.
        rows: one sequence of cells a row.
        looks: a rich style for each column ("" for none).
        width: cells of the terminal.
        colour: whether escape sequences for colour may be written.
    """
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="dim")
    for name, look, side in zip(columns, looks, alignments(rows, len(columns)), strict=True):
        table.add_column(Text(name), style=look, justify=side, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell_text(cell)) for cell in row))
    page = io.StringIO()
    Console(
        file=page, width=width, force_terminal=colour, color_system="standard" if colour else None, legacy_windows=False
    ).print(table)
    return [line.rstrip() for line in page.getvalue().splitlines()]
