"""Erase rows and people from frozen sets, runs and decisions; a set that decides gets a successor with the rest.

Answers of other rows stay, and so does what they earn: the fact of a forget says under which hashes what is left of a
run can be checked. What a verdict was with the rows, and what it is without them, is worked out before they go.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact
from sluice.core.errors import Refused, SluiceError
from sluice.core.evalset import FrozenSet, SetManifest, rows_bytes
from sluice.core.files import publish_folder, read_lines, write_synced
from sluice.core.ledger import Facts, Ledger, decimal
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import AnyRow, Example
from sluice.core.runs import Run, StoredAnswer, all_runs, answers_hash, counts_hash, rows_hash
from sluice.curate.dataset import version_hash
from sluice.curate.labels.erase import left_of as left_of_decisions
from sluice.curate.privacy.erasure import Eraser
from sluice.curate.privacy.meant import content_of, versions_stored
from sluice.curate.privacy.person import GONE
from sluice.curate.privacy.store import left_of, replace_file
from sluice.evalsuite.compare import compare_scores
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.openings import openings
from sluice.evalsuite.question import pinned_question, task_grader
from sluice.evalsuite.scoring import Scores, score_answers
from sluice.evalsuite.sets import SetState, all_sets, contenders, folder_name, named_set


class Successor(BaseModel):
    """A frozen set that loses rows, and the set that follows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    set: str
    rows: int
    left: int
    after: str | None
    """Hash of the set that follows; None for one that no longer decides, or that nothing is left of."""


class VerdictBeside(BaseModel):
    """What a verdict was, and what it is on the rows that are left. Neither is written down as evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    set: str
    with_rows: str
    without_rows: str
    n: int
    left: int


def plan_sets(project: Project, facts: Facts, eraser: Eraser) -> list[tuple[FrozenSet, SetManifest | None]]:
    """Return each frozen set that loses something, oldest first, with the manifest of the set that follows it.

    Raises Refused where sets were frozen apart and nobody chose: the follower of one of them would decide by itself.
    """
    contending = contenders(project, facts)
    found: list[tuple[FrozenSet, SetManifest | None]] = []
    for state in all_sets(project, facts):
        if state.frozen is None:
            continue
        manifest = _without(project, state.frozen, eraser)
        if manifest is not None and manifest.sha256 == state.sha256:
            continue
        if manifest is not None and facts.of("frozen", set=manifest.sha256, after=state.sha256):
            pass  # a forget that was cut had frozen it
        elif not _stands(project, facts, state, contending):
            manifest = None
        elif not state.fact.body["guard"] and len(contending) > 1:
            raise Refused(
                f"{len(contending)} eval sets were frozen apart from each other, and rows of one are to be forgotten",
                where="ledger",
                remedy='choose first: sluice freeze --keep HASH --reason "..."',
            )
        found.append((state.frozen, manifest))
    return found


def _stands(project: Project, facts: Facts, state: SetState, contending: Sequence[SetState]) -> bool:
    if state.fact.body["guard"]:
        newest = named_set(project, facts, state.name)
        return newest is not None and newest.fact.hash == state.fact.hash
    return any(c.fact.hash == state.fact.hash for c in contending)


def _without(project: Project, frozen: FrozenSet, eraser: Eraser) -> SetManifest | None:
    """Return the manifest of what is left of a set; None where nothing is."""
    rows, groups = _left_rows(frozen, eraser)
    if not rows:
        return None
    old = frozen.manifest
    version = old.version
    for _, manifest in versions_stored(project):
        if old.version in (manifest.version, manifest.left):
            version = version_hash(left_of(content_of(project, manifest), eraser))
    if tuple(r.row for r in rows) == old.rows and tuple(map(tuple, groups.values())) == old.groups:
        return old
    return old.model_copy(
        update={
            "version": version,
            "rows": tuple(r.row for r in rows),
            "inputs": tuple(r.input_hash for r in rows),
            "groups": tuple(tuple(groups[r.row]) for r in rows),
            "rows_sha256": hashlib.sha256(_bytes(rows, groups)).hexdigest(),
        }
    )


def _left_rows(frozen: FrozenSet, eraser: Eraser) -> tuple[list[Example], dict[str, list[str]]]:
    rows = [r for r in frozen.rows if r.row not in eraser.rows]
    groups = frozen.groups_by_row()
    return rows, {r.row: [g for g in groups[r.row] if not eraser.names_a_person(g)] for r in rows}


def _bytes(rows: list[Example], groups: dict[str, list[str]]) -> bytes:
    plain: list[AnyRow] = list(rows)
    return rows_bytes(plain, groups)


def freeze_successors(
    project: Project, ledger: Ledger, planned: Sequence[tuple[FrozenSet, SetManifest | None]], eraser: Eraser
) -> None:
    """Publish the sets that follow, and write `frozen` and `claimed` for each; done before, they are left alone."""
    reason = f"rows were forgotten: {eraser.erasure.reason}"
    for frozen, manifest in planned:
        facts = ledger.read()
        if manifest is None:
            continue
        if not facts.of("frozen", set=manifest.sha256):
            rows, groups = _left_rows(frozen, eraser)
            with project.staging.job() as job:
                staged = job / "set"
                staged.mkdir()
                write_synced(staged / "manifest.json", manifest.to_bytes())
                write_synced(staged / "rows.jsonl", _bytes(rows, groups))
                publish_folder(staged, project.evals / folder_name(manifest.name, manifest.sha256))
            body: dict[str, object] = {
                "set": manifest.sha256,
                "name": manifest.name,
                "guard": manifest.guard,
                "dataset": manifest.dataset,
                "version": manifest.version,
                "rows": len(manifest.rows),
                "rows_sha256": manifest.rows_sha256,
                "similarity": manifest.similarity,
                "reason": reason,
                "after": frozen.sha256,
            }
            ledger.write("frozen", body)
            facts = ledger.read()
        if not facts.of("claimed", set=manifest.sha256):
            try:
                question, _ = pinned_question(facts, frozen.sha256)
            except Refused:
                continue  # nothing was asked of it: `freeze` says so
            ledger.write(
                "claimed", {"set": manifest.sha256, "question": question.model_dump(mode="json"), "reason": reason}
            )


def erase_sets(project: Project, eraser: Eraser, facts: Facts) -> None:
    """Remove the folders of the sets that this forget took rows out of."""
    fact = next((f for f in facts.of("forgotten", id=eraser.erasure.id)), None)
    for entry in fact.body["sets"] if fact is not None else ():
        for frozen in facts.of("frozen", set=entry["set"]):
            folder = project.evals / folder_name(str(frozen.body["name"]), entry["set"])
            if folder.is_dir():
                shutil.rmtree(folder)


class _RunWithout:
    """What is left of a run."""

    def __init__(self, run: Run, eraser: Eraser):
        self.run = run
        text = (run.folder / "run.json").read_text(encoding="utf-8")
        self.asked: dict[str, Any] = json.loads(text)
        before = dump_exact(self.asked)
        prompt = self.asked.get("prompt") or {}
        if prompt:
            self.asked["prompt"] = prompt_without(prompt, eraser)
        self.answers = [_answer(a, eraser) for a in run.answers().values() if a.row not in eraser.rows]
        self.changed = dump_exact(self.asked) != before or [*run.answers().values()] != self.answers

    @property
    def prompt(self) -> str:
        """Hash of the prompt that is left; empty where a run has none."""
        return Prompt.model_validate(self.asked["prompt"]).sha256 if self.asked.get("prompt") else ""


def _answer(answer: StoredAnswer, eraser: Eraser) -> StoredAnswer:
    changes = {
        key: eraser.text(text)
        for key in ("text", "error")
        if (text := getattr(answer, key)) is not None and eraser.names_a_person(text)
    }
    return answer.model_copy(update=changes) if changes else answer


def prompt_without(prompt: dict[str, Any], eraser: Eraser) -> dict[str, Any]:
    """Return a stored prompt without people, and without the texts of rows that served as examples.

    Which block shows which example is not stored: where one of them goes, the texts of all examples go.
    """
    shots = [str(s) for s in prompt.get("shots") or ()]
    shows = bool(eraser.rows & set(shots))
    blocks = [
        {**b, "text": GONE if shows and not b.get("template", True) else eraser.text(b["text"])}
        for b in prompt.get("blocks") or ()
    ]
    return {**prompt, "blocks": blocks, "shots": [eraser.hashes.get(s, s) for s in shots]}


def plan_runs(project: Project, facts: Facts, eraser: Eraser, rows: dict[str, Example]) -> list[dict[str, Any]]:
    """Return what the fact says of each run that loses something.

    Args:
        rows: every example that is stored, by its hash.
    """
    grader = _grader(project)
    found: list[dict[str, Any]] = []
    for run in all_runs(project):
        try:
            rest = _RunWithout(run, eraser)
        except SluiceError:
            continue  # one that cannot be read holds what it holds: `verify` names it
        if not rest.changed:
            continue
        entry: dict[str, Any] = {
            "run": run.id,
            "was": run.closed,
            "answers": answers_hash(rest.answers),
            "counts": counts_hash(rest.answers),
            "prompt": rest.prompt,
            "rows": rows_hash(a.row for a in rest.answers),
            "n": len(rest.answers),
            "scores": None,
            "mean": None,
        }
        asked = [rows[a.row] for a in rest.answers if a.row in rows]
        if grader is not None and asked and len(asked) == len(rest.answers):
            try:
                scores = score_answers(grader, asked, {(a.row, a.repeat): a for a in rest.answers})
                entry |= {"scores": scores.sha256, "mean": decimal(scores.mean)}
            except SluiceError:
                pass  # it lacks a target: the answers are held against their hash alone
        found.append(entry)
    if grader is not None:
        grader.close()
    return found


def _grader(project: Project) -> Grader | None:
    try:
        return task_grader(project) if project.has_config else None
    except SluiceError:
        return None


def erase_runs(project: Project, eraser: Eraser, facts: Facts) -> None:
    """Take answers, examples and people out of runs, and seal what is left of those that the fact names."""
    fact = next((f for f in facts.of("forgotten", id=eraser.erasure.id)), None)
    named = {entry["run"]: entry for entry in fact.body["runs"]} if fact is not None else {}
    for run in all_runs(project):
        try:
            rest = _RunWithout(run, eraser)
        except SluiceError:
            continue
        scores = run.folder / "scores.jsonl"
        if scores.is_file():
            kept = [line for line in scores.read_bytes().splitlines(keepends=True) if not _names_row(line, eraser)]
            replace_file(scores, b"".join(kept))
        entry = named.get(run.id)
        if entry is None or answers_hash(rest.answers) != entry["answers"]:
            continue
        body = {"answers": entry["answers"], "counts": entry["counts"], "spec": run.spec.sha256}
        sealed = run.closed is not None and run.closed in (entry["was"], entry["answers"])
        lines = "".join(dump_exact(a.model_dump(mode="json")) + "\n" for a in rest.answers)
        replace_file(run.folder / "answers.jsonl", lines.encode())
        replace_file(run.folder / "run.json", (dump_exact(rest.asked) + "\n").encode())
        if sealed:
            replace_file(run.folder / "closed.json", (json.dumps(body, sort_keys=True) + "\n").encode())


def _names_row(line: bytes, eraser: Eraser) -> bool:
    try:
        return str(json.loads(line).get("row")) in eraser.rows
    except (ValueError, AttributeError):
        return False


def erase_decisions(project: Project, eraser: Eraser, *, dry_run: bool = False) -> int:
    """Take what people decided of the rows out of decisions/, and people out of the rest.

    Returns how many records went or changed, or would.
    """
    gone = 0
    for file in sorted(project.decisions.glob("*.jsonl")) if project.decisions.is_dir() else []:
        records = list(read_lines(file))
        kept = left_of_decisions(records, eraser)
        same = {dump_exact(r) for r in records}
        changed = len(records) - len(kept) + sum(dump_exact(r) not in same for r in kept)
        gone += changed
        if changed and not dry_run:
            replace_file(file, "".join(dump_exact(r) + "\n" for r in kept).encode())
    return gone


def verdicts_beside(
    project: Project, facts: Facts, planned: Sequence[tuple[FrozenSet, SetManifest | None]]
) -> list[VerdictBeside]:
    """Return the verdict on each candidate that opened a set which loses rows, with them and without."""
    found: list[VerdictBeside] = []
    grader = _grader(project)
    for frozen, manifest in planned:
        if grader is None or frozen.manifest.guard or manifest is None:
            continue
        try:
            question, _ = pinned_question(facts, frozen.sha256)
            divisor = openings(project, facts, frozen, question).divisor
        except SluiceError:
            continue
        best = _best(project, facts, frozen, grader, higher=question.direction == "higher")
        for fact in facts.of("evaluated", set=frozen.sha256, role="eval") if best is not None else ():
            scores = _scores(project, fact.body["run"], frozen.rows, grader)
            if scores is None or best is None:
                continue
            label = str(fact.body["label"])
            words = [
                compare_scores(
                    question,
                    (best[0], _part(best[1], rows)),
                    (label, _part(scores, rows)),
                    on=frozen.name,
                    final=True,
                    groups=frozen.groups_by_input(),
                    divisor=divisor,
                ).verdict.sentence
                for rows in (frozen.manifest.rows, manifest.rows)
            ]
            found.append(
                VerdictBeside(
                    label=label,
                    set=frozen.name,
                    with_rows=words[0],
                    without_rows=words[1],
                    n=len(frozen.rows),
                    left=len(manifest.rows),
                )
            )
    if grader is not None:
        grader.close()
    return found


def _best(
    project: Project, facts: Facts, frozen: FrozenSet, grader: Grader, *, higher: bool
) -> tuple[str, Scores] | None:
    scored: list[tuple[str, Scores]] = []
    for fact in facts.of("evaluated", set=frozen.sha256, role="baseline"):
        scores = _scores(project, fact.body["run"], frozen.rows, grader)
        if scores is not None:
            scored.append((str(fact.body["label"]), scores))
    return max(scored, key=lambda pair: pair[1].mean if higher else -pair[1].mean, default=None)


def _scores(project: Project, run: object, rows: Sequence[Example], grader: Grader) -> Scores | None:
    try:
        return score_answers(grader, rows, Run(project.runs / str(run)).answers())
    except SluiceError:
        return None


def _part(scores: Scores, rows: Sequence[str]) -> Scores:
    """Return the scores of some of the rows; means over all of them (tokens, rates) are not read by a verdict."""
    wanted = set(rows)
    keep = [i for i, row in enumerate(scores.rows) if row in wanted]
    return scores.model_copy(
        update={name: tuple(getattr(scores, name)[i] for i in keep) for name in ("rows", "inputs", "grades")}
    )
