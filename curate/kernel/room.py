"""Where the large arrays of the kernel lie: in memory, or in files that are mapped into it where memory is short."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

_numbers = count()


@dataclass(frozen=True)
class Room:
    """Makes arrays of zeros.

    Args:
        folder: for the files of arrays, which the caller removes; None: in memory.
    """

    folder: Path | None = None

    def zeros(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """Return an array of zeros, C-contiguous."""
        if self.folder is None or not np.prod(shape):
            return np.zeros(shape, dtype)
        return np.asarray(np.memmap(self.folder / f"{next(_numbers)}.array", dtype, "w+", shape=shape))


MEMORY = Room()
