"""The ledger's story: every fact in order, parents first, in one plain sentence each.

Facts name hashes; the names that people use (sets, adapters, prompts) are looked up where this copy knows them. Figures
without their interval are not told: a verdict is computed from stored answers, never read from a fact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sluice.core.ledger import Fact, Facts, Ledger
from sluice.core.project import Project
from sluice.core.standing import adapter_certificates, read_json
from sluice.core.wording import counted

SHOWN = 10  # hex digits of a fact that people see


@dataclass(frozen=True)
class StoryLine:
    """One fact, told."""

    hash: str
    kind: str
    known: bool
    """Whether this version knows the kind; an unknown one satisfies no rule."""
    text: str
    account: str
    time: str
    committed: bool | None
    """Whether HEAD holds it; None without git."""
    body: dict[str, Any]


@dataclass(frozen=True)
class Story:
    """The lines in order, and what is wrong with the ledger's files."""

    lines: tuple[StoryLine, ...]
    total: int
    """Facts in all, where only the last ones are told."""
    problems: tuple[str, ...]
    written_back: tuple[str, ...]


def story(project: Project, last: int | None = None) -> Story:
    """Return the story of a project, or its last lines.

    Args:
        last: how many lines; None for all.

    Raises InputError where sluice.toml cannot be read.
    """
    facts = Ledger(project).read()
    teller = _Teller(project, facts)
    uncommitted = None if facts.uncommitted is None else set(facts.uncommitted)
    told = [
        StoryLine(
            hash=fact.hash,
            kind=fact.kind,
            known=fact.known,
            text=teller.tell(fact),
            account=fact.account,
            time=fact.time,
            committed=None if uncommitted is None else fact.hash not in uncommitted,
            body=fact.body,
        )
        for fact in facts.facts
    ]
    return Story(
        lines=tuple(told if last is None else told[max(0, len(told) - last) :]),
        total=len(told),
        problems=tuple(f"{p.word}: {p.name}: {p.reason}" for p in facts.problems),
        written_back=facts.written_back,
    )


class _Teller:
    """Tells facts by the names that this copy knows."""

    def __init__(self, project: Project, facts: Facts):
        self.project = project
        self.facts = facts
        self.sets = {str(f.body.get("set")): str(f.body.get("name")) for f in facts.of("frozen")}
        self.adapters: dict[str, str] = {}
        self.passes: dict[str, str] = {}
        for name, certificate in adapter_certificates(project).items():  # oldest first: a copy renames no old fact
            if certificate.get("adapter"):
                self.adapters.setdefault(str(certificate["adapter"]), name)
                self.passes.setdefault(str(certificate.get("passed")), name)
        self.labels = {str(f.body.get("spec")): str(f.body.get("label")) for f in facts.of("evaluated")}
        self.claims: dict[str, dict[str, Any]] = {}
        self.specs: dict[str, list[str]] = {}
        self.tellers: dict[str, Callable[[dict[str, Any]], str]] = {
            "frozen": self._frozen,
            "claimed": self._claimed,
            "chosen": lambda b: f"chose {self._set(b)} to decide: {b.get('reason')}",
            "opened": self._opened,
            "evaluated": self._evaluated,
            "baseline": self._baseline,
            "reference": lambda b: f"recorded the reference {b.get('name')} ({b.get('identity')}) on {self._set(b)}",
            "graded": self._graded,
            "waived": lambda b: f"waived {b.get('rule')} for {b.get('dataset')}: {b.get('reason')}",
            "passed": self._passed,
            "trained": self._trained,
            "forgotten": self._forgotten,
            "promoted": lambda b: f"promoted {self._adapter(b)}",
        }

    def tell(self, fact: Fact) -> str:
        """Return a fact as a sentence; one of another kind, or with other contents than ours, as it stands."""
        teller = self.tellers.get(fact.kind)
        if teller is None:
            word = fact.kind if fact.known else f"{fact.kind} (unknown to this version)"
            simple = {k: v for k, v in sorted(fact.body.items()) if isinstance(v, (str, int)) and len(str(v)) <= 60}
            return f"{word} " + ", ".join(f"{k} {v}" for k, v in simple.items())
        return " ".join(teller(fact.body).split())

    def _set(self, body: dict[str, Any]) -> str:
        digest = str(body.get("set"))
        return self.sets.get(digest) or f"the set {digest[:8]}"

    def _adapter(self, body: dict[str, Any]) -> str:
        digest = str(body.get("adapter"))
        return self.adapters.get(digest) or f"the adapter {digest[:8]}"

    def _frozen(self, body: dict[str, Any]) -> str:
        kind = "guard set" if body.get("guard") else "eval set"
        why = f", in the place of {self._set({'set': body['after']})}" if body.get("after") else ""
        reason = f": {body['reason']}" if body.get("reason") else ""
        return f"froze {body.get('name')}: {kind} of {_rows(body.get('rows'))} from {body.get('dataset')}{why}{reason}"

    def _claimed(self, body: dict[str, Any]) -> str:
        question = cast("dict[str, Any]", body.get("question") if isinstance(body.get("question"), dict) else {})
        digest = str(body.get("set"))
        before = self.claims.get(digest)
        self.claims[digest] = question
        claim = str(question.get("claim")).replace("-", " ")
        asks = f"{question.get('metric')}, {claim} than the {question.get('against')}"
        n = question.get("openings")
        openings = "1 opening" if n == 1 else f"{n} openings"
        if before is None:
            return f"asks of {self._set(body)}: {asks}, {openings}"
        changed = ", ".join(sorted(k for k in question if question[k] != before.get(k)))
        return f"asks otherwise of {self._set(body)} ({changed or 'nothing changed'}): {body.get('reason')}"

    def _opened(self, body: dict[str, Any]) -> str:
        spec, digest = str(body.get("spec")), str(body.get("set"))
        if not body.get("adapter"):
            return f"opened {self._set(body)} for a {body.get('role')}: {self.labels.get(spec) or spec[:8]}"
        seen = self.specs.setdefault(digest, [])
        if spec not in seen:
            seen.append(spec)
        allowed = self.claims.get(digest, {}).get("openings")
        count = f"opening {seen.index(spec) + 1}" + (f" of {allowed}" if allowed else "")
        return f"opened {self._set(body)} for {self._adapter(body)}: {count}"

    def _evaluated(self, body: dict[str, Any]) -> str:
        where = self._set(body) if body.get("set") else self._part(body)
        cut = f", {body['cut']} cut" if body.get("cut") else ""
        errors = f", {body['errors']} in error" if body.get("errors") else ""
        what = f"{body.get('role')} {body.get('label')}"
        return f"recorded {_rows(body.get('n'))} answered on {where}: {what} ({body.get('form')}){cut}{errors}"

    def _part(self, body: dict[str, Any]) -> str:
        """Return the part that was asked, as the run's own record names it; baselines are always measured on dev."""
        asked = read_json(self.project.runs / str(body.get("run")) / "run.json").get("on")
        if isinstance(asked, str):
            return asked
        return "dev" if body.get("role") == "baseline" else "a part"

    def _baseline(self, body: dict[str, Any]) -> str:
        best = str(body.get("best"))
        listed = body.get("dev")
        dev = set(map(str, cast("list[Any]", listed))) if isinstance(listed, list) else set[str]()
        prompts = {f.body.get("prompt") for f in self.facts.of("evaluated") if f.hash in dev}
        label = self.labels.get(best) or best[:8]
        many = f"{label} is the best of {len(prompts)} prompts on dev"
        return f"closed the baseline of {self._set(body)} ({body.get('form')}): {many}"

    def _graded(self, body: dict[str, Any]) -> str:
        return (
            f"{body.get('by')} graded blind: {body.get('controls_right')} of {body.get('controls')} controls right, "
            f"agrees on {body.get('agree')} of {body.get('graded')} answers"
        )

    def _passed(self, body: dict[str, Any]) -> str:
        waived = body.get("waived")
        names = ", ".join(map(str, cast("list[Any]", waived))) if isinstance(waived, list) and waived else ""
        tail = f", waived: {names}" if names else ""
        return f"passed the gate for {body.get('method')}: {_rows(body.get('n'))} of {body.get('dataset')}{tail}"

    def _forgotten(self, body: dict[str, Any]) -> str:
        counts = {
            name: len(cast("list[Any]", found)) if isinstance(found := body.get(name), list) else 0
            for name in ("rows", "versions", "sets", "runs")
        }
        held = [counted(counts[name], name[:-1]) for name in ("versions", "sets", "runs") if counts[name]]
        return f"forgot {_rows(counts['rows'])}, held by {', '.join(held) or 'nothing'}: {body.get('reason')}"

    def _trained(self, body: dict[str, Any]) -> str:
        name = self.passes.get(str(body.get("passed"))) or self._adapter(body)
        return f"trained {name} by {body.get('method')} on {_rows(body.get('n'))}"


def _rows(n: Any) -> str:
    if not isinstance(n, int):
        return "some rows"
    return counted(n, "row")
