"""One registry for everything that users extend: formats, checks, graders, rules, recipes.

A registry knows names, not behaviour. Built-in names are reserved: a user's thing may not take the name of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Generic, TypeVar

from sluice.core.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one sort, in order of registration.

    Args:
        noun: what one entry is called in messages ("grader").
    """

    def __init__(self, noun: str):
        self.noun = noun
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under `name`; a name is taken once."""

        def file(thing: T) -> T:
            if name in self._entries:
                raise InputError(
                    f"the {self.noun} name '{name}' is taken", remedy=f"give your {self.noun} another name"
                )
            self._entries[name] = thing
            return thing

        return file

    def get(self, name: str) -> T:
        """Return the entry called `name`, or raise InputError that suggests the nearest name."""
        if name not in self._entries:
            near = get_close_matches(name, self._entries, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(self._entries)}"
            raise InputError(f"no {self.noun} is called '{name}'", remedy=hint)
        return self._entries[name]

    def names(self) -> list[str]:
        """Return all names in order of registration."""
        return list(self._entries)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return iter(self._entries.items())

    def __contains__(self, name: object) -> bool:
        return name in self._entries
