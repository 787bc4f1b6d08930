"""Where a project stands: what is done, what is missing, and the next command.

It reads names, facts, manifests and certificates as they lie, and recomputes nothing: that is what `gate` and `verify`
are for. It imports no engine, so that it answers at once. Knows nothing of terminals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from sluice.core.columns import add_options, first_record
from sluice.core.ledger import Fact, Facts
from sluice.core.looked import looked
from sluice.core.part_sizes import size_options
from sluice.core.project import Project
from sluice.core.standing import (
    PARTS,
    DatasetState,
    Seen,
    adapter_certificates,
    came_since_split,
    deciding,
    is_graded,
    newest_facts,
    parts_of,
    read_json,
    read_standing,
    verdict_file,
)
from sluice.core.wording import counted, export_command, typed

NO_OPENING = (
    "no opening of the eval set is left: no verdict on what has none yet; "
    'choose on dev, or freeze new rows (sluice freeze PART --as NAME --reason "...")'
)
READABLE = (".jsonl", ".csv", ".parquet", ".tsv", ".json")


@dataclass(frozen=True)
class Stage:
    """One step of the road."""

    name: str
    """`data`, `eval set`, `baseline` or `adapter`."""
    done: bool
    text: str
    here: bool = False
    """Whether this is the first step that is not done."""


@dataclass(frozen=True)
class Step:
    """A command worth running now, and what it does."""

    command: str
    remark: str = ""


@dataclass(frozen=True)
class Status:
    """All of it."""

    name: str
    root: str
    started: bool
    """Whether there is a sluice.toml."""
    broken: bool
    """Whether sluice.toml is there and cannot be used."""
    curate_only: bool
    stages: tuple[Stage, ...]
    datasets: tuple[DatasetState, ...]
    next: tuple[Step, ...]
    openings_used: int | None = None
    """Of the eval set that decides; None where nothing is frozen."""
    openings_allowed: int | None = None
    waived: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    """Closing lines for who has just begun."""


def status(project: Project) -> Status:
    """Return where a project stands. A sluice.toml or ledger that cannot be read becomes a notice, never an error."""
    seen = read_standing(project)
    started = project.has_config
    curate_only = bool(seen.task.get("curate_only")) or (not started and not seen.of("frozen"))
    data = _data_stage(seen, curate_only)
    frozen, set_stage = _set_stage(project, seen)
    used, allowed = _openings(seen, frozen)
    spent = used is not None and allowed is not None and used >= allowed
    stages = [data]
    if not curate_only:
        stages += [set_stage, _baseline_stage(seen, frozen), _adapter_stage(project, seen, frozen)]
    here = next((i for i, s in enumerate(stages) if not s.done), None)
    stages = [Stage(s.name, s.done, s.text, i == here) for i, s in enumerate(stages)]
    return Status(
        name=str(seen.task.get("name") or project.root.name),
        root=str(project.root),
        started=started,
        broken=seen.broken,
        curate_only=curate_only,
        stages=tuple(stages),
        datasets=tuple(seen.datasets.values()),
        next=tuple(_next(project, seen, stages, started, curate_only, frozen, spent)),
        openings_used=used,
        openings_allowed=allowed,
        waived=tuple(_waivers(seen)),
        notices=(
            *seen.notices,
            *_ledger_notices(seen.facts),
            *_unfinished(project),
            *([NO_OPENING] if spent and not stages[-1].done else []),
        ),
        advice=_advice(started, curate_only, seen),
    )


def _rows(n: int | None) -> str:
    return "content not here" if n is None else counted(n, "row")


def _data_stage(seen: Seen, curate_only: bool) -> Stage:
    if not seen.datasets:
        return Stage("data", False, "none yet")
    whole = [d for n, d in seen.datasets.items() if "/" not in n and (curate_only or n == seen.data)]
    parts = parts_of(seen)
    text = ", ".join(f"{d.name}@{d.version} {_rows(d.rows)}" for d in whole[:3])
    more = len([n for n in seen.datasets if "/" not in n]) - len(whole[:3])
    text = text or f"no dataset is called {seen.data}"
    if more > 0:
        text += f", {counted(more, 'other dataset')}"
    if parts:
        text += "; " + ", ".join(f"{p} {d.rows:,}" if d.rows is not None else p for p, d in parts.items())
    return Stage("data", bool(whole) and (curate_only or set(PARTS) <= set(parts)), text)


def _set_stage(project: Project, seen: Seen) -> tuple[Fact | None, Stage]:
    fact, apart = deciding(seen)
    if apart:
        names = ", ".join(str(f.body.get("set"))[:8] for f in apart)
        return None, Stage("eval set", False, f"{len(apart)} frozen apart from each other ({names}): one has to decide")
    if fact is None:
        return None, Stage("eval set", False, "-")
    name, digest = str(fact.body.get("name")), str(fact.body.get("set"))
    folder = project.evals / f"{name.replace('/', '-')}-{digest[:8]}"
    text = f"{name} ({digest[:8]}), {_rows(cast('int', fact.body.get('rows')))}"
    if not (folder / "manifest.json").is_file():
        return fact, Stage("eval set", False, f"{text}: evals/{folder.name} is not here")
    if not seen.of("claimed", set=digest):
        return fact, Stage("eval set", False, f"{text}: nothing is asked of it yet")
    return fact, Stage("eval set", True, text)


def _openings(seen: Seen, frozen: Fact | None) -> tuple[int | None, int | None]:
    if frozen is None or seen.facts is None:
        return None, None
    digest = frozen.body.get("set")
    claims = newest_facts(seen.facts, seen.facts.of("claimed", set=digest))
    question = claims[-1].body.get("question") if claims else None
    allowed = cast("dict[str, Any]", question).get("openings") if isinstance(question, dict) else None
    used = {f.body.get("spec") for f in seen.facts.of("opened", set=digest) if f.body.get("adapter")}
    return len(used), allowed if isinstance(allowed, int) else None


def _baseline_stage(seen: Seen, frozen: Fact | None) -> Stage:
    digest = frozen.body.get("set") if frozen is not None else None
    found = seen.of("baseline", set=digest) if digest else []
    if not found:
        started = len(seen.of("evaluated", role="baseline"))
        return Stage("baseline", False, f"begun: {counted(started, 'run')} recorded" if started and digest else "-")
    body = found[-1].body
    best = seen.of("evaluated", spec=body.get("best"))
    label = str(best[-1].body.get("label")) if best else str(body.get("best"))[:8]
    listed = set(map(str, cast("list[Any]", body.get("dev")))) if isinstance(body.get("dev"), list) else set[str]()
    prompts = {f.body.get("prompt") for f in seen.of("evaluated") if f.hash in listed}
    many = f", the best of {len(prompts)} prompts on dev" if len(prompts) > 1 else ""
    return Stage("baseline", True, f"{label} ({body.get('form')}){many}")


def _adapter_stage(project: Project, seen: Seen, frozen: Fact | None) -> Stage:
    found = adapter_certificates(project)
    if not found:
        trained = len(seen.of("trained"))
        return Stage("adapter", False, f"{trained} trained, not in this copy" if trained else "-")
    digest = frozen.body.get("set") if frozen is not None else None
    newest = list(found)[-1]
    said = {name: v for name, c in found.items() if (v := _verdict(project, seen, str(digest), name, c))}
    others = [f"{name}: {v.partition(':')[0]}" for name, v in said.items() if name != newest]
    more = f"; {', '.join(others)}" if others else f", {len(found)} in all" if len(found) > 1 else ""
    if newest in said:
        return Stage("adapter", True, f"{newest}: {said[newest]}{more if others else ''}")
    word = "" if found[newest] else ", without certificate"
    cut = _opened(seen, frozen, found[newest])
    state = "the eval set was opened for it and is not answered to its end" if cut else "no verdict yet"
    return Stage("adapter", False, f"{newest}{word}; {state}{more}")


def _opened(seen: Seen, frozen: Fact | None, certificate: dict[str, Any]) -> bool:
    """Return whether the deciding set was opened for an adapter."""
    adapter = certificate.get("adapter")
    return frozen is not None and bool(adapter and seen.of("opened", set=frozen.body.get("set"), adapter=adapter))


def _verdict(project: Project, seen: Seen, digest: str, name: str, certificate: dict[str, Any]) -> str | None:
    """Return the verdict on an adapter as it was said, None where its answers on the eval set are not on record."""
    adapter = certificate.get("adapter")
    if not adapter or not seen.of("evaluated", set=digest, adapter=adapter):
        return None
    kept = read_json(verdict_file(project, str(adapter), digest))
    if not kept:
        return f"judged (sluice compare {name} --final shows the verdict again)"
    word = str(kept.get("word")).replace("-", " ")
    other = kept.get("against_reference")
    beside = f"; against the reference: {str(other).replace('-', ' ')}" if other else ""
    return f"{word}: {str(kept.get('sentence')).removesuffix(f', {word}')}{beside}"


def _next(
    project: Project,
    seen: Seen,
    stages: list[Stage],
    started: bool,
    curate_only: bool,
    frozen: Fact | None,
    spent: bool,
) -> Iterator[Step]:
    data = seen.data
    here = next((s.name for s in stages if s.here), None)
    if seen.broken:
        yield Step("sluice status", "again, once sluice.toml is mended")
    elif not seen.datasets or (here == "data" and data not in seen.datasets):
        files, options = _raw_files(project)
        command = " ".join(["sluice add", data, files, *([options] if options else [])])
        if options is None:
            yield Step(f"{command} --dry-run", "names the columns: which is the input? then --input COL")
        else:
            yield Step(f"{command} --dry-run", "shows what would be read")
            yield Step(command, "columns not named stay as metadata" if options else "")
    elif curate_only:
        newest = seen.datasets.get(data) or next(iter(seen.datasets.values()))
        yield from _join_step(project, newest.name)
        if not _found_nothing(project, "audit", newest):
            yield Step(f"sluice audit {newest.name}", "what is wrong with these rows?")
        if newest.made_by == "add" and not _found_nothing(project, "dedup", newest):
            yield Step(f"sluice dedup {newest.name}", "drop repeated rows, each shown beside the row kept")
        yield Step(export_command(newest.name, project.root))
        if not started:
            yield Step("sluice init", "to measure prompts on these rows, and perhaps to train")
    elif here == "data":
        if seen.datasets[data].made_by == "add" and not _found_nothing(project, "dedup", seen.datasets[data]):
            yield Step(f"sluice dedup {data}", "drop repeated rows, each shown beside the row kept")
        sizes = size_options(seen.datasets[data].rows)
        yield Step(f"sluice split {data} {sizes}", "parts train, dev, eval that share nothing")
    elif here == "eval set":
        yield from _join_step(project, data)
        yield from _set_steps(project, seen, frozen)
    elif here == "baseline":
        yield Step("sluice baseline", "how far does a prompt alone get?")
    elif not adapter_certificates(project):
        if seen.facts is None or not is_graded(seen.facts):
            yield Step("sluice grade", "judge 30 answers yourself, blind: about ten minutes")
        yield Step("sluice gate", "what training still lacks")
        yield Step("sluice train sft", "once the gate is open")
    elif here is None:
        yield Step("sluice adapters", "what was trained, and where it lies")
    else:
        newest_id = list(adapter_certificates(project))[-1]
        yield Step(f"sluice compare {newest_id}", "on dev, no evidence")
        if not spent or _opened(seen, frozen, adapter_certificates(project)[newest_id]):
            yield Step(f"sluice compare {newest_id} --final", "the verdict: opens the eval set")
        else:
            yield Step("sluice adapters", "what was judged")


def _join_step(project: Project, dataset: str) -> Iterator[Step]:
    if came_since_split(project, dataset):
        yield Step(f"sluice split {dataset}", "rows that came since the parts were made are in none: they join them")


def _found_nothing(project: Project, verb: str, dataset: DatasetState) -> bool:
    return looked(project).get(verb, {}).get(dataset.name) == dataset.version


def _set_steps(project: Project, seen: Seen, frozen: Fact | None) -> Iterator[Step]:
    _, apart = deciding(seen)
    if apart:
        yield Step(f'sluice freeze --keep {str(apart[0].body.get("set"))[:8]} --reason "..."', "which one decides")
    elif frozen is not None and seen.of("claimed", set=frozen.body.get("set")):
        yield Step("git checkout evals", "the frozen set is in git")
        yield Step("sluice verify", "what is intact, absent or tampered with")
    elif set(_kinds(seen)) - {"example"}:
        yield Step(f"sluice audit {seen.data}/train", "what is wrong with these rows?")
        yield Step(export_command(f"{seen.data}/train", project.root), "an eval set is frozen of examples only")
    else:
        yield Step("sluice freeze", "from then on the eval rows do not change")


def _kinds(seen: Seen) -> tuple[str, ...]:
    part = seen.datasets.get(f"{seen.data}/eval")
    return part.kinds if part is not None else ()


def _raw_files(project: Project) -> tuple[str, str | None]:
    """Return how the files that lie here would be named, and the options for them; None where they say nothing."""
    for folder in (project.root / "raw", project.root / "data", project.root):
        if not folder.is_dir():
            continue
        for ending in READABLE:
            found = sorted(p.name for p in folder.glob(f"*{ending}") if p.name != "schema.json")
            if found:
                place = "" if folder == project.root else f"{folder.name}/"
                names = f"{place}*{ending}" if len(found) > 1 else typed(f"{place}{found[0]}")
                return names, add_options(first_record(folder / found[0]))
    return "raw/*.csv", "--input body"


def _waivers(seen: Seen) -> Iterator[str]:
    for fact in seen.of("waived"):
        body = fact.body
        yield f"{body.get('rule')} for {body.get('dataset')}: {body.get('reason')} ({fact.account})"


def _ledger_notices(facts: Facts | None) -> Iterator[str]:
    if facts is None:
        return
    for word in ("tampered", "absent", "foreign"):
        found = [p for p in facts.problems if p.word == word]
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            yield f"{word}: {found[0].name}: {found[0].reason}{more} (sluice verify)"
    if facts.written_back:
        yield f"{counted(len(facts.written_back), 'fact is', 'facts are')} missing from ledger/: written back"
    if facts.facts and facts.uncommitted is None:
        yield "nothing of this project is committed in git, so nothing outside it anchors the ledger (git init)"
    elif facts.uncommitted:
        waiting = counted(len(facts.uncommitted), "fact is", "facts are")
        yield f"{waiting} not committed yet (git add ledger evals decisions)"


def _unfinished(project: Project) -> Iterator[str]:
    training = project.store / "training"
    for folder in sorted(training.iterdir()) if training.is_dir() else []:
        if (folder / "passed.json").is_file() and not (folder / "done").is_file():
            yield f"{folder.name} is not trained to its end: the same `sluice train` goes on from its last checkpoint"
    runs = [p.parent for p in project.runs.glob("*/run.json")] if project.runs.is_dir() else []
    still = [r.name for r in sorted(runs) if not (r / "closed.json").is_file()]
    if still:
        more = f" and {len(still) - 1} more" if len(still) > 1 else ""
        yield f"the run {still[0]}{more} is not closed: the same command goes on where it was"


def _advice(started: bool, curate_only: bool, seen: Seen) -> tuple[str, ...]:
    if not started or curate_only or seen.datasets:
        return ()
    return (
        "Only cleaning data? add, dedup, audit, export. Nothing else is needed.",
        "Going to train? `sluice gate` lists what it takes, at any time.",
    )
