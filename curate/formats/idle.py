"""Options that nothing was there for: a delimiter without a CSV file, a sheet without a workbook. One rule: refused.

Whoever types an option means something by it; passed over in silence, the files would be read another way than they
think. An option is for something as soon as one of the files is read by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sluice.core.errors import UsageError
from sluice.curate.formats.records import AUTO, ReadOptions, ReadResult

OF_FORMATS = {
    "delimiter": ("csv", "is for CSV files"),
    "sheet": ("xlsx", "is for Excel workbooks"),
    "per": ("text", "is for plain text"),
}
"""Options that one format alone reads, and what to say of them."""
OF_ROWS = ("input", "target", "map", "thread", "order", "role", "text", "roles")
"""Options that say what a row is."""
BY_NAME = {
    "map": ("map",),
    "input-target": ("input", "target"),
    "thread": ("thread", "order", "role", "text", "roles"),
    "preference": ("input",),
    "unpaired": ("input",),
}
"""Those that a shape reads; all other shapes are told by their columns alone."""


def refuse_idle(options: ReadOptions, files: Sequence[ReadResult]) -> None:
    """Raise UsageError where an option was read by none of the files.

    Args:
        options: what the user said.
        files: how each file was read; without any nothing is known, and nothing is refused.
    """
    if not files:
        return
    formats = sorted({file.format for file in files})
    for option, (form, what) in OF_FORMATS.items():
        if getattr(options, option) is not None and form not in formats:
            raise UsageError(f"--{option} {what}; read here: {', '.join(formats)}", remedy=f"leave --{option} away")
    if options.encoding not in (None, AUTO) and all(file.encoding == "binary" for file in files):
        raise UsageError(
            f"--encoding is for files of text; read here: {', '.join(formats)}", remedy="leave --encoding away"
        )
    shapes = {file.shape for file in files}
    read = {option for shape in shapes for option in BY_NAME.get(shape, ())}
    idle = [option for option in OF_ROWS if getattr(options, option) and option not in read]
    if idle:
        raise UsageError(
            f"--{idle[0]} says nothing about the shape {', '.join(sorted(shapes))}",
            remedy=f"leave --{idle[0]} or --shape away",
        )
