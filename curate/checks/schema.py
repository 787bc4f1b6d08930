"""Answers that break the task's JSON schema, or are no JSON at all.

Only what a row teaches to give is held against the schema: the target, the chosen answer, an answer judged good.
Tool calls have schemas of their own and are counted apart, not passed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from sluice.core.canonical import LONGEST_POSITIONAL, JsonProblem, parse_exact
from sluice.core.errors import InputError
from sluice.core.rows import Example
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
    wanted_answer,
)
from sluice.curate.privacy import mask_personal

SHOWN = 160
"""Characters of a validator's message that are shown."""


def answer_problem(schema: dict[str, Any]) -> Callable[[str], str | None]:
    """Return a function from an answer's text to what is wrong with it, or None where the schema holds.

    References are resolved inside the schema only, never over the network. Raises InputError where the schema points
    elsewhere or holds a broken pattern.
    """
    from jsonschema.exceptions import best_match
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator: Any = validator_for(schema)(schema, registry=Registry())

    def problem(text: str) -> str | None:
        try:
            value = _numbers(parse_exact(text))
        except JsonProblem as broken:
            return f"no JSON: {broken.reason}"
        try:
            if validator.is_valid(value):
                return None
            worst: Any = best_match(validator.iter_errors(value))
        except Unresolvable as lost:
            raise InputError(
                f"the schema points to {lost.ref!r}, which is not in it",
                where="schema",
                remedy="put that definition under $defs",
            ) from lost
        except re.error as broken:
            raise InputError(
                f"the schema holds a broken pattern: {broken}", where="schema", remedy="mend the pattern"
            ) from broken
        except ArithmeticError:
            return "a number is too large to be held against the schema"
        except RecursionError:
            return "nested too deeply to be held against the schema"
        place = ".".join(str(part) for part in worst.absolute_path)
        message = mask_personal(worst.message)
        message = message if len(message) <= SHOWN else message[: SHOWN - 3] + "..."
        return f"{place}: {message}" if place else message

    return problem


def _numbers(value: Any) -> Any:
    """Return the value with Decimals as int or Fraction: exact, and at home in arithmetic with the schema's floats."""
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > LONGEST_POSITIONAL:
            return float(value)  # infinite or 0: written out it would fill the memory
        return int(value) if value == value.to_integral_value() else Fraction(value)
    if isinstance(value, list):
        return [_numbers(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


@file_check
class Schema(Check):
    """An answer that is no JSON, or that the task's schema does not allow."""

    spec = CheckSpec(
        name="schema",
        severity="fail",
        what="the answer is not valid against the task's schema",
        threshold="JSON Schema, draft 2020-12 unless the schema names another; `format` is not asserted",
        needs=frozenset({"schema"}),
        remedy="sluice filter {dataset} --failing schema",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows whose answer breaks the schema."""
        nothing = no_answers(context.rows)
        if nothing is not None:
            return nothing
        problem_of = answer_problem(cast("dict[str, Any]", context.schema))
        known: dict[str, str | None] = {}
        findings: list[Finding] = []
        checked = calls = 0
        for row in context.rows:
            answer = wanted_answer(row)
            if answer is None:
                continue
            if isinstance(row, Example) and row.target_form == "call":
                calls += 1
                continue
            checked += 1
            if answer not in known:
                known[answer] = problem_of(answer)
            problem = known[answer]
            if problem is not None:
                findings.append(Finding(row=row.row, detail=problem))
        figures = {"checked": checked, "invalid": len(findings), "calls_not_checked": calls}
        if not checked:
            return Found(missing=("no answer but tool calls, which the schema does not speak of",), figures=figures)
        apart = f"; {rows_of(calls)} with a tool call not held against it" if calls else ""
        if not findings:
            return Found(summary=f"{rows_of(checked)} valid against the schema{apart}", figures=figures)
        return Found(findings, f"{rows_of(len(findings), checked)} invalid against the schema{apart}", figures)

    def examples(self) -> Examples:
        """Return an answer without the field that is asked for, and one with it."""
        schema = {"type": "object", "required": ["category"], "properties": {"category": {"type": "string"}}}
        asked = {"text": "Where is my parcel?"}
        return Examples(
            found=CheckContext([Example(input=asked, target='{"kategory":"delivery"}')], schema=schema),
            ok=CheckContext([Example(input=asked, target='{"category":"delivery"}')], schema=schema),
        )
