"""From records to rows, one file a shape: which columns make a row, and what each row then is.

`choose` says how a file is read: by what the user said, else by the columns and values of the whole file.
A record that cannot be taken whole raises InputError, and the caller sets it aside. `SHAPES` lists all shapes, in the
order in which they are tried. Knows nothing of files or bytes; may import sluice.core and `records`.
"""

from sluice.curate.formats.shapes.base import SHAPES, Built, Direct, Reading, Seen, Shape, row_of

# the shapes file themselves in SHAPES, in this order: where two fit, the first says more of a file than the second
from sluice.curate.formats.shapes import (  # noqa: F401  # isort: skip
    mapped,
    threads,
    openai_preference,
    preference,
    unpaired,
    completion,
    messages,
    sharegpt,
    alpaca,
    named,
    chatml,
    text,
)
from sluice.curate.formats.shapes.choose import choose  # isort: skip

__all__ = ["SHAPES", "Built", "Direct", "Reading", "Seen", "Shape", "choose", "row_of"]
