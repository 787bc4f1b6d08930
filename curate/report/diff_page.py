"""A comparison of two sets of rows as one HTML page, in the style of an audit's."""

from __future__ import annotations

from typing import NamedTuple

from sluice import __version__
from sluice.core.wording import counted
from sluice.curate.comparing.diff import Diff
from sluice.curate.comparing.rows import Tie
from sluice.curate.report.page import comparison_plots, render
from sluice.curate.report.texts import PageRow, beside, page_shown, shown_text

TIES: dict[Tie, str] = {"change": "changed", "key": "the same key", "input": "the same input, another answer"}


class Item(NamedTuple):
    """One row that differs, and what stands beside it."""

    id: str
    remark: str
    row: PageRow
    beside: PageRow | None = None
    beside_remark: str = ""


class Part(NamedTuple):
    """The rows of one sort."""

    name: str
    title: str
    total: int
    rows: tuple[Item, ...]
    reasons: tuple[tuple[int, str], ...] = ()


def diff_page(found: Diff) -> str:
    """Return the page of a comparison."""
    parts = [part for part in (_changed(found), _removed(found), _added(found), _moved(found)) if part.total]
    facts = [
        ("Rows before", found.rows_a),
        ("Rows after", found.rows_b),
        ("The same", found.same),
        *((part.name.capitalize(), part.total) for part in parts),
    ]
    return render(
        "diff.html.j2",
        diff=found,
        verdict=_verdict(found),
        reason=_reason(found),
        facts=facts,
        plots=comparison_plots(found.distributions, found.a, found.b, "d"),
        parts=parts,
        tool=f"sluice {__version__}",
    )


def _verdict(found: Diff) -> str:
    if not found.any_rows:
        return "No row differs."
    differ = found.changed + found.removed + found.added + found.moved
    if not found.drifted:
        return f"{counted(differ, 'row differs', 'rows differ')}; the rows as a whole look the same."
    names = ", ".join(line.what for line in found.drifted)
    return f"{counted(differ, 'row differs', 'rows differ')}, and with them: {names}."


def _reason(found: Diff) -> str:
    text = f"{counted(found.rows_a, 'row')}, then {found.rows_b:,}; {found.same:,} in both."
    if found.set_aside:
        text += f" {counted(found.set_aside, 'line')} of the files set aside, not to be read exactly."
    return text


def _changed(found: Diff) -> Part:
    items: list[Item] = []
    for change in found.first_changed:
        old, new = page_shown(change.old), page_shown(change.new)
        remark = f"{TIES[change.tie]} by {change.verb}" if change.verb else TIES[change.tie]
        items.append(Item(old.row[:10], remark, beside(new, old), beside(old, new), "now"))
    return Part("changed", "Rows that changed", found.changed, tuple(items))


def _removed(found: Diff) -> Part:
    items: list[Item] = []
    for gone in found.first_removed:
        row = page_shown(gone.row)
        kept = page_shown(gone.kept) if gone.kept is not None and gone.kept.input is not None else None
        said = [gone.reason or "", gone.detail or "", f"by {gone.verb}" if gone.verb else ""]
        remark = shown_text(", ".join(text for text in said if text), 300)
        stays = beside(row, kept) if kept else None
        items.append(Item(row.row[:10], remark, row, stays, "in its place"))
    reasons = tuple((count, shown_text(reason, 120)) for reason, count in found.reasons.items())
    return Part("removed", "Rows that were removed", found.removed, tuple(items), reasons)


def _added(found: Diff) -> Part:
    items = [Item(a.row.row[:10], shown_text(a.place or "", 200), page_shown(a.row)) for a in found.first_added]
    return Part("added", "Rows that were added", found.added, tuple(items))


def _moved(found: Diff) -> Part:
    items = [Item(m.row.row[:10], f"from {m.before} to {m.after}", page_shown(m.row)) for m in found.first_moved]
    return Part("moved", "Rows that moved to another part", found.moved, tuple(items))
