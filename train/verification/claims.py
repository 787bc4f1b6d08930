"""What facts say of each other and of rows: a pass, a baseline or an opening that stands on nothing is found by name.

A fact is bytes that anybody can write and hash. So what it stands on must be under it in the graph, and what can be
recomputed of it from rows (which rows, leaks, clusters) is recomputed. Where a fact's own past is partly absent, what
it lacks counts as absent; where its past is whole, as tampered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sluice import __version__
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Fact, Facts
from sluice.core.progress import Progress
from sluice.core.runs import rows_hash
from sluice.curate.audit import audit_rows
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.dataset import Version
from sluice.curate.leaks.eval_side import relation_of
from sluice.curate.leaks.find import find_leaks
from sluice.curate.similar.clusters import similarity_clusters
from sluice.curate.similar.similarity import VERSION as SIMILARITY
from sluice.evalsuite.gradable import AGREEMENT_NEEDED, CONTROLS_NEEDED
from sluice.evalsuite.question import claim_problem
from sluice.train.policy import ADVICE, FEWEST_CLUSTERS, HARD, WAIVABLE
from sluice.train.verification.finding import Finding, absent, intact, tampered
from sluice.train.verification.versions import Versions
from sluice.train.waivers import form_problem, parts_of, rows_problem

SHOWN = 10


class Claims:
    """Checks every fact against those it stands on."""

    def __init__(self, facts: Facts, sets: dict[str, FrozenSet], versions: Versions, progress: Progress | None = None):
        self.facts = facts
        self.sets = sets
        self.versions = versions
        self.progress = progress
        self.by_hash = {f.hash: f for f in facts.facts}
        self._judged: dict[tuple[str, str], str | None] = {}
        self._checks: dict[str, Callable[[Fact, list[Fact]], str | None]] = {
            "claimed": lambda f, under: self._set(f, under) or claim_problem(facts, f),
            "chosen": lambda f, under: self._set(f, under),
            "opened": self._opened,
            "reference": lambda f, under: self._set(f, under),
            "evaluated": self._evaluated,
            "baseline": self._baseline,
            "graded": self._graded,
            "waived": self._waived,
            "passed": self._passed,
            "trained": self._trained,
        }

    def check(self) -> list[Finding]:
        """Return a finding for each fact that stands on others."""
        found: list[Finding] = []
        for i, fact in enumerate(self.facts.facts):
            check = self._checks.get(fact.kind)
            if check is None:
                continue
            if self.progress:
                self.progress("checking facts", i, len(self.facts.facts))
            above = self.facts.ancestors(fact.hash)
            under = [self.by_hash[h] for h in above if h in self.by_hash]
            name = f"{fact.kind} {fact.hash[:SHOWN]}"
            problem = check(fact, under)
            if problem is None:
                found.append(intact("fact", name))
            elif any(h not in self.by_hash for h in above):
                found.append(absent("fact", name, f"{problem}; facts it stands on are not in this copy"))
            else:
                found.append(tampered("fact", name, problem))
        return found

    def _set(self, fact: Fact, under: list[Fact], *, guard: bool | None = None) -> str | None:
        digest = fact.body.get("set")
        for one in _of(under, "frozen", set=digest):
            if guard is None or one.body.get("guard") is guard:
                return None
        return f"no freeze entry of its set ({str(digest)[:8]}) is under it"

    def _opened(self, fact: Fact, under: list[Fact]) -> str | None:
        problem = self._set(fact, under)
        if problem or not fact.body.get("adapter"):
            return problem
        digest = fact.body.get("set")
        allowed = [_openings_of(f) for f in _of(under, "claimed", set=digest)]
        before = {f.body.get("spec") for f in _of(under, "opened", set=digest) if f.body.get("adapter")}
        before -= {fact.body.get("spec")}
        if allowed and len(before) >= max(allowed):
            return f"it stands on {len(before)} other openings of its set, and {max(allowed)} are allowed"
        return None

    def _evaluated(self, fact: Fact, under: list[Fact]) -> str | None:
        body = fact.body
        if body.get("set") is None:
            return None if body.get("on") == "dev" else "it says neither dev nor a set"
        problem = self._set(fact, under)
        if problem:
            return problem
        frozen = self.sets.get(str(body.get("set")))
        if frozen is not None and (body.get("n"), body.get("rows")) != (
            len(frozen.rows),
            rows_hash(r.row for r in frozen.rows),
        ):
            return "its rows are not those of the set"
        guard = all(f.body.get("guard") for f in _of(under, "frozen", set=body.get("set")))
        if not guard and not _of(under, "opened", set=body.get("set"), spec=body.get("spec")):
            return "the set was never opened for it"
        return None

    def _baseline(self, fact: Fact, under: list[Fact]) -> str | None:
        problem = self._set(fact, under, guard=False)
        if problem:
            return problem
        recorded = {f.hash: f for f in _of(under, "evaluated", role="baseline", adapter=None)}
        for key in ("dev", "eval"):
            listed = fact.body.get(key)
            if not isinstance(listed, list) or not listed:
                return f"it names no run on {key}"
            if any(h not in recorded for h in cast("list[Any]", listed)):
                return f"a run on {key} that it names is not on record under it"
        mine = [recorded[h] for key in ("dev", "eval") for h in cast("list[str]", fact.body[key])]
        if any(
            (f.body.get("base"), f.body.get("form")) != (fact.body.get("base"), fact.body.get("form")) for f in mine
        ):
            return "a run that it names is of another model or form"
        if fact.body.get("best") not in {f.body.get("spec") for f in mine}:
            return "the best that it names is none of its runs"
        return None

    def _graded(self, fact: Fact, under: list[Fact]) -> str | None:
        if not _of(under, "evaluated", spec=fact.body.get("spec"), answers=fact.body.get("answers")):
            return "the answers that it is about are not on record under it"
        return None

    def _waived(self, fact: Fact, under: list[Fact]) -> str | None:
        widths = [_width_of(f) for f in _of(under, "claimed")]
        problem = form_problem(fact.body, width=max(widths, default=None))
        named = (fact.body.get("dataset"), fact.body.get("version"))
        version = next((v for v in self.versions.whole if (v.dataset, v.hash) == named), None)
        if problem is not None or version is None:
            return problem
        return rows_problem(fact.body, version.manifest.rows) or self._waived_checks(fact, version)

    def _waived_checks(self, fact: Fact, version: Version) -> str | None:
        """Run those checks again that look at nothing but the rows, where the waiver is of this very program's."""
        said = parts_of(fact.body) or {}
        if fact.body.get("rule") != "audit" or fact.tool != f"sluice {__version__}":
            return None
        specs = [CHECKS.get(name).spec for name in CHECKS.names() if name in said]
        names = [spec.name for spec in specs if spec.severity == "fail" and not spec.needs]
        report = audit_rows(CheckContext(rows=version.rows()), names) if names else None
        for check in report.checks if report is not None else ():
            if said[check.name] != str(check.count):
                return f"{check.name} is said to name {said[check.name]} rows of {version.ref}, not {check.count}"
        return None

    def _passed(self, fact: Fact, under: list[Fact]) -> str | None:
        body = fact.body
        problem = self._set(fact, under, guard=False)
        if problem:
            return problem
        same: dict[str, Any] = {key: body.get(key) for key in ("set", "base", "form")}
        if not _of(under, "baseline", **same):
            return "no baseline of its model and form on its set is under it"
        if not _of(under, "evaluated", role="baseline", **same):
            return "no run of a prompt on its set is under it"
        rules = body.get("rules")
        if not isinstance(rules, dict):
            return "it lists no rules"
        said = cast("dict[str, Any]", rules)
        closed = [r for r in HARD if said.get(r) != "ok"]
        waivable = (*WAIVABLE, *(r for r in ADVICE if r in said))  # advice stands here where the policy was strict
        closed += [r for r in waivable if said.get(r) not in ("ok", "waived")]
        if closed:
            return f"it says itself that {', '.join(closed)} did not hold"
        for rule in (r for r in waivable if said.get(r) == "waived"):
            if not _of(under, "waived", rule=rule, dataset=body.get("dataset")):
                return f"no waiver of {rule} is under it"
        if said.get("gradable") == "ok" and not any(_well_graded(f) for f in _of(under, "graded")):
            return "nobody's grading that is good enough is under it"
        return self._passed_rows(fact)

    def _passed_rows(self, fact: Fact) -> str | None:
        """Recompute from rows what a pass says of them; None too where rows or set are not here."""
        version = self.versions.with_hash(str(fact.body.get("version")))
        frozen = self.sets.get(str(fact.body.get("set")))
        if version is not None:
            stored = version.frame()["row"].to_list()
            if (rows_hash(stored), len(stored)) != (fact.body.get("rows"), fact.body.get("n")):
                return f"its rows are not those of {version.ref}"
        if frozen is None or frozen.manifest.similarity != SIMILARITY:
            return None
        key = (version.hash if version is not None else "", frozen.sha256)
        if key not in self._judged:
            self._judged[key] = self._judge(version, frozen)
        return self._judged[key]

    def _judge(self, version: Any, frozen: FrozenSet) -> str | None:
        relation = relation_of(frozen)
        groups = frozen.groups_by_row()
        clusters = similarity_clusters(frozen.rows, relation, groups=groups)
        if len(clusters) < FEWEST_CLUSTERS:
            return f"its eval set has {len(clusters)} rows unlike each other, {FEWEST_CLUSTERS} are needed"
        if version is None:
            return None
        leaks = find_leaks(version.rows(), frozen.rows, relation, groups=version.groups(), eval_groups=groups)
        if leaks:
            n = len({k.row for k in leaks})
            return f"{n} rows of {version.ref} repeat an eval row, for example {leaks[0].row[:SHOWN]}"
        return None

    def _trained(self, fact: Fact, under: list[Fact]) -> str | None:
        body = fact.body
        passed = next((f for f in _of(under, "passed") if f.hash == body.get("passed")), None)
        if passed is None:
            return "the pass that it names is not under it"
        differing = [
            key for key in ("rows", "n", "set", "base", "prompt", "method") if body.get(key) != passed.body.get(key)
        ]
        if "training_form" in passed.body and passed.body["training_form"] != body.get("training_form"):
            differing.append("training_form")
        return f"its pass says otherwise: {', '.join(differing)}" if differing else None


def _of(facts: list[Fact], kind: str, **body: Any) -> list[Fact]:
    return [f for f in facts if f.kind == kind and all(f.body.get(k) == v for k, v in body.items())]


def _openings_of(claim: Fact) -> int:
    question = claim.body.get("question")
    found = cast("dict[str, Any]", question).get("openings") if isinstance(question, dict) else None
    return found if isinstance(found, int) else 0


def _width_of(claim: Fact) -> float:
    """Return the width of the range of scores that a claim pins; 0 where it pins none."""
    question = claim.body.get("question")
    try:
        return float(cast("dict[str, Any]", question)["high"]) - float(cast("dict[str, Any]", question)["low"])
    except (KeyError, TypeError, ValueError):
        return 0.0


def _well_graded(fact: Fact) -> bool:
    numbers = [fact.body.get(key) for key in ("controls_right", "agree", "graded")]
    if not all(isinstance(n, int) for n in numbers):
        return False
    controls, agree, graded = cast("list[int]", numbers)
    return controls >= CONTROLS_NEEDED and graded > 0 and agree >= AGREEMENT_NEEDED * graded
