"""The shapes that rows are written in: one file a shape, each from a row to the columns of one line.

What a shape cannot say of a row is refused with the row's name, or named through `note`. A new shape is a new file and
a line here; docs/writing.md and its test say which kinds it holds. May import sluice.core only.
"""

# the shapes file themselves in WRITERS, in this order
from sluice.curate.formats.writers import (  # noqa: I001
    columns,  # noqa: F401
    messages,  # noqa: F401
    prompt_completion,  # noqa: F401
    preference,  # noqa: F401
    unpaired,  # noqa: F401
    text,  # noqa: F401
    trl,  # noqa: F401
    openai,  # noqa: F401
    openai_preference,  # noqa: F401
    sharegpt,  # noqa: F401
    alpaca,  # noqa: F401
)
from sluice.curate.formats.writers.base import KINDS, WRITERS, ExportRow, WriteOptions, Writer

__all__ = ["KINDS", "WRITERS", "ExportRow", "WriteOptions", "Writer"]
