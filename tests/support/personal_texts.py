"""Two labelled sets of texts in tests/data, and precision and recall of the finder on them.

personal-texts.tsv was written together with the patterns. personal-held-out.tsv was written by someone who had not seen
them. A line is a language, a tab, and a text in which each value stands as ⟦kind|value⟧ and a line break as ⏎.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sluice.curate.privacy import KINDS, find_personal

DATA = Path(__file__).resolve().parents[1] / "data"
FILE = DATA / "personal-texts.tsv"
HELD_OUT = DATA / "personal-held-out.tsv"
_LABEL = re.compile(r"⟦([a-z-]+)\|(.*?)⟧")


class Labelled(NamedTuple):
    """One text and the values in it: (kind, start, end)."""

    language: str
    text: str
    values: frozenset[tuple[str, int, int]]


class Score(NamedTuple):
    """What was found of one kind."""

    labelled: int
    right: int
    """Found with just its kind and its span."""
    false: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.labelled if self.labelled else 1.0


def labelled(file: Path = FILE) -> Iterator[Labelled]:
    """Yield the labelled texts."""
    for line in file.read_text(encoding="utf-8").splitlines():
        language, _, marked = line.replace("⏎", "\n").partition("\t")
        text, values, at = "", set[tuple[str, int, int]](), 0
        for m in _LABEL.finditer(marked):
            text += marked[at : m.start()]
            values.add((m[1], len(text), len(text) + len(m[2])))
            text += m[2]
            at = m.end()
        yield Labelled(language, text + marked[at:], frozenset(values))


def scores(file: Path = FILE) -> dict[str, Score]:
    """Return what is found on the labelled texts, by kind in order of KINDS, and over all."""
    wanted: set[tuple[int, str, int, int]] = set()
    found: set[tuple[int, str, int, int]] = set()
    for i, one in enumerate(labelled(file)):
        wanted |= {(i, *value) for value in one.values}
        found |= {(i, hit.kind, hit.start, hit.end) for hit in find_personal(one.text)}

    def score(kind: str | None) -> Score:
        of = {v for v in wanted if kind in (None, v[1])}
        got = {v for v in found if kind in (None, v[1])}
        return Score(len(of), len(of & got), len(got - of))

    return {kind.name: score(kind.name) for kind in KINDS} | {"all": score(None)}


def table() -> str:
    """Return the table of docs/personal-data.md."""
    lines = ["| kind | values | precision | recall | proof |", "|---|---|---|---|---|"]
    source = {kind.name: kind.source for kind in KINDS} | {"all": ""}
    for name, s in scores().items():
        lines.append(f"| {name} | {s.labelled} | {s.precision:.3f} | {s.recall:.3f} | {source[name]} |")
    return "\n".join(lines)


FIRST_HELD_OUT = {
    "secret": (1.0, 1.0), "iban": (1.0, 1.0), "card": (1.0, 1.0), "email": (0.941, 1.0), "fr-nir": (1.0, 1.0),
    "es-dni": (1.0, 1.0), "uk-nino": (1.0, 1.0), "us-ssn": (0.667, 1.0), "de-steuer-id": (1.0, 1.0), "ip": (0.636, 1.0),
    "phone": (0.968, 0.833), "all": (0.930, 0.939),
}  # fmt: skip
"""Precision and recall on the held-out texts before anything was mended for them."""


def held_out_table() -> str:
    """Return the table of the held-out texts for docs/personal-data.md."""
    lines = ["| kind | values | precision | recall | mended: precision | recall |", "|---|---|---|---|---|---|"]
    for name, s in scores(HELD_OUT).items():
        if s.labelled:
            before = FIRST_HELD_OUT[name]
            lines.append(
                f"| {name} | {s.labelled} | {before[0]:.3f} | {before[1]:.3f} | {s.precision:.3f} | {s.recall:.3f} |"
            )
    return "\n".join(lines)
