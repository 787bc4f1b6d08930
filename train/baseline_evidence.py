"""What stands on record of prompts, for the model to be tuned in the form that is measured.

Every score is recomputed from stored answers; a fact that says other things than its run is tampered. Knows nothing of
rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.core.errors import InputError, Refused, Tampered
from sluice.core.ledger import Fact, Facts
from sluice.core.prompt import rendered_hash
from sluice.core.rows import Example
from sluice.evalsuite.baselines.bench import Bench, dev_facts, next_limit, owed_on_dev, reached_limit, set_facts
from sluice.evalsuite.evaluate import rescored
from sluice.evalsuite.scoring import Scores
from sluice.evalsuite.stats.rates import Rate


@dataclass(frozen=True)
class Recorded:
    """A baseline that is asked for, and what stands on record of it."""

    label: str
    place: str
    """`dev` or the name of the eval set."""
    word: str
    """`intact`, `missing` (never measured), `absent` (measured, answers not here) or `tampered`."""
    reason: str = ""
    scores: Scores | None = None


@dataclass(frozen=True)
class BaselineEvidence:
    """What is on record of prompts, for the model to be tuned in the form that is measured."""

    recorded: tuple[Recorded, ...]
    best_label: str | None
    best_rate: Rate | None
    """Of the best baseline on the eval set."""
    best_spec: str | None
    rerun: int | None
    """The limit that the best prompt must be run again with, or None."""
    does_not_stop: bool
    prompts: tuple[str, ...]
    """Hashes of the prompts whose answers on dev are here and whole."""
    max_new_tokens: int
    other_models: tuple[str, ...]
    """Labels of baselines and references that are on record for another model or form."""


@dataclass(frozen=True)
class _Checked:
    """One recorded run, held against its fact."""

    word: str
    reason: str = ""
    scores: Scores | None = None


def collect_baselines(b: Bench, facts: Facts) -> BaselineEvidence:
    """Return what stands on record; every score is recomputed from stored answers.

    Asked for are today's prompts on dev, and the best on dev of all ever with today's few-shot on the eval set. Every
    other run on record is held against its fact, too: it had a say in which is the best.
    """
    on_dev, on_set = dev_facts(b, facts), set_facts(b, facts)
    places = ("dev", on_dev, b.dev), (b.frozen.name, on_set, b.frozen.rows)
    checked = {fact.hash: _check(b, fact, rows) for _, some, rows in places for fact in some}
    recorded: list[Recorded] = []
    ordered = sorted(b.dev, key=lambda r: r.row)
    for prompt in b.prompts():
        rendered = rendered_hash(prompt.render(r.input) for r in ordered)
        same = [checked[f.hash] for f in on_dev if f.body["rendered"] == rendered]
        recorded.append(_stand(prompt.name, "dev", same))
    for fact in owed_on_dev(b, facts):
        where = (b.project.runs / str(fact.body["run"]) / "run.json").is_file()
        reason = "measured on other dev rows, with less room or under another grader only"
        recorded.append(Recorded(str(fact.body["label"]), "dev", "missing" if where else "absent", reason))
    limit, best, rerun, endless = b.first_limit(), None, None, False
    if on_dev:
        best, rerun, endless = next_limit(b, facts)
        limit = reached_limit(b, facts)
        same = [checked[f.hash] for f in on_dev if f.body["spec"] == best.body["spec"]]
        recorded.append(_stand(str(best.body["label"]), "dev", same))
        few = b.few_shot()
        wanted = {str(best.body["prompt"]): str(best.body["label"])}
        wanted.setdefault(few.sha256, few.name)
        for sha256, label in wanted.items():
            same = [f for f in on_set if f.body["prompt"] == sha256 and int(f.body["max_new_tokens"]) == limit]
            recorded.append(_stand(label, b.frozen.name, [checked[f.hash] for f in same]))
        for place, some, _ in places:
            spoilt = [f for f in some if checked[f.hash].word == "tampered"]
            recorded += [_stand(str(f.body["label"]), place, [checked[f.hash]]) for f in spoilt]
    rates = [c.scores.rate for f in on_set if (c := checked[f.hash]).scores is not None]
    sign = 1.0 if b.question.direction == "higher" else -1.0
    return BaselineEvidence(
        recorded=tuple({(r.label, r.place, r.word, r.reason): r for r in recorded}.values()),
        best_label=None if best is None else str(best.body["label"]),
        best_rate=max(rates, key=lambda rate: sign * rate.estimate, default=None),
        best_spec=None if best is None else str(best.body["spec"]),
        rerun=rerun,
        does_not_stop=endless,
        prompts=tuple(sorted({str(f.body["prompt"]) for f in on_dev if checked[f.hash].word == "intact"})),
        max_new_tokens=limit,
        other_models=_others(b, facts),
    )


def _check(b: Bench, fact: Fact, rows: Sequence[Example]) -> _Checked:
    try:
        return _Checked("intact", scores=rescored(b.project, b.grader, fact, rows))
    except Tampered as error:
        return _Checked("tampered", str(error))
    except (Refused, InputError) as error:
        return _Checked("absent", error.message)


def _stand(label: str, place: str, same: Sequence[_Checked]) -> Recorded:
    """Return how a prompt stands: tampered where any record of it is, else intact where one is whole."""
    for word in ("tampered", "intact", "absent"):
        found = next((c for c in same if c.word == word), None)
        if found is not None:
            return Recorded(label, place, word, found.reason, found.scores)
    return Recorded(label, place, "missing", "never measured")


def _others(b: Bench, facts: Facts) -> tuple[str, ...]:
    found = {
        str(f.body.get("label"))
        for f in facts.of("evaluated", set=b.frozen.sha256)
        if f.body.get("base") != b.base_sha256 or f.body.get("form") != b.form.name
    }
    found |= {str(f.body.get("name")) for f in facts.of("reference", set=b.frozen.sha256)}
    return tuple(sorted(found))
