"""What `dedup` worked out of rows, texts and pairs of texts, kept so that it need not be worked out again.

Three files in `.sluice/cache/` a dataset: what each row is compared by, the signature of each text, what two texts have
in common. All of it depends on the row, the text, the pair alone, each known by the hash of its content; never on a
threshold, an order or other rows. So a file that is not there, or damaged, costs time and nothing else. The name of a
file covers the code that made it: another release begins anew.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice import __version__
from sluice.core import canonical, chats, rows
from sluice.core.project import Project
from sluice.curate.cache import read_cache, write_cache
from sluice.curate.duplicates import columns, keys
from sluice.curate.duplicates.columns import Columns, places_in
from sluice.curate.kernel import compiled, fold, signatures, survivors
from sluice.curate.similar import similarity
from sluice.curate.similar.similarity import Hashes, Mask, Numbers

if TYPE_CHECKING:
    import polars as pl

DEPENDS_ON = (canonical, chats, rows, similarity, keys, columns, compiled, fold, signatures, survivors)


@dataclass(frozen=True)
class Signed:
    """Texts of inputs with their signatures.

    Args:
        hashes: (n, 2) of the texts.
        short: which are compared by characters.
        characters, lengths: with and without the blanks between segments.
        repeats: whether over half of the n-grams of a long text are repeats; -1 where nobody asked.
        words, chars: (n, bands) keys of bands by either sort of n-gram, 0 for none.
        by_chars: whether `chars` were made.
    """

    hashes: Hashes
    short: Mask
    characters: Numbers
    lengths: Numbers
    repeats: Any
    words: Any
    chars: Any
    by_chars: Mask

    def __len__(self) -> int:
        return len(self.hashes)


@dataclass(frozen=True)
class Counted:
    """Pairs of texts with the n-grams that they have in common, and together.

    Args:
        one, other: (n, 2) hashes of the texts.
        hits, unions: (n,) numbers.
    """

    one: Hashes
    other: Hashes
    hits: Any
    unions: Any

    def __len__(self) -> int:
        return len(self.one)


class Kept:
    """What is kept for one dataset.

    Args:
        project: whose cache it is.
        dataset: the name of the dataset.
    """

    def __init__(self, project: Project, dataset: str):
        self._project, self._dataset = project, dataset

    def rows(self, on: str) -> Columns | None:
        """Return what rows are compared by, None where nothing is kept."""
        return self._read(Columns, "rows", on)

    def signed(self, bands: tuple[int, int]) -> Signed | None:
        """Return the texts signed with so many bands of so many permutations."""
        return self._read(Signed, "texts", *bands)

    def pairs(self) -> Counted | None:
        """Return the pairs that were counted."""
        return self._read(Counted, "pairs")

    def keep_rows(self, on: str, found: Columns, before: Columns | None) -> None:
        """Keep rows, and those of before as long as they are not the greater part."""
        self._write(_with_others(found, before, "names"), "rows", on)

    def keep_signed(self, bands: tuple[int, int], found: Signed, before: Signed | None) -> None:
        """Keep signed texts likewise."""
        self._write(_with_others(found, before, "hashes"), "texts", *bands)

    def keep_pairs(self, found: Counted, before: Counted | None, texts: Hashes) -> None:
        """Keep pairs, and those of before whose texts are not both among `texts`, likewise."""
        if before is not None:
            others = np.flatnonzero((places_in(before.one, texts) < 0) | (places_in(before.other, texts) < 0))
            if len(others) <= len(found):
                found = _joined(found, _taken(before, others))
        self._write(found, "pairs")

    def _name(self, *what: Any) -> str:
        key = f"{_code()} {self._dataset} {' '.join(map(str, what))}"
        return f"duplicates-{hashlib.sha256(key.encode()).hexdigest()[:16]}"

    def _read(self, kind: type[Any], *what: Any) -> Any:
        frame = read_cache(self._project, self._name(*what))
        if frame is None:
            return None
        return kind(**{field.name: frame[field.name].to_numpy() for field in fields(kind)})

    def _write(self, table: Any, *what: Any) -> None:
        import polars as pl

        frame: pl.DataFrame = pl.DataFrame({field.name: getattr(table, field.name) for field in fields(table)})
        write_cache(self._project, self._name(*what), frame)


@cache
def _code() -> str:
    """Return what stands for all code and tables that the kept values depend on."""
    digest = hashlib.sha256(f"{__version__} {unicodedata.unidata_version}".encode())
    here = Path(__file__)
    for file in (*(Path(str(module.__file__)) for module in DEPENDS_ON), here, here.with_name("signing.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _with_others(found: Any, before: Any, by: str) -> Any:
    if before is None:
        return found
    others = np.flatnonzero(places_in(getattr(before, by), getattr(found, by)) < 0)
    return _joined(found, _taken(before, others)) if len(others) <= len(found) else found


def _taken(table: Any, numbers: Numbers) -> Any:
    return type(table)(**{field.name: getattr(table, field.name)[numbers] for field in fields(table)})


def _joined(one: Any, other: Any) -> Any:
    return type(one)(**{f.name: np.concatenate((getattr(one, f.name), getattr(other, f.name))) for f in fields(one)})
