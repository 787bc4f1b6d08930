"""Freeze a part into an eval set: rows, groups and similarity for good, and the question asked of it beside them.

Writes the folder under `evals/`, then the facts `frozen` and `claimed`. The question may still change, each change a
fact with a reason, until the first trained candidate opens the set; rows never change.
"""

from __future__ import annotations

import hashlib
import re

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused, Tampered, UsageError
from sluice.core.evalset import FrozenSet, SetManifest, read_set, rows_bytes, unit_labels
from sluice.core.files import publish_folder, write_synced
from sluice.core.ledger import Facts, Ledger
from sluice.core.progress import Progress
from sluice.core.project import DATASET_NAME, NAME_RULE, Project
from sluice.core.reasons import check_reason
from sluice.core.rows import AnyRow, Example, input_texts
from sluice.core.scaffold_text import TEMPLATE_MARK
from sluice.curate.adding.add import parts_of
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.dataset import Version, open_dataset
from sluice.curate.leaks.eval_side import pinned_boilerplate
from sluice.curate.privacy import KINDS
from sluice.curate.similar.clusters import similarity_clusters
from sluice.curate.similar.similarity import VERSION as SIMILARITY
from sluice.curate.similar.similarity import Relation
from sluice.evalsuite.graders import Grader, check_grader
from sluice.evalsuite.question import (
    Question,
    changed_keys,
    claims_that_count,
    current_question,
    deciding_rule,
    pinned_question,
)
from sluice.evalsuite.scoring import plain_input
from sluice.evalsuite.sets import SetState, contenders, deciding_set, folder_name, named_set, rows_in_sets
from sluice.evalsuite.stats.power import Kind, Power, power_of
from sluice.evalsuite.stats.rows_needed import n_that_could_decide

FEWEST_ROWS = 20
FEW_FOR_GRADED = 50
OTHER_OPENINGS = 6
LARGE_GAIN = 0.2  # what "the n that could decide" is said for: a gain that most would call large


class FreezeResult(BaseModel):
    """What freezing did, and what the set can show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str
    name: str
    folder: str
    guard: bool
    rows: int
    clusters: int
    """Rows (or groups) that are unlike each other."""
    question: Question
    changed: tuple[str, ...] = ()
    """What of the question changed, where the set was already frozen."""
    already: bool = False
    power: tuple[Power, ...] = ()
    """For 1, K and 6 openings."""
    cannot_decide: bool = False
    n_that_could_decide: int | None = None
    guard_too_small: bool = False
    """A guard set that could not show its margin even where nothing changed."""
    personal: dict[str, int] = {}
    """Personal data still in the rows and groups, by kind: git keeps them for good."""
    personal_rows: int = 0
    """Rows that it is in."""
    notes: tuple[str, ...] = ()


def freeze(
    project: Project,
    part: str | None = None,
    *,
    name: str | None = None,
    guard: bool = False,
    reason: str | None = None,
    progress: Progress | None = None,
) -> FreezeResult:
    """Freeze a part (by default the task's eval part), or pin a changed question for the set that is frozen.

    Raises:
        UsageError: a part that is trained or chosen on, or a whole dataset that was split.
        InputError: no such part, a row that lacks what the grader needs, fewer than 20 rows unlike each other, a
            grader that is not steady or does not grant a row's own target full marks.
        Refused: another set of that name, a changed question without a reason, or after the set was opened.
    """
    if reason is not None:
        reason = check_reason(reason, what="a new set or question", remedy='sluice freeze --reason "what was wrong"')
    rubric = project.config.task.rubric
    if rubric is not None and TEMPLATE_MARK in project.read_text(rubric, what="the rubric"):
        raise InputError(
            "the rubric is still the template: nobody could grade by it",
            where=rubric,
            remedy=f"write what right and wrong are in {rubric}",
        )
    version = open_dataset(project, part or f"{project.config.task.data}/eval")
    _refuse_training_rows(version)
    name = name or version.dataset.split("/")[0]
    if not re.fullmatch(DATASET_NAME, name):
        raise InputError(f"'{name}' cannot name an eval set", remedy=NAME_RULE)
    with project.lock(f"freeze-{name}", what=f"the freezing of '{name}'"):
        ledger = Ledger(project)
        facts = ledger.read()
        rows = version.examples()
        question, grader = current_question(project, _independent(version, rows))
        relation = Relation(pinned_boilerplate(version))
        clusters = check_rows(version, rows, relation, grader, guard=guard, progress=progress)
        manifest = _manifest(version, name, rows, relation, guard=guard)
        standing = named_set(project, facts, name)
        if standing is not None and standing.sha256 != manifest.sha256:
            raise Refused(
                f"another eval set is frozen as '{name}' ({standing.sha256[:8]}); frozen rows never change",
                where=f"evals/{folder_name(name, standing.sha256)}",
                remedy=_another_name(part, name, guard=guard),
            )
        if standing is None and guard:
            _refuse_eval_rows(project, facts, version, rows)
        if standing is None:
            _new_set(project, ledger, facts, manifest, rows, version, question, reason)
        changed = _claim(ledger, manifest.sha256, question, reason) if standing else ()
    found = _result(manifest, question, clusters, changed, version, already=standing is not None)
    return found.model_copy(update=_personal(version, rows))


def _personal(version: Version, rows: list[Example]) -> dict[str, object]:
    """Return how much personal data is in what is frozen, by kind; no value is shown."""
    groups = {row: {"group": values} for row, values in version.groups().items() if values}
    found = CHECKS.get("personal").run(CheckContext(rows=rows, metadata=groups))
    kinds = {kind.name: int(found.figures.get(kind.name, 0)) for kind in KINDS}
    return {"personal": {name: n for name, n in kinds.items() if n}, "personal_rows": found.count}


def _refuse_training_rows(version: Version) -> None:
    """Refuse train and dev parts, and a whole that was split, by whatever version: its rows are trained on."""
    dataset, base = version.dataset, version.dataset.partition("/")[0]
    parts = parts_of(version.project, base)
    if not parts or dataset == f"{base}/eval":
        return
    what = f"was split into {', '.join(parts)}" if dataset == base else "holds rows to train on or to choose by"
    remedy = f"sluice freeze {base}/eval" if f"{base}/eval" in parts else "freeze a dataset that nothing is trained on"
    raise UsageError(f"'{dataset}' {what}: an eval set is of rows that stay apart from those", remedy=remedy)


def _another_name(part: str | None, name: str, *, guard: bool) -> str:
    """Return the command that freezes the same part under a name of its own."""
    words = ["sluice freeze", *([part] if part else [])]
    if guard:
        return " ".join([*words, "--guard", f"--as {name}-guard"])
    return " ".join([*words, f"--as {name}-2", '--reason "why a new set is needed"'])


def keep(project: Project, digest: str, reason: str | None) -> SetState:
    """Say which of the eval sets that were frozen apart decides (`freeze --keep HASH --reason`)."""
    remedy = f'sluice freeze --keep {digest} --reason "why this one decides"'
    reason = check_reason(reason or "", what="choosing between eval sets", remedy=remedy)
    ledger = Ledger(project)
    contending = contenders(project, ledger.read())
    if len(contending) < 2:
        raise Refused("no two eval sets were frozen apart: there is nothing to choose", remedy="sluice status")
    matching = [s for s in contending if s.sha256.startswith(digest) and len(digest) >= 6]
    if len(matching) != 1:
        known = ", ".join(s.sha256[:8] for s in contending)
        raise InputError(f"{len(matching)} of the sets that contend begin with '{digest}'", remedy=f"one of: {known}")
    ledger.write("chosen", {"set": matching[0].sha256, "name": matching[0].name, "reason": reason})
    return matching[0]


def check_rows(
    version: Version,
    rows: list[Example],
    relation: Relation,
    grader: Grader,
    *,
    guard: bool,
    progress: Progress | None,
) -> int:
    """Check that rows can be a frozen set, and return how many are unlike each other."""
    if not rows:
        raise InputError("there is no row to freeze", where=version.ref, remedy="sluice split")
    for row in rows:
        if not "".join(input_texts(row.input).values()).strip():
            raise InputError("a row with an empty input", where=f"{version.ref} {row.row[:10]}", remedy="drop that row")
        if "target" in grader.spec.needs and not (row.target or "").strip():
            raise InputError(
                f"a row without a target, which the grader '{grader.spec.name}' needs",
                where=f"{version.ref} {row.row[:10]}",
                remedy="add the missing targets, or choose a grader that needs none",
            )
    clusters = similarity_clusters(rows, relation, groups=version.groups())
    if not guard and len(clusters) < FEWEST_ROWS:
        largest = max(clusters, key=len)
        alike = ", ".join(r.row[:10] for r in largest[:6])
        raise InputError(
            f"{len(rows)} rows, but only {len(clusters)} unlike each other ({FEWEST_ROWS} needed)"
            + (f"; {len(largest)} are one and the same, for example {alike}" if len(largest) > 1 else ""),
            where=version.ref,
            remedy="collect rows that differ, then: sluice split",
        )
    pairs = [(plain_input(row), row.target) for row in rows]
    check_grader(grader, pairs, names=[row.row[:10] for row in rows], progress=progress)
    return len(clusters)


def _refuse_eval_rows(project: Project, facts: Facts, version: Version, rows: list[Example]) -> None:
    held = rows_in_sets(project, facts, rows)
    if held:
        row, set_name = next(iter(held.items()))
        raise Refused(
            f"{len(held)} of {len(rows)} rows belong to the eval set '{set_name}', which is no guard set, or repeat "
            f"its rows, for example {row[:10]}",
            where=version.ref,
            remedy="watch for regressions on other rows",
        )


def question_is_open(facts: Facts, set_sha256: str) -> bool:
    """Return whether the question may still change: no trained candidate has opened the set."""
    return not any(f.body.get("adapter") for f in facts.of("opened", set=set_sha256))


def _independent(version: Version, rows: list[Example]) -> int:
    groups = version.groups()
    return len(set(unit_labels([groups.get(row.row) or () for row in rows])))


def _manifest(version: Version, name: str, rows: list[Example], relation: Relation, *, guard: bool) -> SetManifest:
    ordered = sorted(rows, key=lambda r: r.row)
    groups = version.groups()
    return SetManifest(
        name=name,
        dataset=version.dataset,
        version=version.hash,
        guard=guard,
        rows=tuple(r.row for r in ordered),
        inputs=tuple(r.input_hash for r in ordered),
        groups=tuple(tuple(sorted(groups.get(r.row) or [])) for r in ordered),
        rows_sha256=hashlib.sha256(_rows_file(rows, groups)).hexdigest(),
        similarity=SIMILARITY,
        boilerplate=relation.boilerplate.ngrams,
    )


def _rows_file(rows: list[Example], groups: dict[str, list[str]]) -> bytes:
    plain: list[AnyRow] = list(rows)
    return rows_bytes(plain, groups)


def _new_set(
    project: Project,
    ledger: Ledger,
    facts: Facts,
    manifest: SetManifest,
    rows: list[Example],
    version: Version,
    question: Question,
    reason: str | None,
) -> FrozenSet:
    before = None if manifest.guard else deciding_set(project, facts)
    if before is not None and not (reason or "").strip():
        raise Refused(
            f"the eval set '{before.name}' decides already; a new one needs a reason",
            where=f"evals/{folder_name(before.name, before.sha256)}",
            remedy=f'sluice freeze --as {manifest.name} --reason "..."',
        )
    final = project.evals / folder_name(manifest.name, manifest.sha256)
    with project.staging.job() as job:
        staged = job / "set"
        staged.mkdir()
        write_synced(staged / "manifest.json", manifest.to_bytes())
        write_synced(staged / "rows.jsonl", _rows_file(rows, version.groups()))
        publish_folder(staged, final)
    frozen = read_set(final)
    if frozen.sha256 != manifest.sha256:
        raise Tampered("another set lies in its folder", where=str(final), remedy="move it away, then: sluice freeze")
    body: dict[str, object] = {
        "set": manifest.sha256,
        "name": manifest.name,
        "guard": manifest.guard,
        "dataset": manifest.dataset,
        "version": manifest.version,
        "rows": len(manifest.rows),
        "rows_sha256": manifest.rows_sha256,
        "similarity": manifest.similarity,
    }
    if reason:
        body["reason"] = reason
    if before is not None:
        body["after"] = before.sha256
    ledger.write("frozen", body)
    ledger.write(
        "claimed", {"set": manifest.sha256, "question": question.model_dump(mode="json"), "reason": reason or ""}
    )
    return frozen


def _claim(ledger: Ledger, digest: str, question: Question, reason: str | None) -> tuple[str, ...]:
    """Pin today's question for a set that is already frozen; nothing where it is pinned already."""
    facts = ledger.read()
    if claims_that_count(facts, digest):
        try:
            pinned, _ = pinned_question(facts, digest)
        except Refused:
            changed = ("question",)
        else:
            changed = tuple(changed_keys(pinned, question))
        if not changed:
            return ()
        if not question_is_open(facts, digest):
            raise Refused(
                f"the set was opened by a trained candidate: {', '.join(changed)} can no longer change",
                where=digest[:8],
                remedy='set sluice.toml back, or freeze a new set: sluice freeze PART --as NAME --reason "..."',
            )
        if not (reason or "").strip():
            raise Refused(
                f"what is asked of the set has changed ({', '.join(changed)})",
                where="sluice.toml",
                remedy='sluice freeze --reason "why"',
            )
    else:
        changed = ("question",)  # a process was killed between the two facts
    ledger.write("claimed", {"set": digest, "question": question.model_dump(mode="json"), "reason": reason or ""})
    return changed


def _result(
    manifest: SetManifest,
    question: Question,
    clusters: int,
    changed: tuple[str, ...],
    version: Version,
    *,
    already: bool,
) -> FreezeResult:
    kind, n = deciding_rule(question, manifest)
    openings = sorted({1, question.openings, OTHER_OPENINGS}) if not manifest.guard else [1]
    power = tuple(power_of(kind, n, alpha=float(question.alpha), openings=k) for k in openings)
    pinned = next(p for p in power if p.openings == (1 if manifest.guard else question.openings))
    margin = question.margin_value
    hopeless = pinned.cannot_decide if question.claim == "better" else pinned.cannot_decide_margin(margin or 0.0)
    notes: list[str] = []
    if question.kind == "graded" and n < FEW_FOR_GRADED:
        notes.append(f"{n} rows are few for a graded score: a 0/1 metric such as exact_object decides with fewer")
    return FreezeResult(
        set=manifest.sha256,
        name=manifest.name,
        folder=f"evals/{folder_name(manifest.name, manifest.sha256)}",
        guard=manifest.guard,
        rows=len(manifest.rows),
        clusters=clusters,
        question=question,
        changed=changed,
        already=already,
        power=power,
        cannot_decide=hopeless and not manifest.guard,
        n_that_could_decide=_n_needed(kind, question, pinned.openings) if hopeless else None,
        guard_too_small=manifest.guard and margin is not None and pinned.cannot_decide_margin(margin),
        notes=tuple(notes),
    )


def _n_needed(kind: Kind, question: Question, openings: int) -> int:
    wanted = question.margin_value if question.claim == "not-worse" else None
    return n_that_could_decide(
        kind, wanted=wanted or LARGE_GAIN, claim=question.claim, alpha=float(question.alpha), openings=openings
    )
