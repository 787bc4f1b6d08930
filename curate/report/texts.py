"""Rows as a page shows them: field by field, personal data masked, cut to a length, control characters made visible.

What is escaped for HTML is the template's business; here texts are still texts.
"""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.rows import AnyRow, Messages
from sluice.core.wording import visible
from sluice.curate.checks.base import answers
from sluice.curate.drops import ShownRow, said
from sluice.curate.privacy.scan import mask_personal
from sluice.curate.similar.wordwise import word_changes

SHORT = 320
"""Characters of a field in a list of findings: three lines of a page."""
LONG = 1_500
"""Characters of a field where a row is shown as a sample."""
MOST_FIELDS = 12


class ShownField(BaseModel):
    """One field, turn or answer of a row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    text: str
    cut: int = 0
    """Characters that are left out at the end."""
    answer: bool = False
    """Whether it is what is learnt, not the input."""
    marked: tuple[tuple[str, bool], ...] = ()
    """The text in stretches, True where the row that it stands beside says something else."""


class PageRow(BaseModel):
    """A row as a page shows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    fields: tuple[ShownField, ...]
    more: int = 0
    """Fields that are left out."""


def page_row(row: AnyRow, width: int = SHORT) -> PageRow:
    """Return a row for a page, each text cut to `width` characters."""
    if isinstance(row.input, Messages):
        turns = [(turn.role, said(turn.model_dump())) for turn in row.input.turns]
    else:
        turns = _texts(row.input)
    learnt = [(name, text) for name, text in answers(row).items() if text is not None]
    return _page_row(row.row, turns, learnt, width)


def page_shown(row: ShownRow, width: int = SHORT) -> PageRow:
    """Return a row that is known by its record alone for a page."""
    turns: list[tuple[str, str]] = []
    if isinstance(row.input, dict):
        content = cast("dict[str, Any]", row.input)
        if isinstance(content.get("messages"), list):
            turns = [(str(turn.get("role")), said(turn)) for turn in content["messages"]]
        else:
            turns = _texts(content)
    return _page_row(row.row, turns, [] if row.target is None else [("answer", row.target)], width)


def _texts(fields: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, value if isinstance(value, str) else dump_exact(value)) for name, value in fields.items()]


def _page_row(row: str, turns: list[tuple[str, str]], learnt: list[tuple[str, str]], width: int) -> PageRow:
    shown = [shown_field(name, text, width) for name, text in turns[:MOST_FIELDS]]
    shown += [shown_field(name, text, width, answer=True) for name, text in learnt]
    return PageRow(row=row, fields=tuple(shown), more=max(0, len(turns) - MOST_FIELDS))


def beside(row: PageRow, other: PageRow) -> PageRow:
    """Return the other row with the words marked that it does not share with the first; only where most are shared."""
    fields = {field.name: field.text for field in row.fields}
    return other.model_copy(update={"fields": tuple(_marked(fields.get(f.name), f) for f in other.fields)})


def _marked(text: str | None, field: ShownField) -> ShownField:
    if text is None:
        return field
    _, stretches = word_changes(text, field.text)
    shared = sum(len(s.text) for s in stretches if s.same)
    if 2 * shared < len(field.text) or shared == len(field.text):
        return field
    return field.model_copy(update={"marked": tuple((s.text, not s.same) for s in stretches)})


def shown_field(name: str, text: str, width: int = SHORT, *, answer: bool = False) -> ShownField:
    """Return one text for a page. It is masked before it is cut, so that no half of an address is left."""
    masked = mask_personal(text[: 4 * width])  # what lies far behind the cut is not looked at
    kept = masked[:width]
    cut = max(0, len(text) - width) if len(text) > len(kept) and len(masked) > width else 0
    return ShownField(name=shown_text(name, 80), text=shown_text(kept), cut=cut, answer=answer)


def shown_text(text: Any, width: int | None = None) -> str:
    """Return a text that any page can hold: no control characters, no half of a surrogate pair; cut to `width`."""
    whole = visible(str(text)).encode("utf-8", "backslashreplace").decode("utf-8")
    return whole if width is None or len(whole) <= width else f"{whole[: width - 1]}…"
