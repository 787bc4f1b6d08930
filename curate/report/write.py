"""Write a report to the file that was asked for: `.html` the page, `.json` the record behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sluice.core.canonical import dump_exact
from sluice.core.errors import BadPath, UsageError
from sluice.core.files import atomic_write
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.curate.audit_dataset import Audit, Seen
from sluice.curate.comparing.diff import Diff
from sluice.curate.comparing.measure import TextTokens
from sluice.curate.next_steps import NextStep

ENDINGS = (".html", ".htm", ".json")


def out_file(name: str | Path, read: Sequence[str] = (), project: Project | None = None) -> Path:
    """Return the file that a report goes to, looked at before the work begins.

    Args:
        name: as it was typed.
        read: the files or datasets that are read: none of them, and no file of their rows, is written over.
        project: of the datasets.

    Raises UsageError for another ending or a file that is read, InputError for a file that rows of a dataset were read
    from, BadPath where there is no such folder or the name is that of one.
    """
    from sluice.curate.dataset import has_dataset, open_dataset
    from sluice.curate.export import refuse_source

    path = Path(name)
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"a report is a page or JSON, and '{path.name}' is neither",
            where="--out",
            remedy=f"--out {path.with_suffix('.html') if path.stem else 'report.html'}",
        )
    if path.is_dir():
        raise BadPath("this is a folder", where=str(path), remedy=f"--out {path / 'report.html'}")
    if path.exists() and any(Path(word).exists() and path.samefile(word) for word in read):
        raise UsageError("this file is read: the report would take its place", where=str(path), remedy="--out FILE")
    if project is not None:
        for word in read:
            if has_dataset(project, word.partition("@")[0].partition(":")[0]):
                refuse_source(project, open_dataset(project, word), path)
    if not path.parent.is_dir():
        raise BadPath("no such folder", where=str(path.parent), remedy="make it first, or name a file in another one")
    return path


def write_audit(
    path: Path,
    audit: Audit,
    seen: Seen,
    *,
    steps: Sequence[NextStep] = (),
    text_tokens: TextTokens | None = None,
    progress: Progress | None = None,
) -> int:
    """Write the report of an audit and return its size in bytes. Arguments as for `build_report`."""
    from sluice.curate.report.build import build_report

    report = build_report(audit, seen, steps=steps, text_tokens=text_tokens, progress=progress)
    if path.suffix.lower() == ".json":
        body = dump_exact(report.model_dump(mode="json", by_alias=True)) + "\n"
    else:
        from sluice.curate.report.page import audit_page

        body = audit_page(report)
    return _write(path, body)


def write_diff(path: Path, found: Diff) -> int:
    """Write a comparison and return its size in bytes."""
    if path.suffix.lower() == ".json":
        return _write(path, dump_exact(found.model_dump(mode="json")) + "\n")
    from sluice.curate.report.diff_page import diff_page

    return _write(path, diff_page(found))


def _write(path: Path, body: str) -> int:
    data = body.encode("utf-8", "backslashreplace")  # half a surrogate pair becomes its escape in JSON
    atomic_write(path, data)
    return len(data)
