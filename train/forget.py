"""`forget`: erase rows, or a person, from everything that the project stores, for good and on record.

In this order: a journal of what goes; the sets that follow frozen ones; the fact `forgotten`, which says under which
hash what is left of each thing can be checked; then file by file, each in one step; then the index is built again. So
at every moment each file is either as it was or as the fact says, and the next call finishes what was cut.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, UsageError
from sluice.core.ledger import Fact, Ledger
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.reasons import check_reason
from sluice.core.rows import Example, from_record
from sluice.curate.catalogue import Catalogue
from sluice.curate.dataset import open_dataset
from sluice.curate.operation import recover
from sluice.curate.privacy.contact import known_regions
from sluice.curate.privacy.erasure import Eraser, Erasure, close_journal, open_journal, pending
from sluice.curate.privacy.holders import GitCommit, StillThere, commits_with, files_with
from sluice.curate.privacy.meant import Meant, every_record, find_meant
from sluice.curate.privacy.person import person
from sluice.curate.privacy.sealed import drop_key, key_id, secret_key
from sluice.curate.privacy.store import clear_replaced, erase_store, number_what_is_left, plan_versions, replace_file
from sluice.evalsuite.forgetting import (
    Successor,
    VerdictBeside,
    erase_decisions,
    erase_runs,
    erase_sets,
    freeze_successors,
    plan_runs,
    plan_sets,
    prompt_without,
    verdicts_beside,
)
from sluice.train.certificate import FILE, Certificate, certificate_bytes, read_certificate

MOST_SPELLINGS = 20  # spellings of people that git is asked for, each a walk over its history


class ForgetResult(BaseModel):
    """What `forget` did, or would do. It names rows only by the beginning of hashes that mean nothing afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    changed: bool
    fact: str | None
    """The fact `forgotten`; None for a dry run, or where nothing was meant."""
    rows: int
    why: dict[str, int]
    """Rows by why they go: `row`, `person`, `where`, and what goes with them."""
    shown: tuple[str, ...]
    """The first digits of the first rows that go."""
    places: int
    """Places of rows that stay, with a person beside them, that go."""
    set_aside: int
    redacted: int
    """Redacted rows that came from rows that go, and stay: nothing in them names the person."""
    versions: int
    """Versions that lose rows."""
    new_versions: tuple[str, ...]
    """Numbers that were given to what is left of newest versions."""
    sets: tuple[Successor, ...]
    runs: int
    decisions: int
    verdicts: tuple[VerdictBeside, ...]
    adapters: tuple[str, ...]
    """Adapters that were trained on these rows: what they learnt is in their weights and stays there."""
    commits: tuple[GitCommit, ...]
    """Git commits that added or removed what goes: it is still in the history."""
    still_there: tuple[StillThere, ...]
    """Files of people that still hold it: sources, prompts, exports."""
    key: str
    """`kept` or `thrown away`."""
    finished: str | None = None
    """Id of a forget that was cut before and that this call finished."""
    dry_run: bool = False


def forget(
    project: Project,
    dataset: str | None = None,
    *,
    rows: Sequence[str] = (),
    people: Sequence[str] = (),
    where: str | None = None,
    reason: str | None = None,
    regions: Sequence[str] | None = None,
    forget_key: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ForgetResult:
    """Erase rows or people; finish first what a killed call left.

    Args:
        dataset: whose rows `where` asks; rows and people are erased wherever they are.
        rows: beginnings of row hashes, 6 digits or more.
        people: values of a person, found in every spelling: mail addresses, phone numbers, ids, names.
        where: `COLUMN=VALUE`, or an expression as for `filter`.
        reason: kept in the ledger, which git keeps for good.
        regions: countries whose national phone numbers are read.
        forget_key: throw the project's key away, so that nobody can tell again which rows were forgotten.
        dry_run: only say what would go.
        progress: called with (what, done, total).

    Raises:
        UsageError: nothing to forget is named.
        InputError: a row or column that is not there, a reason that names the person, a person of under 4 characters.
        Refused: eval sets that were frozen apart.
    """
    finished = None if dry_run else finish(project, progress=progress)
    if not rows and not people and where is None:
        if finished is not None:
            return finished
        raise UsageError("what is to be forgotten?", remedy="--row ROW, --person VALUE or --where COLUMN=VALUE")
    if dataset is None:
        raise UsageError("which dataset?", remedy="sluice forget NAME ...")
    open_dataset(project, dataset)
    given = checked_reason(dataset, reason) if not dry_run or reason else ""
    read = known_regions(regions)
    asked = tuple(person(value, read) for value in people)
    if any(one.is_in(given) for one in asked):
        raise InputError(
            "the reason names the person, and the ledger keeps it for good", where="--reason", remedy="say it without"
        )
    meant = find_meant(project, dataset, rows=rows, people=asked, where=where)
    key = secret_key(project) or secrets.token_bytes(32)
    erasure = Erasure(
        id=secrets.token_hex(8),
        reason=given,
        rows=tuple(sorted(meant.rows)),
        inputs=_inputs(project, meant),
        people=tuple(people),
        regions=read,
        key=key.hex(),
        forget_key=forget_key,
    )
    decided = erase_decisions(project, Eraser(erasure), dry_run=True)
    if not (meant.rows or meant.places or meant.set_aside or decided or (people and _has_pseudonym(project, asked))):
        return _result(project, dataset, meant, None, finished=finished, dry_run=dry_run)
    if dry_run:
        return _plan(project, dataset, meant, erasure)[0].model_copy(update={"decisions": decided})
    key = secret_key(project, make=True) or key
    erasure = erasure.model_copy(update={"key": key.hex()})
    with project.lock("forget", what="forgetting"):
        planned, _ = _plan(project, dataset, meant, erasure)
        open_journal(project, erasure)
        fact, made, decisions = _carry_out(project, erasure, progress)
        left = files_with(project, Eraser(erasure), meant.spelled)
    return planned.model_copy(
        update={
            "changed": True,
            "fact": fact.hash,
            "new_versions": made,
            "decisions": decisions,
            "still_there": left,
            "finished": None if finished is None else finished.finished,
            "dry_run": False,
        }
    )


def checked_reason(dataset: str, reason: str | None) -> str:
    """Return the reason for forgetting something. Raises InputError for none, and for one that says nothing."""
    remedy = f'sluice forget {dataset} ... --reason "asked for on 1 May"'
    return check_reason(reason or "", what="forgetting", remedy=remedy)


def finish(project: Project, *, progress: Progress | None = None) -> ForgetResult | None:
    """Finish what a killed `forget` left; None where there is nothing."""
    if pending(project) is None:
        return None
    with project.lock("forget", what="forgetting"):
        erasure = pending(project)
        if erasure is None:
            return None
        fact, made, _ = _carry_out(project, erasure, progress)
    meant = Meant(rows=dict.fromkeys(erasure.rows, "row"))
    result = _result(project, "", meant, fact, finished=erasure.id, dry_run=False)
    return result.model_copy(update={"changed": True, "new_versions": made})


def _inputs(project: Project, meant: Meant) -> tuple[str, ...]:
    records = every_record(project) if meant.rows and project.decisions.is_dir() else {}
    return tuple(sorted({from_record(records[row]).input_hash for row in meant.rows if row in records}))


def _has_pseudonym(project: Project, asked: Sequence[Any]) -> bool:
    from sluice.curate.privacy.sealed import read_pseudonyms

    values = read_pseudonyms(project).values
    return any(one.normal in values.get(one.kind, {}) for one in asked)


def _result(
    project: Project,
    dataset: str,
    meant: Meant,
    fact: Fact | None,
    *,
    finished: object = None,
    dry_run: bool,
    **more: Any,
) -> ForgetResult:
    why: dict[str, int] = {}
    for reason in meant.rows.values():
        word = reason if " " not in reason else reason.rsplit(" ", 1)[0] if reason[:1] == "a" else "redacted from"
        why[word] = why.get(word, 0) + 1
    found: dict[str, Any] = {
        "versions": 0,
        "new_versions": (),
        "sets": (),
        "runs": 0,
        "decisions": 0,
        "verdicts": (),
        "adapters": (),
        "commits": (),
        "still_there": (),
        "key": "kept",
    }
    return ForgetResult(
        dataset=dataset,
        changed=False,
        fact=None if fact is None else fact.hash,
        rows=len(meant.rows),
        why=why,
        shown=tuple(row[:10] for row in list(meant.rows)[:5]),
        places=meant.places,
        set_aside=meant.set_aside,
        redacted=meant.redacted,
        finished=str(finished) if isinstance(finished, str) else None,
        dry_run=dry_run,
        **(found | more),
    )


def _plan(project: Project, dataset: str, meant: Meant, erasure: Erasure) -> tuple[ForgetResult, dict[str, Any]]:
    """Return what would go, and the body of the fact."""
    eraser = Eraser(erasure)
    facts = Ledger(project).read(write_back=False)
    sets = plan_sets(project, facts, eraser)
    body = _body(project, erasure, eraser)
    trained = [c.id for c in _certificates(project) if eraser.rows & set(c.rows)]
    words = [*sorted(meant.spelled)[:MOST_SPELLINGS], *erasure.rows[:MOST_SPELLINGS]]
    result = _result(
        project,
        dataset,
        meant,
        None,
        dry_run=True,
        versions=len(body["versions"]),
        sets=tuple(
            Successor(
                name=frozen.name,
                set=frozen.sha256,
                rows=len(frozen.rows),
                left=0 if after is None else len(after.rows),
                after=None if after is None else after.sha256,
            )
            for frozen, after in sets
        ),
        runs=len(body["runs"]),
        verdicts=tuple(verdicts_beside(project, facts, sets)),
        adapters=tuple(trained),
        commits=commits_with(project, words),
        still_there=files_with(project, eraser, meant.spelled, store=False),
        key="thrown away" if erasure.forget_key else "kept",
    )
    return result, body


def _body(project: Project, erasure: Erasure, eraser: Eraser) -> dict[str, Any]:
    facts = Ledger(project).read(write_back=False)
    records = every_record(project)
    examples = {row: found for row, r in records.items() if isinstance(found := from_record(r), Example)}
    return {
        "id": erasure.id,
        "reason": erasure.reason,
        "rows": sorted(eraser.hashes.values()),
        "short": erasure.short(),
        "key": None if erasure.forget_key else erasure.key_id,
        "versions": plan_versions(project, eraser),
        "sets": [
            {"set": frozen.sha256, "after": None if after is None else after.sha256}
            for frozen, after in plan_sets(project, facts, eraser)
        ],
        "runs": plan_runs(project, facts, eraser, examples),
        "certificates": [
            {"certificate": before.sha256, "after": after.sha256}
            for before, after in _changed_certificates(project, eraser)
        ],
    }


def _carry_out(project: Project, erasure: Erasure, progress: Progress | None) -> tuple[Fact, tuple[str, ...], int]:
    """Do all of it, or what is left to be done of it."""
    steps = ("facts", "versions and operations", "runs", "sets", "adapters", "numbers", "index")

    def say(step: int) -> None:
        if progress:
            progress(f"forgetting: {steps[step]}", step, len(steps))

    recover(project)
    ledger, eraser = Ledger(project), Eraser(erasure)
    say(0)
    facts = ledger.read()
    fact = next((f for f in facts.of("forgotten", id=erasure.id)), None)
    if fact is None:
        freeze_successors(project, ledger, plan_sets(project, facts, eraser), eraser)
        fact = ledger.write("forgotten", _body(project, erasure, eraser))
    say(1)
    for place in (project.store, project.decisions):
        clear_replaced(place)
    erase_store(project, eraser)
    say(2)
    erase_runs(project, eraser, ledger.read())
    decisions = erase_decisions(project, eraser)
    say(3)
    erase_sets(project, eraser, ledger.read())
    say(4)
    for before, after in _changed_certificates(project, eraser):
        for place in (project.adapters / before.id, project.store / "training" / before.id):
            if (place / FILE).is_file():
                replace_file(place / FILE, certificate_bytes(after))
    say(5)
    made = number_what_is_left(project, erasure.id)
    say(6)
    project.staging.clear()
    Catalogue(project).rebuild()
    key = secret_key(project)
    if erasure.forget_key and key is not None and key_id(key) == erasure.key_id:
        drop_key(project)
    close_journal(project)
    return fact, made, decisions


def _certificates(project: Project) -> list[Certificate]:
    folders = sorted(project.adapters.iterdir()) if project.adapters.is_dir() else []
    folders += sorted((project.store / "training").glob("*")) if (project.store / "training").is_dir() else []
    found: dict[str, Certificate] = {}
    for folder in folders:
        certificate = read_certificate(folder) if folder.is_dir() else None
        if certificate is not None:
            found.setdefault(certificate.sha256, certificate)
    return list(found.values())


def _changed_certificates(project: Project, eraser: Eraser) -> list[tuple[Certificate, Certificate]]:
    """Return the certificates that name rows or people that go, before and after."""
    found: list[tuple[Certificate, Certificate]] = []
    for before in _certificates(project):
        after = before.model_copy(
            update={
                "rows": tuple(eraser.hashes.get(row, row) for row in before.rows),
                "prompt": prompt_without(before.prompt, eraser),
                "waivers": tuple(eraser.value(w) for w in before.waivers),
            }
        )
        if json.dumps(after.model_dump(mode="json")) != json.dumps(before.model_dump(mode="json")):
            found.append((before, after))
    return found
