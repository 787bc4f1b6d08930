"""`pairs`: build a dataset version of preference pairs, or of judged answers, from all sources that are named.

Pairs follow the parts of the dataset whose inputs they are about: those of train inputs are NAME-pairs/train, those of
dev inputs NAME-pairs/dev, and an eval input, or one that repeats an eval row, is in none. What a version holds is what
its sources say now: built again, it is the next version, or the same one where nothing has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import Refused, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import COLUMNS, AnyRow, Preference, Unpaired, to_record
from sluice.curate.changed_rows import edges_frame, places_frame
from sluice.curate.dataset import check_name, has_dataset, open_dataset, row_schema, version_hash
from sluice.curate.leaks.find import find_leaks
from sluice.curate.operation import Outcome, commit
from sluice.curate.pairs import choices, corrections, feedback, gold, ratings, samples  # noqa: F401  they register
from sluice.curate.pairs.audit import PairAudit, audit_pairs
from sluice.curate.pairs.candidate import Candidate, Gathered, Judged
from sluice.curate.pairs.material import NO_PART, Material
from sluice.curate.pairs.rules import BOTH_WAYS, EMPTY, Rules, Taken, refuse_none, take
from sluice.curate.pairs.source import Asked, read_source

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["preference", "unpaired"]
KINDS: tuple[str, ...] = ("preference", "unpaired")
OF_EVAL = "about an eval input"
REPEATS = "repeats an eval row"


class PairsResult(BaseModel):
    """What `pairs` built, or would build."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    version: int
    """Of the whole; 0 where there is none yet."""
    changed: bool
    of: str
    """The dataset whose inputs they are about."""
    kind: Kind
    rows: int
    inputs: int
    by_part: dict[str, int]
    """Rows by dataset; the whole alone where the dataset has no parts."""
    sources: dict[str, int]
    """What each source said, before any rule."""
    aside: dict[str, int]
    """What became no row, by reason: ties among it."""
    rules: Rules
    audit: PairAudit | None
    """None for judged answers."""
    dry_run: bool = False


Placed = tuple[AnyRow, Sequence[Candidate | Judged]]
"""A row, and all that say the same thing."""


def build_pairs(
    project: Project,
    name: str,
    sources: Sequence[str],
    *,
    to: str | None = None,
    kind: str = "preference",
    rules: Rules | None = None,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> PairsResult:
    """Build pairs of a dataset's inputs.

    Args:
        project: of the dataset.
        name: the dataset.
        sources: as `--from` names them: `choices`, `ratings`, `corrections`, `samples:RUN`, `gold:RUN`,
            `feedback:FILE`. Where two say something of one input, the first of them goes first.
        to: name of the dataset of pairs, by default NAME-pairs.
        kind: `preference`, or `unpaired`: each answer by itself, good or bad (KTO).
        rules: which pairs are taken.
        columns: by role the column of a feedback file.
        dry_run: only say what would be built.
        progress: called with (what, done, total).

    Raises:
        UsageError: no source, or a kind or source that there is not.
        InputError: a source has nothing to say or cannot be read; nothing is preferred by the margin.
        Refused: a run over eval or dev rows; all that is said is about eval inputs.
    """
    if not sources:
        raise UsageError("where do the preferences come from?", remedy="--from choices, or --from samples:RUN")
    if kind not in KINDS:
        raise UsageError(f"no kind of pairs is called '{kind}'", where="--kind", remedy=f"one of: {', '.join(KINDS)}")
    rules = rules or Rules()
    material = Material(project, name)
    target = check_name(to or f"{material.name}-pairs")
    if "/" in target or target == material.name:
        raise UsageError(f"pairs cannot be kept as '{target}'", where="--as", remedy=f"--as {material.name}-pairs")
    gathered, said = _gather(material, sources, columns or {}, rules, progress)
    taken: Taken | None = None
    if kind == "preference":
        taken = take(gathered.candidates, rules)
        placed: list[Placed] = [(_preference(told[0]), told) for told in taken.pairs]
        aside = gathered.aside + taken.aside
    else:
        placed, more = _judged(gathered, rules)
        aside = gathered.aside + more
    if not placed:
        raise refuse_none(material.name, taken or Taken([], Counter(), 0.0), gathered.aside, rules)
    parts = _parts(material, placed, aside, progress)
    kept = [one for rows in parts.values() for one in rows]
    if not kept:
        raise Refused(
            f"all {len(placed):,} preferences are about inputs that are measured on, or in no part",
            where=", ".join(f"{n:,} {reason}" for reason, n in aside.most_common(3)),
            remedy=f"label, or sample, training rows: {material.name}/train",
        )
    seen: dict[str, Any] = {}

    def build() -> Outcome | None:
        return _outcome(material, target, kind, sources, rules, parts, aside, seen)

    if dry_run:
        build()
        changed = False
    else:
        changed = commit(project, build) is not None
    beside = {row.row: told[0].provenance() for row, told in kept}
    return PairsResult(
        dataset=target,
        version=open_dataset(project, target).number if has_dataset(project, target) else 0,
        changed=changed,
        of=material.name,
        kind=kind,  # type: ignore[arg-type]
        rows=len(kept),
        inputs=len({row.input_hash for row, _ in kept}),
        by_part=seen["rows"],
        sources=said,
        aside={reason: n for reason, n in aside.most_common() if n},
        rules=rules,
        audit=audit_pairs([r for r, _ in kept if isinstance(r, Preference)], beside) if taken else None,
        dry_run=dry_run,
    )


def _gather(
    material: Material, words: Sequence[str], columns: Mapping[str, str], rules: Rules, progress: Progress | None
) -> tuple[Gathered, dict[str, int]]:
    read = [(word, *read_source(word)) for word in dict.fromkeys(words)]
    if columns and not any(name == "feedback" for _, name, _, _ in read):
        raise UsageError("columns are for a feedback file", where="--columns", remedy="--from feedback:FILE")
    gathered, said = Gathered(), dict[str, int]()
    for i, (word, _, one, of) in enumerate(read):
        if progress:
            progress(f"reading {word}", i, len(read))
        found = one.gather(material, Asked(of=of, columns=columns, seed=rules.seed))
        said[word] = len(found.candidates) + len(found.judged)
        gathered.add(found)
    return gathered, said


def _preference(candidate: Candidate) -> Preference:
    return Preference(input=candidate.content, chosen=candidate.chosen.text, rejected=candidate.rejected.text)


def _judged(gathered: Gathered, rules: Rules) -> tuple[list[Placed], Counter[str]]:
    """Return each answer by itself: what was judged alone, and both answers of each pair that is taken."""
    taken = take(gathered.candidates, rules)
    aside = Counter(taken.aside)
    words = list(gathered.judged)
    for told in taken.pairs:
        for one in told:
            for answer, good in ((one.chosen, True), (one.rejected, False)):
                words.append(Judged(one.input, one.content, answer, good, one.source, one.by, one.why, one.run))
    same: dict[tuple[str, str], list[Judged]] = {}
    for word in words:
        same.setdefault(word.key, []).append(word)
    placed: list[Placed] = []
    for told in same.values():
        if not told[0].answer.text.strip():
            aside[EMPTY] += 1
        elif len({one.good for one in told}) > 1:
            aside[BOTH_WAYS] += 1
        else:
            first = told[0]
            placed.append((Unpaired(input=first.content, answer=first.answer.text, good=first.good), told))
    return placed, aside


def _parts(
    material: Material, placed: Sequence[Placed], aside: Counter[str], progress: Progress | None
) -> dict[str, list[Placed]]:
    """Return rows by part; what is about an eval input, or repeats an eval row, is counted and left out."""
    found: dict[str, list[Placed]] = {"train": [], "dev": []}
    for one in placed:
        part = material.part_of(one[0].input_hash)
        if part == "eval":
            aside[OF_EVAL] += 1
        elif part == NO_PART:
            aside[NO_PART] += 1
        else:
            found[part].append(one)
    if material.side is not None:
        rows = [row for rows in found.values() for row, _ in rows]
        side = material.side
        leaks = {leak.row for leak in find_leaks(rows, side.rows, side.relation, progress=progress)}
        for part, held in found.items():
            aside[REPEATS] += sum(row.row in leaks for row, _ in held)
            found[part] = [one for one in held if one[0].row not in leaks]
    return {part: rows for part, rows in found.items() if rows}


def _outcome(
    material: Material,
    target: str,
    kind: str,
    sources: Sequence[str],
    rules: Rules,
    parts: Mapping[str, Sequence[Placed]],
    aside: Counter[str],
    seen: dict[str, Any],
) -> Outcome | None:

    project = material.project
    everything = [one for rows in parts.values() for one in rows]
    named = {target: everything}
    if material.parts:
        named |= {f"{target}/{part}": list(rows) for part, rows in parts.items()}
    contents = {name: _frame(material, rows) for name, rows in named.items()}
    seen["rows"] = {name: frame.height for name, frame in contents.items()}
    before = {name: open_dataset(project, name) for name in contents if has_dataset(project, name)}
    fresh = {
        name: frame
        for name, frame in contents.items()
        if name not in before or version_hash(frame) != before[name].hash
    }
    if not fresh:
        return None
    places: list[dict[str, Any]] = []
    edges: list[tuple[str, str]] = []
    for row, told in everything:
        places += [_place(row, one) for one in told]
        edges += [(source.row, row.row) for source in material.inputs.get(row.input_hash, ())]
    return Outcome(
        verb="pairs",
        parameters={"of": material.name, "from": list(sources), "kind": kind, "rules": rules.model_dump(mode="json")},
        parents=(
            material.version.parent,
            *(version.parent for version in material.parts.values() if version.dataset != material.version.dataset),
            *(version.parent for version in before.values()),
        ),
        contents=fresh,
        rows_in=material.version.frame().height,
        occurrences=places_frame(places),
        edges=edges_frame(edges),
        counts={reason: n for reason, n in aside.items() if n},
    )


def _frame(material: Material, rows: Sequence[Placed]) -> pl.DataFrame:
    import polars as pl

    records = [to_record(row, material.groups.get(row.input_hash)) for row, _ in rows]
    return pl.DataFrame(records, schema=row_schema(), orient="row").select(COLUMNS)


def _place(row: AnyRow, said: Candidate | Judged) -> dict[str, Any]:
    """Return where a pair comes from: a line of a feedback file; answers of a run, or decisions, as a whole (0)."""
    file, line = f".sluice/runs/{said.run}/answers.jsonl" if said.run else "decisions", "0"
    if said.source == "feedback":
        file, _, line = (said.answer if isinstance(said, Judged) else said.chosen).origin.rpartition(":")
    number = int(line) if file and line.isdigit() else 0
    return {
        "row": row.row,
        "file": file or "feedback",
        "file_sha256": "",
        "line": number,
        "metadata": dump_exact(said.provenance()),
    }
