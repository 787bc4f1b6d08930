"""The forms of file that lines are written in: one file a family, each from lines of columns to chunks of bytes.

All write the same bytes for the same lines. What a form cannot hold is refused, or named by `inexact`. May import
sluice.core only; pyarrow is imported where it is needed.
"""

# the encoders file themselves in ENCODERS, in this order
from sluice.curate.formats.encoders import lines, cells, xlsx, arrow, plain  # noqa: F401, I001
from sluice.curate.formats.encoders.base import ENCODERS, CannotHold, Column, Encoder, Survey

__all__ = ["ENCODERS", "CannotHold", "Column", "Encoder", "Survey"]
