"""Graders of plain text: `exact`, `normalised` and `choice` (a closed list of labels).

They compare strings and know nothing of JSON.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from sluice.core.errors import InputError
from sluice.evalsuite.graders.reading import normalise, stands_as_words, trim, unfence
from sluice.evalsuite.graders.spec import (
    GRADERS,
    Example,
    Grade,
    GraderEntry,
    GraderSpec,
    Setting,
    scored,
    target_text,
    unparsed,
)

_ANSWER_MARK = re.compile(r"^\W*(?:(?:final )?answer|label|output)\W*[:=]\s*", re.IGNORECASE)

EXACT = GraderSpec(
    name="exact",
    kind="binary",
    needs=frozenset({"target"}),
    doc="Whether the answer is the target, character for character.",
    reading="Strict: the whole answer without the blanks around it, in Unicode NFC. Lenient: as `normalised`, strict.",
)
NORMALISED = GraderSpec(
    name="normalised",
    kind="binary",
    needs=frozenset({"target"}),
    doc="Whether the answer is the target once case, blanks and the punctuation around it are put aside.",
    reading=(
        "Strict: the whole answer, case folded, Unicode NFKC (so that m² equals m2), runs of blanks as one, brackets, "
        "quotes and sentence punctuation around it dropped; minus, %, #, $ and a leading decimal point stay; numbers "
        "are text (29.00 is not 29). Lenient: the first line of the answer, out of its fence, without an opening "
        "'answer:' or 'label:', read in the same way; so an answer that runs on counts, one that thinks first does not."
    ),
)
CHOICE = GraderSpec(
    name="choice",
    kind="binary",
    needs=frozenset({"target", "choices"}),
    doc="Whether the answer names the right one of a closed list of labels.",
    reading=(
        "Strict: the whole answer equals one label, both read as by `normalised`; an answer that is no label is "
        "unparsed. Lenient: exactly one label stands in the answer as whole words, however often (a label inside a "
        "longer one, as 'urgent' in 'not urgent', does not count apart); two different ones are unparsed. A negation "
        "before a label is not understood. Scripts without blanks between words need no word edge."
    ),
)


class Text:
    """`exact` and `normalised`."""

    def __init__(self, spec: GraderSpec):
        self.spec = spec

    def grade(self, input: Any, target: Any, answer: str) -> Grade:
        """Compare answer and target as texts."""
        wanted = target_text(target, self.spec.name)
        if self.spec.name == "exact":
            right = _composed(answer) == _composed(wanted)
            lenient = right or normalise(answer) == normalise(wanted)
        else:
            right = normalise(answer) == normalise(wanted)
            lenient = right or normalise(_first_line(answer)) == normalise(wanted)
        return scored(self.spec, float(right), lenient=float(lenient))

    def close(self) -> None:
        """Nothing to let go of."""


class Choice:
    """`choice`: one label of a closed list.

    Raises InputError for fewer than two labels, and for labels that are one once normalised.
    """

    spec = CHOICE

    def __init__(self, labels: Sequence[str]):
        self.labels = {normalise(label): label for label in labels}
        if len(self.labels) != len(labels):
            raise InputError(
                "two choices are one label once case and punctuation are put aside",
                where=", ".join(repr(label) for label in labels),
                remedy="give each label once, in one spelling",
            )
        if len(self.labels) < 2 or "" in self.labels:
            raise InputError("the grader 'choice' needs at least two labels", remedy="list all labels in `choices`")

    def grade(self, input: Any, target: Any, answer: str) -> Grade:
        """Read the one label that the answer names and compare it with the target's."""
        wanted = normalise(target_text(target, self.spec.name))
        if wanted not in self.labels:
            raise InputError(
                f"the target '{target}' is none of the choices",
                remedy=f"add it to `choices`, or mend the target; the choices are {', '.join(self.labels.values())}",
            )
        named = self._named(answer)
        lenient = float(named == [wanted])
        strict = normalise(answer)
        if strict not in self.labels:
            found = "no label" if not named else "more than one label" if len(named) > 1 else "more than a label"
            return unparsed(self.spec, f"the answer is {found}", lenient=lenient)
        detail = {"label": self.labels[strict]}
        return scored(self.spec, float(strict == wanted), lenient=max(lenient, float(strict == wanted)), detail=detail)

    def close(self) -> None:
        """Nothing to let go of."""

    def _named(self, answer: str) -> list[str]:
        text = normalise(answer)
        taken: list[tuple[int, int]] = []
        named: list[str] = []
        for label in sorted(self.labels, key=len, reverse=True):
            spans = [s for s in stands_as_words(label, text) if not any(a < s[1] and s[0] < b for a, b in taken)]
            if spans:
                taken += spans
                named.append(label)
        return named


def _composed(text: str) -> str:
    return trim(unicodedata.normalize("NFC", text))


def _first_line(answer: str) -> str:
    inner = unfence(answer)
    first = next((line for line in inner.split("\n") if line.strip()), "")
    return _ANSWER_MARK.sub("", first)


def _labels(setting: Setting) -> Sequence[str]:
    if setting.config.choices:
        return setting.config.choices
    schema = setting.schema
    listed = schema.get("enum") if isinstance(schema, dict) else None
    if isinstance(listed, list) and all(isinstance(label, str) for label in listed):
        return listed
    raise InputError(
        "the grader 'choice' needs the closed list of labels and none is given",
        remedy='write choices = ["...", "..."] under [[graders]] name = "choice", or a schema with an enum of texts',
    )


GRADERS.register("exact")(
    GraderEntry(EXACT, lambda setting: Text(EXACT), Example("Paris", " Paris\n", "Lyon", "paris."))
)
GRADERS.register("normalised")(
    GraderEntry(
        NORMALISED,
        lambda setting: Text(NORMALISED),
        Example("-5 %", ' "-5 %." ', "5 %", "Answer: -5 %\nThat is a fall."),
    )
)
GRADERS.register("choice")(
    GraderEntry(
        CHOICE,
        lambda setting: Choice(_labels(setting)),
        Example(
            "not urgent", "**Not urgent**", "urgent", "I think it is not urgent.", choices=("urgent", "not urgent")
        ),
        uses=frozenset({"schema"}),
    )
)
