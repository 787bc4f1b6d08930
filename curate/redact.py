"""`redact`: replace personal data by pseudonyms, so that one person stays one person across rows, files and datasets.

A row that changes is a new row with an edge to the old one, which leaves with the reason "redacted"; columns beside a
row are replaced too, and what was said of it before no longer counts (`metadata_by_row`). Older versions still hold
the originals: only `forget` takes them away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact, parse_exact
from sluice.core.errors import InputError
from sluice.core.evalset import SetManifest, set_folders
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import AnyRow, from_record, to_record
from sluice.curate.adding.absent import bring_back, refuse_absent
from sluice.curate.adding.add import parts_of
from sluice.curate.changed_rows import content, edges_frame, hold, places_frame
from sluice.curate.dataset import Version, open_dataset, open_newest
from sluice.curate.drops import Drop, drop_rows
from sluice.curate.metadata import metadata_by_row
from sluice.curate.operation import OCCURRENCES, Outcome, commit
from sluice.curate.privacy.contact import known_regions
from sluice.curate.privacy.kept_apart import refuse_parted_groups, renamed_values
from sluice.curate.privacy.kind import REDACTED, Regions
from sluice.curate.privacy.names import ABSENT, load_names
from sluice.curate.privacy.scan import NAME, Names, chosen_kinds, find_personal, normal_value
from sluice.curate.privacy.sealed import Pseudonyms, read_pseudonyms, write_pseudonyms
from sluice.curate.privacy.walk import walk_metadata, walk_row, walk_value

if TYPE_CHECKING:
    import polars as pl

ROUNDS = 4  # replacing one value may bare another behind it; a text is looked at again until nothing is found
FIRST = 5
EVERY = 500  # rows between two words of progress
_PSEUDONYM = re.compile(r"\[[A-Z]+(?:_[A-Z]+)*_\d+\]")


class RedactedRow(BaseModel):
    """A row that was changed, for people to look at: nothing of what was replaced is shown whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old: str
    new: str
    detail: str
    """`email j***@e***.com in body`."""


class RedactResult(BaseModel):
    """What `redact` did, or would do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    changed: bool
    rows: int
    redacted: int
    """Rows that became other rows."""
    beside: int
    """Rows that stay as they are, with other columns or groups beside them."""
    merged: int
    """Rows that became equal to another one."""
    replaced: dict[str, int]
    """Places that were replaced, by kind."""
    values: dict[str, int]
    """Different values among them, by kind: at most so many people."""
    places: dict[str, int]
    """Places that were replaced, by field or column."""
    mapping: str
    """`keep` or `discard`."""
    names: str
    """How names of people were looked for, or that they were not."""
    originals: tuple[str, ...]
    """Older versions that still hold the originals."""
    frozen: tuple[str, ...]
    """Frozen sets that still hold the originals."""
    first: tuple[RedactedRow, ...]
    parts: tuple[str, ...]
    brought_back: tuple[str, ...] = ()
    """Versions whose content was gone from this copy and is here again, by redacting as before."""
    dry_run: bool = False


class _Redactor:
    """Replaces texts, and counts what it replaced."""

    def __init__(self, mapping: Pseudonyms, kinds: Any, regions: Regions, names: Names | None):
        self.mapping = mapping
        self.kinds, self.regions, self.names = kinds, regions, names
        self.replaced: Counter[str] = Counter()
        self.places: Counter[str] = Counter()
        self.values: dict[str, set[str]] = {}
        self.told: list[str] = []

    def see(self, place: str, context: str, text: str) -> str | None:
        found = text
        for _ in range(ROUNDS):
            after = self._once(place, context, found)
            if after == found:
                break
            found = after
        return None if found == text else found

    def _once(self, place: str, context: str, text: str) -> str:
        whole = context + text
        own = [m.span() for m in _PSEUDONYM.finditer(whole)]
        parts: list[str] = []
        at = len(context)
        for hit in find_personal(whole, self.regions, kinds=self.kinds, names=self.names):
            if hit.start < at or any(a < hit.end and hit.start < b for a, b in own):
                continue
            value = normal_value(hit.kind, whole[hit.start : hit.end], whole, self.regions)
            parts += [whole[at : hit.start], self.mapping.of(hit.kind, value)]
            at = hit.end
            self.replaced[hit.kind] += 1
            self.places[place] += 1
            self.values.setdefault(hit.kind, set()).add(value)
            self.told.append(f"{hit.kind} {hit.masked} in {place}")
        return "".join([*parts, whole[at:]])


def redact(
    project: Project,
    dataset: str,
    *,
    kinds: Sequence[str] | None = None,
    keep_mapping: bool = True,
    regions: Sequence[str] | None = None,
    names: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> RedactResult:
    """Replace personal data in the rows of a dataset and beside them, and make its next version where there was any.

    Args:
        project: of the dataset.
        dataset: its name; the newest version is read.
        kinds: names of kinds; None: all.
        keep_mapping: keep which value has which pseudonym, so that a later `redact` gives it the same; else the values
            are known to nobody afterwards, and a later run gives the same person a new number.
        regions: countries (`DE`, `US`) whose national phone numbers are read; None: those of each text's language.
        names: what finds names of people: `spacy:MODEL` or `FILE.py:FUNCTION`; None: they are not looked for.
        dry_run: only say what would be replaced.
        progress: called with (what, done, total).

    Raises InputError for an unknown kind or finder of names, and where a group of eval or dev rows would be parted.
    """
    chosen = chosen_kinds(kinds)
    finder = load_names(project.root, names) if names else None
    if kinds is not None and NAME in kinds and finder is None:
        raise InputError("names of people need a finder", where="--kinds", remedy="add --names spacy:MODEL")
    read = known_regions(regions)
    seen: dict[str, Any] = {}
    back = () if dry_run else bring_back(project, dataset, draw=_again, drawn="redact")
    if not dry_run:
        refuse_absent(open_dataset(project, dataset), back, "redacting as before does")

    def build() -> Outcome | None:
        version = open_newest(project, dataset)
        worker = _Redactor(read_pseudonyms(project), chosen, read, finder)
        outcome = _outcome(version, worker, seen, progress)
        seen["worker"] = worker
        if outcome is None:
            return None
        refuse_parted_groups(version, seen["renamed"])
        outcome = outcome.model_copy(
            update={
                "parameters": {
                    "kinds": None if kinds is None else list(kinds),
                    "mapping": "keep" if keep_mapping else "discard",
                    "regions": None if read is None else list(read),
                    "names": names,
                }
            }
        )
        if not dry_run:
            write_pseudonyms(project, worker.mapping, keep=keep_mapping)
        return outcome

    if dry_run:
        changed = False
        build()
    else:
        with project.lock("privacy", what="the mapping of pseudonyms"):
            changed = commit(project, build) is not None
    worker: _Redactor = seen["worker"]
    newest = open_dataset(project, dataset)
    return RedactResult(
        dataset=dataset,
        version=newest.number,
        changed=changed,
        rows=seen["rows"],
        redacted=len(seen["edges"]),
        beside=seen["beside"],
        merged=seen["merged"],
        replaced=dict(sorted(worker.replaced.items())),
        values={kind: len(found) for kind, found in sorted(worker.values.items())},
        places=dict(worker.places.most_common()),
        mapping="keep" if keep_mapping else "discard",
        names=f"names of people: by {names}" if names else ABSENT,
        originals=tuple(f"{dataset}@{n}" for n in range(1, newest.number + (0 if changed else 1)))
        if seen["any"]
        else (),
        frozen=tuple(_sets_with(project, {old for old, _ in seen["edges"]})),
        first=tuple(seen["first"]),
        parts=parts_of(project, dataset),
        brought_back=back,
        dry_run=dry_run,
    )


def _again(version: Version) -> pl.DataFrame | None:
    """Return what the redaction behind a version makes of the one before it; None where that is not here."""
    (before,) = version.operation.parents
    earlier = open_dataset(version.project, f"{before.dataset}@{before.number}")
    if not earlier.is_here:
        return None
    said = version.operation.parameters
    finder = load_names(version.project.root, said["names"]) if said["names"] else None
    kinds, regions = chosen_kinds(said["kinds"]), known_regions(said["regions"])
    outcome = _outcome(earlier, _Redactor(read_pseudonyms(version.project), kinds, regions, finder), {}, None)
    return None if outcome is None else outcome.contents[version.dataset]


def _outcome(version: Version, worker: _Redactor, seen: dict[str, Any], progress: Progress | None) -> Outcome | None:
    """Return what to commit; None where nothing is found."""
    frame = version.frame()
    beside = metadata_by_row(version)
    group = version.project.config.task.group if version.project.has_config else None
    records: dict[str, dict[str, Any]] = {}
    edges: list[tuple[str, str]] = []
    drops: list[Drop] = []
    places: list[dict[str, Any]] = []
    first: list[RedactedRow] = []
    changed_beside = merged = 0
    untouched: dict[str, list[dict[str, Any]]] = {}
    renamed: set[str] = set()
    for i, record in enumerate(frame.iter_rows(named=True)):  # a hit is proven by code, text by text
        if progress and i % EVERY == 0:
            progress("looking for personal data", i, frame.height)
        worker.told = []
        row: AnyRow = from_record(record)
        new = walk_row(row, worker.see)
        groups = [str(walk_value(g, "group", group or "", worker.see)) for g in record["groups"] or []]
        seen_at = [_redacted_place(place, worker) for place in beside.get(row.row, [])]
        renamed |= set(record["groups"] or []) - set(groups)
        for old, (place, changed) in zip(beside.get(row.row, []), seen_at, strict=True):
            renamed |= renamed_values(old["metadata"], place["metadata"]) if changed else set()
        if new is row and groups == (record["groups"] or []) and not any(changed for _, changed in seen_at):
            merged += hold(records, record)
            untouched[row.row] = [place for place, _ in seen_at]
            continue
        if new is row:
            changed_beside += 1
        else:
            edges.append((row.row, new.row))
            drops.append(Drop(row.row, REDACTED, new.row, None, _told(worker.told)))
        places += [place | {"row": new.row} for place, _ in seen_at]
        merged += hold(records, to_record(new, groups))
        if len(first) < FIRST:
            first.append(RedactedRow(old=row.row, new=new.row, detail=_told(worker.told)))
    seen.update(rows=len(records), edges=edges, beside=changed_beside, merged=merged, first=first)
    seen.update(renamed=renamed, any=bool(edges or changed_beside))
    if not seen["any"]:
        return None
    # what is said here of a row stands for all that was said before: of one that others became, that is its own, too
    places += [place | {"row": row} for row in {p["row"]: 0 for p in places} for place in untouched.get(row, [])]
    places = list({dump_exact(place): place for place in places}.values())
    return Outcome(
        verb="redact",
        parameters={},
        parents=(version.parent,),
        contents={version.dataset: content(records)},
        rows_in=frame.height,
        occurrences=places_frame(places),
        dropped=drop_rows(frame, drops)[1] if drops else None,
        edges=edges_frame(edges),
        counts={REDACTED: len(edges), "beside": changed_beside},
        report={"replaced": dict(worker.replaced), "values": {k: len(v) for k, v in worker.values.items()}},
    )


def _redacted_place(place: dict[str, Any], worker: _Redactor) -> tuple[dict[str, Any], bool]:
    metadata = parse_exact(place["metadata"])
    walked = walk_metadata(metadata, worker.see)
    found = {key: place[key] for key in OCCURRENCES} | {"metadata": dump_exact(walked)}
    return found, walked != metadata


def _told(told: list[str]) -> str:
    return ", ".join(told[:FIRST]) + (f" and {len(told) - FIRST} more" if len(told) > FIRST else "")


def _sets_with(project: Project, rows: set[str]) -> list[str]:
    manifests = [
        SetManifest.model_validate_json((folder / "manifest.json").read_bytes())
        for folder in set_folders(project.evals)
    ]
    return [m.name for m in manifests if rows & set(m.rows)]
