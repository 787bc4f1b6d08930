"""Rows that contradict each other: the same input with another answer.

Inputs are equal as `sluice.curate.similar.similarity.normalise` folds them (case, blanks, punctuation), field by field
and turn by turn, except that arithmetic signs before a number count: `2*3` and `2/3` are two questions. All rows of a
conflict are named, because which answer is right cannot be known here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import chain, islice

from sluice.core.canonical import JsonProblem, canonical, parse_exact
from sluice.core.errors import InputError
from sluice.core.rows import SHOWN, AnyRow, Example, Messages, Preference, Text, Unpaired, input_texts
from sluice.core.wording import counted
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    file_check,
    no_answers,
    rows_of,
)
from sluice.curate.checks.empty import blank_input, folded

MOST_RELATED = 20
"""Rows listed beside a finding."""
_SIGNS = re.compile(r"(?:^|(?<=[\s(\d]))[-*/%^&|]+(?=\s*\d)|&&|\|\|")


def same_input(row: AnyRow) -> Hashable:
    """Return a key that is equal for two rows whose inputs are the same after normalisation."""
    from sluice.curate.similar.similarity import normalise

    texts = input_texts(row.input)
    signs = tuple(sign for text in texts.values() for sign in _SIGNS.findall(text))
    fields = [(name, normalise(text)) for name, text in texts.items()]
    if isinstance(row.input, Messages):
        return (tuple(fields), row.input.tools, signs)
    return (tuple(sorted(field for field in fields if field[1])), signs)


def same_answer(text: str) -> str:
    """Return a form in which two answers are the same: JSON by its value, any other text by NFC and folded blanks."""
    if text[:1] in ("{", "[", " ", "\n", "\t"):
        try:
            return canonical(parse_exact(text))
        except (JsonProblem, InputError):
            pass  # no JSON: compared as text
    return folded(text)


Contradiction = tuple[str, list[int], int]
"""What contradicts, up to MOST_RELATED places of the rows that do, and how many there are."""


def _conflicting(rows: Sequence[AnyRow]) -> dict[int, Contradiction]:
    """Return, of rows with one input, the place of each row that another contradicts, with the contradiction."""
    verdicts: defaultdict[Hashable, list[int]] = defaultdict(list)
    pairs: defaultdict[Hashable, list[int]] = defaultdict(list)
    against: dict[Hashable, Hashable] = {}
    for i, row in enumerate(rows):
        if isinstance(row, Unpaired):
            answer = same_answer(row.answer)
            verdicts[(answer, row.good)].append(i)
            against[(answer, row.good)] = (answer, not row.good)
        elif isinstance(row, Preference):
            pair = (same_answer(row.chosen), same_answer(row.rejected))
            if pair[0] != pair[1]:
                pairs[pair].append(i)
                against[pair] = pair[::-1]
    found = _other_targets(rows)
    for why, answers in (
        ("the same answer is judged good and bad", verdicts),
        ("of the same two answers each is preferred once", pairs),
    ):
        for answer, places in answers.items():
            others = answers.get(against[answer], [])
            if others:
                found |= dict.fromkeys(places, (why, others[:MOST_RELATED], len(others)))
    return found


def _other_targets(rows: Sequence[AnyRow]) -> dict[int, Contradiction]:
    """Return the places of rows (of one normalised input) whose target another row contradicts.

    Between inputs that differ in case or punctuation, answers that differ only so do not conflict: where slots are
    copied from the message, `play Netflix` and `play netflix` rightly have `Netflix` and `netflix`.
    """
    from sluice.curate.similar.similarity import normalise

    loose: defaultdict[Hashable, list[int]] = defaultdict(list)
    exact: defaultdict[Hashable, defaultdict[Hashable, list[int]]] = defaultdict(lambda: defaultdict(list))
    of: dict[int, tuple[Hashable, Hashable, str]] = {}
    for i, row in enumerate(rows):
        if isinstance(row, Example) and row.target is not None:
            answer = same_answer(row.target)
            folds = (row.target_form, normalise(answer))
            spelt = (folds, tuple((name, folded(text)) for name, text in input_texts(row.input).items()))
            loose[folds].append(i)
            exact[spelt][answer].append(i)
            of[i] = (folds, spelt, answer)
    size = {spelt: sum(map(len, answers.values())) for spelt, answers in exact.items()}
    found: dict[int, Contradiction] = {}
    for i, (folds, spelt, answer) in of.items():
        here = exact[spelt]
        count = len(of) - len(loose[folds]) + size[spelt] - len(here[answer])
        if count:
            elsewhere = (j for other, at in loose.items() if other != folds for j in at)
            beside = (j for other, at in here.items() if other != answer for j in at)
            others = list(islice(chain(beside, elsewhere), MOST_RELATED))
            found[i] = ("same input, another target", others, count)
    return found


@file_check
class Conflict(Check):
    """The same input with another target; an answer judged both good and bad; a preference both ways."""

    spec = CheckSpec(
        name="conflict",
        severity="fail",
        what="the same input has another answer in another row",
        threshold="inputs equal after normalisation (similarity version 1, signs before numbers kept); answers differ "
        "in NFC with folded blanks, JSON by value, and where the inputs differ in case or punctuation, after the same "
        "normalisation; all rows of a conflict are named",
        remedy="sluice filter {dataset} --failing conflict",
    )

    def find(self, context: CheckContext) -> Found:
        """Return all rows of each conflict."""
        nothing = no_answers(context.rows)
        if nothing is not None and not any(isinstance(row, Unpaired) for row in context.rows):
            return nothing
        groups: defaultdict[Hashable, list[int]] = defaultdict(list)
        for i, row in enumerate(context.rows):
            if not isinstance(row, Text) and not blank_input(row):
                groups[same_input(row)].append(i)
        findings: dict[int, Finding] = {}
        conflicts = 0
        for places in groups.values():
            if len(places) < 2:
                continue
            rows = [context.rows[i] for i in places]
            found = _conflicting(rows)
            conflicts += bool(found)
            for i, (why, others, count) in found.items():
                related = tuple(dict.fromkeys(rows[j].row for j in others))
                more = f" and {count - 1:,} more" if count > 1 else ""
                findings[places[i]] = Finding(
                    row=rows[i].row, detail=f"{why}: row {related[0][:SHOWN]}{more}", related=related
                )
        ordered = [findings[i] for i in sorted(findings)]
        total = len(context.rows)
        figures = {"conflicts": conflicts, "rows": len(ordered), "distinct_inputs": len(groups)}
        if not ordered:
            return Found(summary=f"no input of {rows_of(total)} has two answers", figures=figures)
        return Found(
            ordered,
            f"{rows_of(len(ordered), total)} contradict each other, over {counted(conflicts, 'input')}",
            figures,
        )

    def examples(self) -> Examples:
        """Return one message with two answers, and two messages with an answer each."""
        first = Example(input={"text": "Where is my parcel?"}, target="delivery")
        return Examples(
            found=CheckContext([first, Example(input={"text": "where is my parcel"}, target="billing")]),
            ok=CheckContext([first, Example(input={"text": "I was charged twice"}, target="billing")]),
        )
