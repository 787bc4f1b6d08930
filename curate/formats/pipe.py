"""`Pipe`: a file that libraries write into and whose bytes are taken away as they come. Nothing seeks back in it."""

from __future__ import annotations

import io
from typing import Any


class Pipe(io.RawIOBase):
    """What was written and not yet taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.held = 0
        """Bytes that wait to be taken."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self.held += len(data)
        return len(data)

    def close(self) -> None:
        """Do nothing: a library that closes its file leaves bytes to be taken."""

    def taken(self) -> bytes:
        """Return the bytes that were written since the last time."""
        data, self._parts, self.held = b"".join(self._parts), [], 0
        return data
