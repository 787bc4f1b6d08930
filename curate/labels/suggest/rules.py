"""`--suggest rules`: labelling functions of the project, in `labels/NAME.py` (Ratner et al. 2017, arXiv 1711.10160).

A file holds a function `label(row)` that returns an answer to the question, or None where it has nothing to say; its
docstring says by what. FIELD = "target.category" beside it keeps it to that field. Files whose name begins with `_` are
passed over. Each is loaded by its place under a private name, as the project's own checks are. What most rules say is
proposed; where they are level, nothing.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError, SluiceError
from sluice.core.rows import SHOWN, AnyRow
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Value
from sluice.curate.labels.suggest.source import SOURCES, Proposal, Proposals, Wanted, checked

FOLDER = "labels"


@dataclass(frozen=True)
class LabelRule:
    """One labelling function."""

    name: str
    where: str
    function: Callable[[Any], Any]
    field: str | None = None
    """The only field it speaks of; None: any."""

    def say(self, question: Question, row: AnyRow) -> Value:
        """Return what it says of a row. Raises InputError with the place where it breaks, or says what is no answer."""
        try:
            said = self.function(row)
        except SluiceError:
            raise
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - someone else's code, at the edge
            frames = [f for f in traceback.extract_tb(problem.__traceback__) if f.filename.endswith(self.where)]
            line = f":{frames[-1].lineno}" if frames else ""
            text = " ".join(str(problem).split())
            raise InputError(
                f"the rule '{self.name}' broke, row {row.row[:SHOWN]}: {type(problem).__name__}: {text}",
                where=f"{self.where}{line}",
                remedy="mend it, or let its name begin with _",
            ) from None
        try:
            return checked(question, said)
        except InputError as problem:
            raise InputError(
                f"the rule '{self.name}' says {said!r} of row {row.row[:SHOWN]}: no answer to this question",
                where=self.where,
                remedy=f"{problem.remedy}; None where it has nothing to say; FIELD = 'target.NAME' keeps it to a field",
            ) from None


def own_rules(root: Path, field: str) -> list[LabelRule]:
    """Return the rules in a project's folder `labels/` that speak of a field, by name.

    Raises InputError for a file that cannot be used.
    """
    from sluice.curate.checks.own import NAME, load_own

    folder = root / FOLDER
    files = sorted(folder.glob("*.py")) if folder.is_dir() else []
    found: list[LabelRule] = []
    for file in files:
        if file.name.startswith(("_", ".")):
            continue
        where, name = f"{FOLDER}/{file.name}", file.stem.replace("_", "-")
        if not NAME.fullmatch(file.stem):
            raise InputError(f"'{file.stem}' cannot be the name of a rule", where=where, remedy="letters, digits and -")
        module = load_own(file, name, where, "label rule")
        function = getattr(module, "label", None)
        if not callable(function):
            raise InputError(
                "there is no function `label(row)` in it",
                where=where,
                remedy="def label(row): return a label, or None; a file that is no rule begins with _",
            )
        only = getattr(module, "FIELD", None)
        if only is None or only == field:
            found.append(LabelRule(name, where, function, only))
    return found


def rule_words(wanted: Wanted) -> dict[str, dict[str, Value]]:
    """Return what each rule says, by rule and subject; only where it says something.

    Raises InputError where the project has no rule for the field.
    """
    rules = own_rules(wanted.project.root, wanted.question.field)
    if not rules:
        raise InputError(
            f"there is no rule for {wanted.question.field}",
            where=f"{FOLDER}/",
            remedy=f"write one: def label(row): ... in {FOLDER}/NAME.py",
        )
    found: dict[str, dict[str, Value]] = {}
    for done, rule in enumerate(rules):
        if wanted.progress:
            wanted.progress("asking rules", done, len(rules))
        said = {s: rule.say(wanted.question, wanted.rows[item.row]) for s, item in wanted.items.items()}
        found[rule.name] = {s: value for s, value in said.items() if value is not None}
    return found


@SOURCES.register("rules")
def of_rules(wanted: Wanted) -> Proposals:
    """Return what most rules say of each subject."""
    words = rule_words(wanted)
    found: dict[str, Proposal] = {}
    doubts: dict[str, float] = {}
    for subject in wanted.items:
        said = {name: told[subject] for name, told in words.items() if subject in told}
        proposal, doubt = _most(said)
        if proposal is not None:
            found[subject] = proposal
        if said:
            doubts[subject] = doubt
    return Proposals(found, doubts)


def _most(said: Mapping[str, Value]) -> tuple[Proposal | None, float]:
    """Return what most say, None where they are level; and 1 - the margin between the first two."""
    ranked = Counter(said.values()).most_common(2)
    if not ranked:
        return None, 1.0
    second = ranked[1][1] if len(ranked) > 1 else 0
    doubt = 1.0 - (ranked[0][1] - second) / len(said)
    if second == ranked[0][1]:
        return None, doubt
    first = ranked[0][0]
    return Proposal(first, "rules:" + ",".join(name for name, value in said.items() if value == first)), doubt
