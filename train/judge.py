"""The verdict on an adapter: measured under its own prompt, against the best prompt, on dev or (final) on the eval set.

Leakage is checked again, between the eval set and all rows that the adapter was trained on: a set frozen afterwards
from training rows proves nothing. A verdict is computed from stored answers of closed runs, never from a fact's number.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Refused
from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.evalsuite.asking import Form, spec_for
from sluice.evalsuite.baselines.bench import Bench, bench, dev_facts, next_limit, reached_limit, set_facts
from sluice.evalsuite.baselines.measure import constant_scores, here
from sluice.evalsuite.compare import Comparison, compare_scores
from sluice.evalsuite.evaluate import Candidate, Place, find_place, measure_on, rescored, set_place
from sluice.evalsuite.models.identity import ModelFiles, ModelIdentity
from sluice.evalsuite.openings import Openings, all_spent, openings, refuse_spoilt
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import Scores
from sluice.evalsuite.sets import deciding_set
from sluice.train.adapters import Adapter, open_adapter
from sluice.train.seen_before import foreign, refuse_dev_leaks, refuse_trained_leaks, require_certificate

_OTHER_ROOM = (
    "it opened the set with room for {room} new tokens, and prompts are given {limit} by now: its first run on the set "
    "is the one that counts"
)


class Judged(BaseModel):
    """A comparison of an adapter, and what was spent on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    adapter: str
    comparison: Comparison
    against_reference: Comparison | None = None
    opening: int | None
    """Which opening of the eval set this was; None on dev."""
    allowed: int | None
    waived: tuple[str, ...]
    openable: bool
    """Whether `compare ID --final` can give a verdict: an opening is left, or one was made for this adapter."""


class Cost(BaseModel):
    """What a final comparison would spend, said before it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str
    rows: int
    opening: int
    allowed: int
    already_open: bool


def final_cost(project: Project, identity: str, files: ModelFiles, form: Form) -> Cost:
    """Return what `compare ID --final` would spend. Raises as `judge` for what would refuse it anyway."""
    facts = Ledger(project).read()
    b = bench(project, files, form, facts)
    adapter = open_adapter(project, identity, facts)
    _check_base(adapter, b)
    refuse_spoilt(project, facts, b.frozen)
    refuse_trained_leaks(project, adapter, b.frozen)
    refuse_dev_leaks(project, facts, b.frozen)
    counted = openings(project, facts, b.frozen, b.question)
    candidate = candidate_of(adapter, files, form, b.identity)
    spec = spec_for(
        files,
        form,
        candidate.prompt,
        list(b.frozen.rows),
        role="eval",
        on=b.frozen.name,
        max_new_tokens=final_room(facts, b, adapter, counted),
        adapter=candidate.adapter_sha256,
        identity=b.identity,
    )
    mine = spec.sha256 in counted.made
    used = counted.used if mine else counted.used_by_others(spec.sha256) + 1
    if not mine and used > counted.allowed:
        raise all_spent(counted, b.frozen)
    return Cost(
        set=b.frozen.name,
        rows=len(b.frozen.rows),
        opening=used,
        allowed=counted.allowed,
        already_open=mine,
    )


def judge(
    project: Project,
    identity: str,
    files: ModelFiles,
    form: Form,
    *,
    final: bool = False,
    progress: Progress | None = None,
) -> Judged:
    """Compare an adapter with the best of the recorded baselines, on dev or on the eval set.

    Raises:
        Refused: a foreign adapter, no eval set or baseline on record, a ledger that is not whole, all openings spent, a
            leak between eval set and training rows, another base or form than the adapter's.
        Tampered: adapter, certificate or stored answers are not what was recorded.
    """
    ledger = Ledger(project)
    facts = ledger.read()
    adapter = open_adapter(project, identity, facts)
    b = bench(project, files, form, facts)
    _check_base(adapter, b)
    if final:
        refuse_spoilt(project, facts, b.frozen)
        refuse_trained_leaks(project, adapter, b.frozen)
        refuse_dev_leaks(project, facts, b.frozen)
    candidate = candidate_of(adapter, files, form, b.identity)
    place = _eval_place(project, facts, b) if final else find_place(project, facts, None, final=False)
    reference_facts = set_facts(b, facts) if final else dev_facts(b, facts)
    if final and not facts.of("baseline", set=b.frozen.sha256, base=b.base_sha256, form=form.name):
        raise Refused(f"absent: no baseline in the form {form.name} on the eval set", remedy="sluice baseline")
    if not reference_facts:
        raise Refused(f"absent: no baseline of {files.name} ({form.name})", remedy="sluice baseline")
    best_on_dev, rerun, _ = next_limit(b, facts)
    if rerun is not None:
        raise Refused("the baseline's answers are cut: it must be run with more room", remedy="sluice baseline")
    limit = reached_limit(b, facts)
    asked = [(f.body["prompt"], f.body["max_new_tokens"]) for f in reference_facts]
    if final and (best_on_dev.body["prompt"], limit) not in asked:
        raise Refused(
            f"absent: the best prompt on dev, {best_on_dev.body['label']}, is not measured on the eval set",
            remedy="sluice baseline",
        )
    label, best = _best(project, b, reference_facts, place)
    constant = constant_scores(b.grader, b.dev, place.rows)
    reference = _reference(project, b) if final else None  # before anything is spent on a comparison without it
    room = final_room(facts, b, adapter, openings(project, facts, b.frozen, b.question)) if final else limit
    measured = measure_on(
        project, candidate, place, question=b.question, grader=b.grader, max_new_tokens=room, progress=progress
    )
    facts = ledger.read()
    counted = openings(project, facts, b.frozen, b.question)
    prompt = None
    if constant is not None and _beats(b, constant, best):
        prompt = (label, best)
        label, best = "constant answer", constant
    prompts = {str(f.body["prompt"]) for f in dev_facts(b, facts)}
    candidate_scores = (adapter.id, measured.scores)
    comparison = compare_scores(
        _against_prompts(b.question),
        (label, best),
        candidate_scores,
        on=place.name,
        final=final,
        groups=place.groups,
        divisor=counted.divisor if final else 1,
        measured=len(prompts),
        constant=constant,
        prompt=prompt,
        cost=project.config.cost,
        notes=(
            "one training seed: the noise between seeds is not in this interval",
            *(() if room == limit else (_OTHER_ROOM.format(room=room, limit=limit),)),
        ),
    )
    return Judged(
        adapter=adapter.id,
        comparison=comparison,
        against_reference=None
        if reference is None
        else compare_scores(
            b.question,
            reference,
            candidate_scores,
            on=place.name,
            final=True,
            groups=place.groups,
            divisor=counted.divisor,
        ),
        opening=_opening_of(facts, b, adapter) if final else None,
        allowed=counted.allowed if final else None,
        waived=tuple(str(w["rule"]) for w in require_certificate(adapter).waivers),
        openable=counted.used < counted.allowed or not _specs_opened(facts, b, adapter).isdisjoint(counted.made),
    )


def final_room(facts: Facts, b: Bench, adapter: Adapter, counted: Openings) -> int:
    """Return the room for new tokens that an adapter is asked with on the eval set.

    It is the room that its opening was made with, though dev may ask for another one by now: the first run on the set
    is the one. Without an opening it is what prompts are given today.
    """
    opened = facts.of("opened", set=b.frozen.sha256, adapter=adapter.sha256)
    made = [f.body for f in opened if f.body.get("spec") in counted.made]
    rooms = [room for body in made if isinstance(room := body.get("max_new_tokens"), int)]
    today = reached_limit(b, facts)
    return today if today in rooms or not rooms else rooms[0]


def _specs_opened(facts: Facts, b: Bench, adapter: Adapter) -> set[str]:
    return {str(f.body.get("spec")) for f in facts.of("opened", set=b.frozen.sha256, adapter=adapter.sha256)}


def _eval_place(project: Project, facts: Facts, b: Bench) -> Place:
    state = deciding_set(project, facts)
    if state is None or state.sha256 != b.frozen.sha256:
        raise Refused("no eval set decides", remedy="sluice freeze")
    return set_place(state, final=True)


def candidate_of(
    adapter: Adapter,
    files: ModelFiles,
    form: Form,
    identity: ModelIdentity | None = None,
    *,
    foreign_prompt: Prompt | None = None,
) -> Candidate:
    """Return an adapter as a candidate.

    Args:
        foreign_prompt: what a foreign adapter is asked under, which has no certificate to say so.

    Raises Refused for a foreign one without it.
    """
    prompt = adapter.prompt or foreign_prompt
    if prompt is None:
        raise foreign(adapter)
    return Candidate(
        label=adapter.id if adapter.certificate else f"{adapter.id} (foreign)",
        prompt=prompt,
        files=files,
        form=form,
        adapter=adapter.folder,
        adapter_sha256=adapter.sha256,
        identity=identity,
    )


def _check_base(adapter: Adapter, b: Bench) -> None:
    certificate = require_certificate(adapter)
    if certificate.base_sha256 != b.base_sha256:
        raise Refused(
            f"{adapter.id} was trained on {certificate.base}, another model than today's base {b.files.name}",
            where="sluice.toml [model] base",
            remedy=f'set base = "{certificate.base}" back, or train again',
        )
    if certificate.form != b.form.name:
        raise Refused(
            f"{adapter.id} passed the gate in the form {certificate.form}, today's form is {b.form.name}",
            where="sluice.toml [model] serve",
            remedy="set the form back, or: sluice baseline, then train again",
        )


def _best(project: Project, b: Bench, facts: list[Fact], place: Place) -> tuple[str, Scores]:
    """Return the best baseline on the place, scored from stored answers; absent ones are refused, not passed over."""
    by_spec: dict[str, list[Fact]] = {}
    for fact in facts:
        by_spec.setdefault(str(fact.body["spec"]), []).append(fact)
    scored: list[tuple[str, Scores]] = []
    for same in by_spec.values():
        stored = here(b, same)  # one question measured again after its answers were lost has several facts
        scored += [(str(f.body["label"]), rescored(project, b.grader, f, place.rows)) for f in (stored or same)]
    if not scored:
        raise InputError("there is no baseline to compare with", remedy="sluice baseline")
    sign = 1.0 if b.question.direction == "higher" else -1.0
    return max(scored, key=lambda pair: sign * pair[1].mean)


def _beats(b: Bench, one: Scores, other: Scores) -> bool:
    return one.mean > other.mean if b.question.direction == "higher" else one.mean < other.mean


def _opening_of(facts: Facts, b: Bench, adapter: Adapter) -> int:
    ordered = [f for f in facts.of("opened", set=b.frozen.sha256) if f.body.get("adapter")]
    specs: list[str] = []
    for fact in ordered:
        if str(fact.body.get("spec")) not in specs:
            specs.append(str(fact.body.get("spec")))
    mine = [str(f.body.get("spec")) for f in ordered if f.body["adapter"] == adapter.sha256]
    return specs.index(mine[0]) + 1 if mine else len(specs)


def _reference(project: Project, b: Bench) -> tuple[str, Scores] | None:
    """Return the reference that the claim is against, None where it is against the baseline. Refused where absent."""
    if not b.question.against.startswith("reference:"):
        return None
    from sluice.evalsuite.reference import reference_scores

    name = b.question.against.removeprefix("reference:")
    return f"reference {name}", reference_scores(project, b.grader, b.frozen, name)


def _against_prompts(question: Question) -> Question:
    """Return what is asked against the base's own prompts: where the claim is against a reference, always better."""
    if not question.against.startswith("reference:"):
        return question
    return question.model_copy(update={"claim": "better", "margin": None})
