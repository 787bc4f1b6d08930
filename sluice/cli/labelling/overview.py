"""What people said of a dataset's rows, drawn: each question with who said how much, and rows with who said what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sluice.cli.labelling.agreement import draw_agreement
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.cli.terminal import Terminal
    from sluice.curate.labels.overview import Asked, Labelled


def draw_question(out: Terminal, asked: Asked, *, whole: bool) -> None:
    """Draw one question: how far it has come, who said how much, how far they agree."""
    field = "" if asked.field == "target" else f" {asked.field}"
    of = f"  {asked.decided:,} of {counted(asked.rows, 'row')}, question {asked.question[:8]}"
    out.spans([(f"{asked.mode}{field}", "bold"), (of, None)])
    if asked.counts:
        out.say("  " + ", ".join(f"{label} {n:,}" for label, n in list(asked.counts.items())[:12]))
    if asked.open:
        out.say(f"  {counted(asked.open, 'row')} that people disagree on", "warn")
    if asked.cannot_tell:
        out.say(f"  {counted(asked.cannot_tell, 'row')} of which nobody can tell")
    if asked.elsewhere:
        out.say(f"  {counted(asked.elsewhere, 'label')} of rows that are not in this version", "dim")
    for caution in asked.cautions:
        out.say(f"  {caution}", "dim")
    judged = any(p.accuracy is not None for p in asked.people)
    columns = ("by", "decided", "adjudicated", "cannot tell", "minutes", *(("right by the model",) if judged else ()))
    out.table(
        columns,
        [
            (
                p.by,
                p.decided,
                p.adjudicated,
                p.cannot_tell,
                f"{p.minutes:,.1f}",
                *((_share(p.accuracy),) if judged else ()),
            )
            for p in asked.people
        ],
    )
    draw_agreement(out, asked, whole=whole)


def draw_rows(out: Terminal, rows: Sequence[Labelled]) -> None:
    """Draw what was said row by row; of an open one who said what."""
    if not rows:
        return
    out.say()
    if all(r.how == "open" for r in rows[:20]):
        out.table(("row", "who says what", "text"), [(r.row[:10], _who(r, 44), r.text[:22]) for r in rows[:20]])
    else:
        cells = [(r.row[:10], shown(r.value), _how(r), r.text[:24]) for r in rows[:20]]
        out.table(("row", "label", "how", "text"), cells)
    if len(rows) > 20:
        out.say(f"  and {len(rows) - 20:,} more; all of them with --json", "dim")


def shown(value: object) -> str:
    """Return an answer on one line of a table."""
    if value is None:
        return "-"
    text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return " ".join(text.split())


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _how(row: Labelled) -> str:
    """Return how a label came about; of an open one who says what."""
    if row.how == "open":
        return _who(row, 32)
    return row.how if row.probability is None else f"{row.how} {row.probability:.2f}"


def _who(row: Labelled, width: int) -> str:
    """Return who says what of a row, the most frequent first; where that is too long, how many do."""
    said: dict[str, list[str]] = {}
    for who, value in row.said.items():
        said.setdefault(shown(value), []).append(who)
    ranked = sorted(said.items(), key=lambda one: -len(one[1]))
    named = ", ".join(f"{value}: {'+'.join(who)}" for value, who in ranked)
    counts = ", ".join(f"{value} {len(who)}" for value, who in ranked)
    told = named if len(named) <= width else counts
    return told if len(told) <= width else f"{told[: width - 3]}..."
