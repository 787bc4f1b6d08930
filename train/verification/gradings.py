"""What people graded: the thirty answers are drawn again, and their decisions counted again.

A person may change a word later, so a fact is held against every word that is on record of an item: its numbers must
be reachable with one of them each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.core.errors import InputError, Tampered
from sluice.core.forgotten import Forgotten, told
from sluice.core.ledger import Fact, Facts
from sluice.core.project import Project
from sluice.core.runs import Run
from sluice.evalsuite.evaluate import is_record
from sluice.evalsuite.gradable import Item, Word, all_decisions, draw_items, items_hash, wanted
from sluice.train.verification.finding import Finding, absent, intact, tampered
from sluice.train.verification.grader import TodaysGrader
from sluice.train.verification.versions import Versions

Decisions = Mapping[tuple[str, str], Sequence[Word]]


def check_gradings(project: Project, facts: Facts, versions: Versions, today: TodaysGrader) -> list[Finding]:
    """Return one finding a `graded` fact."""
    decisions = all_decisions(project)
    return [_check(project, facts, versions, today, decisions, fact) for fact in facts.of("graded")]


def _check(
    project: Project, facts: Facts, versions: Versions, today: TodaysGrader, decisions: Decisions, fact: Fact
) -> Finding:
    name, body = f"graded {fact.hash[:10]}", fact.body
    recorded = facts.of("evaluated", spec=body.get("spec"), answers=body.get("answers"))
    runs = [Run(project.runs / str(f.body["run"])) for f in recorded if is_record(f)]
    run = next((r for r in runs if (r.folder / "run.json").is_file()), None)
    dev = versions.with_rows(str(body.get("dev")), None)
    if run is None:
        return absent("grading", name, "the answers that were graded are not in this copy")
    if dev is None:
        gone = Forgotten(facts).run(run.id)
        why = f"dev rows that were graded were {told(gone[0])}" if gone else "are not whole in this copy"
        return absent("grading", name, why if gone else f"the dev rows that were graded {why}")
    why = today.problem(body.get("grader"))
    if today.grader is None or why is not None:
        return absent("grading", name, f"not counted again: {why}")
    try:
        texts = {row: answer.text for (row, _), answer in run.answers().items()}
        listed = draw_items(dev.examples(), texts, run.spec.sha256, today.grader)
    except (Tampered, InputError, KeyError) as problem:
        return absent("grading", name, f"the answers of {run.id} are not what was graded: {problem}")
    if items_hash(listed) != body.get("items"):
        return tampered("grading", name, "it is about other answers than its run and dev rows give")
    return _recount(name, listed, decisions, body)


def _recount(name: str, listed: Sequence[Item], decisions: Decisions, body: Mapping[str, Any]) -> Finding:
    words = [(item, decisions.get((item.id, str(body.get("by"))), ())) for item in listed]
    if any(not said for _, said in words):
        decided = sum(bool(said) for _, said in words)
        return absent("grading", name, f"{decided} of its {len(words)} decisions are in decisions/")
    controls = [pair for pair in words if pair[0].source != "answer"]
    answers = [pair for pair in words if pair[0].source == "answer"]
    holds = {
        "controls": body.get("controls") == len(controls),
        "controls_right": _reachable(body.get("controls_right"), controls),
        "graded": body.get("graded") == len(answers),
        "agree": _reachable(body.get("agree"), answers),
    }
    differing = [key for key, held in holds.items() if not held]
    if differing:
        return tampered("grading", name, f"its decisions say otherwise: {', '.join(differing)}")
    return intact("grading", name)


def _reachable(found: object, pairs: Sequence[tuple[Item, Sequence[Word]]]) -> bool:
    """Return whether a count can come from one word of each item."""
    least = sum(all(word == wanted(item) for word in said) for item, said in pairs)
    most = sum(any(word == wanted(item) for word in said) for item, said in pairs)
    return isinstance(found, int) and least <= found <= most
