"""A report as one HTML page that needs nothing else: template, style and plots put together, every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from sluice.core.wording import counted
from sluice.curate.comparing.distributions import Categories, Comparison, Lengths
from sluice.curate.privacy.scan import mask_personal
from sluice.curate.report.bins import histogram
from sluice.curate.report.model import Nearest, Report
from sluice.curate.report.plots import draw_bars, draw_histogram, draw_shares
from sluice.curate.report.texts import shown_text

FOLDER = Path(__file__).parent
MOST_BARS = 10
MOST_LISTED = 40
"""Values of a category that the table beside a plot lists."""
MOST_SHARES = 6
VALUE = 60
"""Characters of a value in a table."""


class Fact(NamedTuple):
    """One of the large numbers under the verdict."""

    name: str
    value: str
    remark: str = ""


class Plot(NamedTuple):
    """A figure: what it shows in words, its drawing, and its numbers in a table."""

    title: str
    caption: str
    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[tuple[str, str], ...] = ()
    """Numbers that stand open under the drawing."""


def audit_page(report: Report) -> str:
    """Return the page of an audit."""
    drift_plots = [
        comparison_plots(drift.comparisons, drift.a, drift.b, f"d{number}")
        for number, drift in enumerate(report.drift, 1)
    ]
    return render(
        "audit.html.j2",
        report=report,
        facts=_facts(report),
        folded=[
            (counted(len(checks), "check", "checks") + said, checks)
            for status, said in (("absent", " could not look"), ("ok", " found nothing"))
            for checks in [[c for c in report.checks if c.status == status and not (status == "ok" and c.measures)]]
        ],
        plots=_plots(report),
        uniform=_uniform(report),
        drift_plots=drift_plots,
    )


def render(template: str, **values: Any) -> str:
    """Return a page of one of this folder's templates."""
    return _environment().get_template(template).render(style=_style(), **values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_any_page_can_hold,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = counted
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment


def _any_page_can_hold(value: Any) -> Any:
    """Return what a template writes: markup as it is, every text without control characters (then it is escaped)."""
    return value if hasattr(value, "__html__") or isinstance(value, jinja2.Undefined) else shown_text(value)


@cache
def _style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")


def _facts(report: Report) -> list[Fact]:
    found = [check for check in report.checks if check.status == "found"]
    fails = sum(check.severity == "fail" for check in found)
    absent = sum(check.status == "absent" for check in report.checks)
    inputs = "each input once" if report.inputs == report.rows else f"{report.inputs:,} different inputs"
    facts = [Fact("Rows", f"{report.rows:,}", inputs)]
    facts.append(Fact("Checks that fail", f"{fails}", f"of {counted(len(report.checks), 'check')}"))
    facts.append(Fact("Worth a look", f"{len(found) - fails}", f"{absent} could not look" if absent else ""))
    for lengths in report.distributions:
        if isinstance(lengths, Lengths) and lengths.name == "input":
            figures = lengths.figures
            facts.append(Fact("Middle input", f"{figures['median']:,}", f"{lengths.unit}, longest {figures['max']:,}"))
    if report.set_aside:
        facts.append(Fact("Lines set aside", f"{report.set_aside:,}", "not to be read exactly"))
    return facts


def _plots(report: Report) -> list[Plot]:
    plots: list[Plot] = []
    for number, measured in enumerate(report.distributions, 1):
        if isinstance(measured, Lengths):
            if len(measured.counts) > 1 or measured.limit is not None:
                plots.append(_lengths(measured, f"p{number}"))
        elif len(measured.counts) > 1:
            plots.append(_categories(measured, f"p{number}"))
    if report.nearest is not None and report.nearest.alone < report.nearest.rows:
        plots.append(_nearest(report.nearest, "n1"))
    return plots


def _uniform(report: Report) -> str:
    """Return in words what is the same in all rows, and so needs no plot."""
    same = [d for d in report.distributions if isinstance(d, Categories) and len(d.counts) == 1]
    parts = [f"{d.what} '{_value(next(iter(d.counts)))}'{f' ({d.note})' if d.note else ''}" for d in same]
    parts += [
        f"{TITLES.get(d.name, d.name).lower()} {counted(next(iter(d.counts)), d.unit[:-1])}"
        for d in report.distributions
        if isinstance(d, Lengths) and len(d.counts) == 1 and d.limit is None
    ]
    said = f"The same in all rows that have one: {'; '.join(parts)}." if parts else ""
    if report.nearest is not None and report.nearest.alone == report.nearest.rows:
        near = report.nearest
        drawn = f"Of {near.rows:,} rows drawn at random from {near.of:,}" if near.rows < near.of else "Of these rows"
        said = f"{said} {drawn} none has another one that is near-equal in input (Jaccard 0.70 or more)."
    return said.strip()


TITLES = {"input": "Length of the input", "answer": "Length of the answer", "rendered": "Length as trained on"}


def _value(value: str) -> str:
    return shown_text(mask_personal(value), VALUE)


def _lengths(lengths: Lengths, name: str) -> Plot:
    figures, found = lengths.figures, histogram(lengths)
    caption = (
        f"In the middle {counted(figures['median'], lengths.unit[:-1])}; 95 of 100 have at most {figures['p95']:,}."
    )
    if found.longer:
        caption += f" {counted(found.longer, 'row')} of {found.end:,} {lengths.unit} or more not drawn."
    if lengths.limit is not None:
        over = sum(rows for length, rows in lengths.counts.items() if length > lengths.limit)
        caption += f" The limit is {lengths.limit:,}: {counted(over, 'row is', 'rows are')} longer."
    named = tuple((word, f"{value:,}") for word, value in figures.items())
    rows = [(f"{b.low:,} to {b.high - 1:,}" if b.high - b.low > 1 else f"{b.low:,}", f"{b.rows:,}") for b in found.bins]
    svg = draw_histogram(name, found, unit=lengths.unit, median=figures["median"], limit=lengths.limit)
    title = TITLES.get(lengths.name, lengths.name)
    return Plot(title, caption, svg, (lengths.unit, "rows"), tuple(rows), named)


def _categories(measured: Categories, name: str) -> Plot:
    listed = list(measured.counts.items())
    drawn = listed if len(listed) <= MOST_BARS else listed[: MOST_BARS - 1]
    rest = sum(count for _, count in listed[len(drawn) :])
    bars = [(_value(value), count) for value, count in drawn]
    if rest:
        bars.append((f"{len(listed) - len(drawn):,} others", rest))
    top, most = listed[0]
    caption = f"{counted(len(listed), 'value')}; '{_value(top)}' in {most / measured.total:.1%}."
    if measured.without:
        caption += f" {counted(measured.without, 'row has', 'rows have')} none."
    if measured.note:
        caption += f" {measured.note[0].upper()}{measured.note[1:]}."
    rows = [(_value(v), f"{n:,}", f"{n / measured.total:.1%}") for v, n in listed[:MOST_LISTED]]
    if len(listed) > MOST_LISTED:
        more = sum(count for _, count in listed[MOST_LISTED:])
        rows.append((f"{len(listed) - MOST_LISTED:,} others", f"{more:,}", f"{more / measured.total:.1%}"))
    title = f"{measured.what[0].upper()}{measured.what[1:]}"
    svg = draw_bars(name, title, bars)
    return Plot(shown_text(title, 80), caption, svg, ("value", "rows", "share"), tuple(rows))


def _nearest(found: Nearest, name: str) -> Plot:
    near = found.rows - found.alone
    drawn = f"{found.rows:,} of {found.of:,} rows, drawn at random" if found.rows < found.of else f"{found.rows:,} rows"
    one, many = "row has", "rows have"
    caption = f"Among {drawn}: {counted(near, one, many)} another one that is near-equal in input (0.70 or more)."
    rows = [*((label, f"{count:,}") for label, count in found.bins), ("none so near", f"{found.alone:,}")]
    svg = draw_bars(name, "Similarity to the nearest other row", found.bins)
    return Plot("Similarity to the nearest other row", caption, svg, ("Jaccard", "rows"), tuple(rows))


def comparison_plots(found: Sequence[Comparison], a: str, b: str, name: str) -> list[Plot]:
    """Return a plot of each distribution of categories that differs: the values that moved the most."""
    plots: list[Plot] = []
    for number, line in enumerate(found, 1):
        if line.word != "differs" or len(line.shares) < 2:
            continue
        shown = [(_value(v), p, q) for v, p, q in line.shares[:MOST_SHARES]]
        title = shown_text(f"{line.what[0].upper()}{line.what[1:]}: from {a} to {b}", 120)
        caption = f"Share of the rows: a ring in {a}, a dot in {b}. What moved the most stands first."
        rows = tuple((_value(v), f"{p:.1%}", f"{q:.1%}", f"{q - p:+.1%}") for v, p, q in line.shares[:MOST_LISTED])
        svg = draw_shares(f"{name}s{number}", title, shown)
        plots.append(Plot(title, caption, svg, ("value", a, b, "change"), rows))
    return plots
