"""Which row a foreign record is about: the one whose hash it carries, else the one whose input it holds, exactly.

Texts are compared as they are. On request they are compared as near-duplicates are: case, blanks, punctuation folded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sluice.core.canonical import dump_exact
from sluice.core.rows import SHOWN
from sluice.curate.labels.exchange.word import NotThis, Word
from sluice.curate.labels.session import Item

ALONE = ("text", "data", "input", "prompt", "question", "body", "content")
"""Names under which tools keep the one text of a task."""
_HEX = frozenset("0123456789abcdef")


class Rows:
    """Items by hash and by input.

    Args:
        items: the rows that a question fits.
        loosely: whether case, blanks and punctuation are folded before texts are compared.
    """

    def __init__(self, items: Sequence[Item], *, loosely: bool = False):
        self._loosely = loosely
        self._by_row = {item.row: item for item in items}
        self._by_texts: dict[tuple[str, ...], dict[tuple[str, ...], list[Item]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._alone: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            names = tuple(sorted(name for name, _ in item.texts))
            held = dict(item.texts)
            self._by_texts[names][tuple(self._form(held[name]) for name in names)].append(item)
            if len(names) == 1:
                self._alone[self._form(held[names[0]])].append(item)

    def find(self, word: Word) -> Item:
        """Return the row that a word is about. Raises NotThis, with the reason, where none or more than one is."""
        if word.row is not None and set(word.row) <= _HEX and len(word.row) == 64:
            found = self._by_row.get(word.row)
            if found is None:
                raise NotThis(f"row {word.row[:SHOWN]} is not in this version, or the question does not fit it")
            return found
        items = self._with_texts(word.texts)
        if len(items) > 1 and word.answer is not None:
            items = [i for i in items if any(a.text == word.answer for a in i.answers)]
        if len(items) == 1:
            return items[0]
        if items:
            raise NotThis(f"{len(items)} rows have this input; it does not say which is meant")
        raise NotThis("no row has this input" + ("" if self._loosely else " exactly (--loosely folds case and blanks)"))

    def _with_texts(self, texts: Mapping[str, Any]) -> list[Item]:
        given = {name: self._form(text(value)) for name, value in texts.items() if value is not None}
        for names, held in self._by_texts.items():
            if all(name in given for name in names):
                found = held.get(tuple(given[name] for name in names))
                if found:
                    return found
        candidates = [given[name] for name in ALONE if name in given] or (
            list(given.values()) if len(given) == 1 else []
        )
        return next((self._alone[one] for one in candidates if one in self._alone), [])

    def _form(self, found: str) -> str:
        if not self._loosely:
            return found
        from sluice.curate.similar.similarity import normalise

        return normalise(found)


def text(value: Any) -> str:
    """Return a value as `core.rows.input_texts` shows it."""
    return value if isinstance(value, str) else dump_exact(value)
