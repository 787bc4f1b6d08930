"""How long work says where it is: the one callback that libraries call and the terminal draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Progress = Callable[[str, int, int], None]
"""Called as (what is being done, how much is done, of how much); 0 of 0 where nobody can know."""
T = TypeVar("T")
EVERY = 5_000
"""Items between two calls: a tenth of a second of the work that is done for each."""


def watched(items: Iterable[T], what: str, total: int, progress: Progress | None) -> Iterator[T]:
    """Yield items, telling how many have been done."""
    if progress is None:
        yield from items
        return
    for done, item in enumerate(items):
        if done % EVERY == 0:
            progress(what, done, total)
        yield item
    progress(what, total, total)
