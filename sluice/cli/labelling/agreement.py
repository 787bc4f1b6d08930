"""How far people agree on a question, drawn: one sentence, and on request every table behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.cli.terminal import Terminal
    from sluice.curate.labels.agreement import Agreement, Measure
    from sluice.curate.labels.overview import Asked

MOST = 12
"""Lines of a table; the rest is in --json."""
WIDEST = 6
"""Values up to which a confusion table fits into 80 columns."""


def draw_agreement(out: Terminal, asked: Asked, *, whole: bool) -> None:
    """Draw the agreement on a question: the measure to read, and where it is asked for all tables."""
    found = asked.agreement
    if found.headline.value is None:
        out.say(f"  agreement: not measured, {found.headline.absent}", "dim")
    else:
        out.spans([("  agreement: ", None), (_sentence(found.headline), "bold")])
        if whole:
            out.say(f"  read that one, since {found.why}", "dim")
    if whole and found.paired:
        _measures(out, found)
        _labels(out, found)
        _people(out, found)
        _slices(out, found)
        _confused(out, found)
    if whole:
        _pace_and_gold(out, asked)


def bounded(measure: Measure) -> str:
    """Return a measure with its interval, for a cell: `0.81 [0.76, 0.86]`; `-` where it is absent."""
    if measure.value is None:
        return "-"
    if measure.low is None:
        return f"{measure.value:.2f}"
    return f"{measure.value:.2f} [{measure.low:.2f}, {measure.high:.2f}]"


def _sentence(measure: Measure) -> str:
    return f"{measure.title} {bounded(measure)}, {counted(measure.items, 'row')} of two people or more"


def _measures(out: Terminal, found: Agreement) -> None:
    out.say()
    rows = [(m.title, bounded(m), m.items) for m in found.measures if m.value is not None]
    out.table(("measure", "95% interval", "rows"), rows)
    for measure in found.measures:
        if measure.value is None:
            out.say(f"  no {measure.title}: {measure.absent}", "dim")


def _labels(out: Terminal, found: Agreement) -> None:
    if len(found.labels) < 2 or len(found.labels) == found.judgements:
        return
    out.say()
    out.say("By label, the least agreed first: where one gives it, does another?")
    rows = [(one.label, one.given, bounded(one.specific), bounded(one.ac1)) for one in found.labels[:MOST]]
    out.table(("label", "given", "another, too", "AC1"), rows)
    _more(out, len(found.labels))


def _people(out: Terminal, found: Agreement) -> None:
    out.say()
    out.say("By person, the least agreeing first")
    rows = [
        (one.annotator, bounded(one.agreement), bounded(one.kappa), bounded(one.alpha_without)) for one in found.people
    ]
    out.table(("by", "with the others", "kappa", "alpha without"), rows[:MOST])
    _more(out, len(rows))
    if len(found.annotators) > 2:
        out.say()
        pairs = [(f"{p.first}, {p.second}", p.raw.items, bounded(p.raw), bounded(p.cohen)) for p in found.pairs]
        out.table(("pair", "rows", "raw", "Cohen's kappa"), pairs[:MOST])
        _more(out, len(pairs))


def _slices(out: Terminal, found: Agreement) -> None:
    if not found.slices:
        return
    out.say()
    named = [(one, next(m for m in one.measures if m.name == one.read)) for one in found.slices]
    rows = [(one.slice, one.items, measure.title, bounded(measure)) for one, measure in named]
    out.table(("slice", "rows", "measure", "95% interval"), rows[:MOST])
    _more(out, len(rows))


def _confused(out: Terminal, found: Agreement) -> None:
    if not found.confused:
        return
    out.say()
    rows = [(_value(c.one), _value(c.other), c.items, f"{c.share:.0%}") for c in found.confused[:MOST]]
    out.table(("one says", "another says", "rows", "of all disagreement"), rows)
    _more(out, len(found.confused))
    for table in found.confusions[:1]:
        if len(table.values) <= WIDEST:
            out.say()
            out.say(f"What {table.second} says (across) where {table.first} says (down)")
            names = [_value(value, 9) for value in table.values]
            out.table(("", *names), [(name, *row) for name, row in zip(names, table.counts, strict=True)])


def _pace_and_gold(out: Terminal, asked: Asked) -> None:
    if asked.pace:
        out.say()
        rows = [
            (p.annotator or "all", p.decisions, f"{p.median:.1f}", f"{p.ninth:.1f}", round(p.an_hour))
            for p in asked.pace
        ]
        out.table(("pace", "decisions", "seconds", "9 of 10 under", "an hour"), rows)
    if asked.gold:
        out.say()
        for one in asked.gold:
            out.say(f"  gold: {one.sentence}")


def _more(out: Terminal, of: int) -> None:
    if of > MOST:
        out.say(f"  and {of - MOST:,} more, with --json", "dim")


def _value(value: object, width: int = 30) -> str:
    text = " + ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    folded = " ".join(text.split())
    return folded if len(folded) <= width else f"{folded[: width - 3]}..."
