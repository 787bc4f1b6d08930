"""Put a report together: from an audit and what it looked at, to one record that a page draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice import __version__
from sluice.core.errors import SluiceError
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.core.wording import counted
from sluice.curate.audit_dataset import Audit, Seen
from sluice.curate.checks import CheckContext, CheckResult, Finding
from sluice.curate.comparing.distributions import Categories, Lengths, compare, compare_rows
from sluice.curate.comparing.measure import Distribution, TextTokens, guess_languages, label_paths, measure
from sluice.curate.dataset import PARTS, Version, has_dataset, open_dataset, read_name
from sluice.curate.metadata import metadata_by_row, metadata_of
from sluice.curate.next_steps import NextStep
from sluice.curate.privacy.scan import mask_personal
from sluice.curate.report.history import history
from sluice.curate.report.model import Drift, FoundRow, Report, ReportedCheck, Step
from sluice.curate.report.nearest import nearest
from sluice.curate.report.texts import LONG, beside, page_row, shown_field, shown_text
from sluice.curate.sample import draw_order

FIRST_ROWS = 20
"""Rows of a check that a page shows."""
RELATED = 2
"""Rows beside a finding: what it repeats or contradicts."""
ROOM = 500_000
"""Characters of rows beside findings; from there on checks show ids and reasons only: a page stays under 2 MB."""
MOST_NAMED = 6
"""Checks that the sentence under the verdict names."""
SAMPLES = 8
FIRST_SET_ASIDE = 50
RAW = 300
"""Characters of a line that was set aside."""


def build_report(
    audit: Audit,
    seen: Seen,
    *,
    steps: Sequence[NextStep] = (),
    text_tokens: TextTokens | None = None,
    progress: Progress | None = None,
) -> Report:
    """Return the report of an audit.

    Args:
        audit: what the checks said.
        seen: what they looked at.
        steps: the commands that come next.
        text_tokens: tokens of plain texts; without it lengths are in words.
        progress: called with (what, done, total).
    """
    context = seen.context
    findings = [finding for check in audit.report.checks for finding in check.rows[:FIRST_ROWS]]
    by_hash = _rows_named(context, findings)
    measured = _measured(audit, seen, text_tokens)
    return Report(
        of=shown_text(audit.of, 200),
        dataset=audit.dataset,
        version=seen.version.hash if seen.version else None,
        worst=audit.worst,
        verdict=verdict(audit),
        reason=reason(audit),
        rows=audit.report.rows,
        inputs=int(audit.report.figures.get("inputs", 0)),
        looked_at=audit.looked_at,
        next=tuple(Step(command=shown_text(s.command), remark=s.remark) for s in steps),
        checks=tuple(_checks(_in_order(audit.report.checks), by_hash, audit.dataset)),
        distributions=measured,
        nearest=nearest(context.rows, progress),
        drift=_drift(seen.version, measured, text_tokens) if seen.version else (),
        samples=tuple(page_row(row, LONG) for row in _drawn(context.rows)),
        history=history(seen.version) if seen.version else (),
        files=seen.files,
        set_aside=audit.set_aside,
        first_set_aside=tuple(
            line.model_copy(update={"raw": shown_field("line", line.raw, RAW).text, "reason": shown_text(line.reason)})
            for line in seen.set_aside[:FIRST_SET_ASIDE]
        ),
        tool=f"sluice {__version__}",
    )


def verdict(audit: Audit) -> str:
    """Return the answer in one sentence: may these rows be used, and how much stands in the way."""
    checks, total = audit.report.checks, audit.report.rows
    if not total:
        return "There are no rows."
    if audit.worst == "ok":
        return "Nothing was found in these rows."
    if audit.worst == "warn":
        warning = sum(check.status == "found" for check in checks)
        return f"Nothing stands in the way; {counted(warning, 'thing is', 'things are')} worth a look."
    rows = {f.row for check in checks if check.fails for f in check.rows if f.row is not None}
    if rows:
        one, many = "row needs", "rows need"
        return f"Not ready: {len(rows):,} of {counted(total, one, many)} mending or dropping."
    failing = sum(check.fails for check in checks)
    if failing:
        return f"Not ready: {counted(failing, 'check fails', 'checks fail')}."
    return f"Not ready: {counted(audit.set_aside, 'line', 'lines')} could not be read exactly."


def reason(audit: Audit) -> str:
    """Return what the verdict stands on: which checks, lines that could not be read, checks that could not look."""
    checks = audit.report.checks
    sides = [
        (" fails", " fail", [check.name for check in checks if check.fails]),
        (" warns", " warn", [check.name for check in checks if check.status == "found" and not check.fails]),
        (" could not look", " could not look", [check.name for check in checks if check.status == "absent"]),
    ]
    parts = [
        counted(len(names), f"check{one}", f"checks{many}")
        + (f": {', '.join(names)}." if len(names) <= MOST_NAMED else ".")
        for one, many, names in sides
        if names
    ]
    if audit.set_aside:
        one, many = "line was set aside because it", "lines were set aside because they"
        parts.insert(1, f"{counted(audit.set_aside, one, many)} cannot be read exactly.")
    looked = sum(check.status != "absent" for check in checks)
    return " ".join(parts) or f"{counted(looked, 'check')} looked at {counted(audit.report.rows, 'row')}."


def _in_order(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """Return what fails first, then what warns, what is absent, what is in order."""
    rank = {"found": 1, "absent": 2, "ok": 3}
    return sorted(checks, key=lambda check: 0 if check.fails else rank[check.status])


def _checks(checks: Sequence[CheckResult], by_hash: Mapping[str, AnyRow], dataset: str | None) -> list[ReportedCheck]:
    """Return the checks with their rows; rows show their texts as long as the page has room for them."""
    room = ROOM
    found: list[ReportedCheck] = []
    for check in checks:
        reported = _check(check, by_hash if room > 0 else {}, dataset)
        rows = [row for finding in reported.rows for row in (finding.shown, *finding.related) if row is not None]
        room -= sum(len(field.text) for row in rows for field in row.fields)
        found.append(reported)
    return found


def _check(check: CheckResult, by_hash: Mapping[str, AnyRow], dataset: str | None) -> ReportedCheck:
    return ReportedCheck(
        name=check.name,
        severity=check.severity,
        status=check.status,
        what=check.what,
        summary=shown_text(mask_personal(", ".join(check.missing) if check.status == "absent" else check.summary)),
        threshold=check.threshold,
        source=check.source,
        remedy=check.remedy.format(dataset=dataset or "NAME") if check.remedy else None,
        count=check.count,
        rows=tuple(_found(finding, by_hash) for finding in check.rows[:FIRST_ROWS]),
        figures=check.figures,
        measures=check.measures,
    )


def _found(finding: Finding, by_hash: Mapping[str, AnyRow]) -> FoundRow:
    row = by_hash.get(finding.row) if finding.row else None
    shown = page_row(row) if row is not None else None
    related = (page_row(by_hash[r]) for r in finding.related[:RELATED] if r in by_hash)
    return FoundRow(
        row=finding.row,
        detail=shown_text(mask_personal(finding.detail), 400),
        shown=shown,
        related=tuple(other if shown is None else beside(shown, other) for other in related),
    )


def _rows_named(context: CheckContext, findings: Sequence[Finding]) -> dict[str, AnyRow]:
    wanted = {f.row for f in findings} | {r for f in findings for r in f.related[:RELATED]}
    every = (context.rows, context.dev_rows or (), context.eval_rows or ())
    return {row.row: row for rows in every for row in rows if row.row in wanted}


def _drawn(rows: Sequence[AnyRow]) -> list[AnyRow]:
    unique = {row.row: row for row in rows}
    return [unique[name] for name in sorted(unique, key=lambda name: draw_order(0, name))[:SAMPLES]]


def _measured(audit: Audit, seen: Seen, text_tokens: TextTokens | None) -> tuple[Distribution, ...]:
    context = seen.context
    sources = _sources(seen.version) if seen.version else seen.sources
    found = list(
        measure(
            context.rows,
            labelled=label_paths(context.rows, context.stratify),
            metadata=context.metadata,
            groups=context.groups,
            sources=sources,
            languages=_languages(audit),
            text_tokens=text_tokens,
        )
    )
    if (rendered := _rendered(context)) is not None:
        found.insert(1, rendered)
    return tuple(found)


def _languages(audit: Audit) -> Mapping[str, int] | None:
    """Return the languages that a check counted over all rows, where one did."""
    for check in audit.report.checks:
        known: Any = check.figures.get("languages")
        if isinstance(known, dict) and known and all(isinstance(n, int) for n in known.values()):
            return {str(language): int(n) for language, n in known.items()}
    return None


def _rendered(context: CheckContext) -> Lengths | None:
    """Return how long the rows are as they are trained on; what cannot be rendered is not counted."""
    if context.count_tokens is None:
        return None
    counts: list[int] = []
    for row in context.rows:  # remembered by the audit, which has asked for each of them
        try:
            counts.append(context.count_tokens(row))
        except SluiceError:
            continue
    return Lengths.of("rendered", "tokens", counts, context.max_tokens) if counts else None


def _sources(version: Version) -> dict[str, str]:
    return {row: str(seen[0]["file"]) for row, seen in metadata_by_row(version).items()}


def _drift(version: Version, mine: Sequence[Distribution], text_tokens: TextTokens | None) -> tuple[Drift, ...]:
    """Hold a version against the one before it, and a part against its sister parts."""
    others: list[Version] = []
    if version.number > 1:
        others.append(Version(version.project, read_name(version.project, version.dataset, version.number - 1)))
    base, _, part = version.dataset.partition("/")
    for other in PARTS if part else ():
        if other != part and has_dataset(version.project, f"{base}/{other}"):
            others.append(open_dataset(version.project, f"{base}/{other}"))
    comparable = [d for d in mine if d.name not in ("rendered", "languages")]  # languages: guessed alike on both sides
    if others and (guessed := guess_languages(version.rows())) is not None:
        comparable.append(guessed)
    return tuple(_held_against(other, version, comparable, text_tokens) for other in others if other.is_here)


def _held_against(
    other: Version, version: Version, mine: Sequence[Distribution], text_tokens: TextTokens | None
) -> Drift:
    theirs = measure(
        other.rows(),
        labelled=[
            d.what[len("label (") : -1] for d in mine if isinstance(d, Categories) and d.name.startswith("labels")
        ],
        metadata=metadata_of(other),
        groups=other.groups(),
        sources=_sources(other),
        text_tokens=text_tokens,
    )
    found = compare(theirs, mine)
    if other.dataset == version.dataset:  # parts have other sizes by design
        found = (compare_rows(other.manifest.rows, version.manifest.rows), *found)
    return Drift(a=other.ref, b=version.ref, comparisons=found)
