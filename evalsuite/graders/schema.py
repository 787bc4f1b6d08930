"""The grader `json_schema`: whether an answer is JSON that a schema allows. It knows nothing of the right content."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sluice.core.canonical import LONGEST_INT
from sluice.core.errors import InputError
from sluice.evalsuite.graders.reading import JSON_READING, find_json, read_json
from sluice.evalsuite.graders.spec import GRADERS, Example, Grade, GraderEntry, GraderSpec, scored, unparsed

MOST_PROBLEMS = 3  # reported for one answer

JSON_SCHEMA = GraderSpec(
    name="json_schema",
    kind="binary",
    needs=frozenset({"schema"}),
    doc="Whether the answer is JSON that the task's schema allows; says nothing about the content being right.",
    reading=JSON_READING
    + " `format` is not checked; references are followed inside the schema only, never over the network.",
)


def validator_of(schema: Mapping[str, Any] | bool | None) -> Any:
    """Return a jsonschema validator of the draft that `$schema` names (2020-12 without it).

    Raises InputError where there is no schema, where it allows everything, and where it is no schema.
    """
    if schema is None or schema is True or schema == {}:
        raise InputError(
            "the grader 'json_schema' needs a schema that says something and there is none",
            remedy='write schema = "schema.json" under [task] in sluice.toml',
        )
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry

    if isinstance(schema, bool):
        raise InputError("a schema that allows nothing has no valid answer", remedy="mend the schema file")
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(dict(schema))
    except SchemaError as problem:
        place = "/".join(str(part) for part in problem.absolute_path) or "the top"
        raise InputError(
            f"this is no JSON schema: {problem.message}", where=f"schema, at {place}", remedy="mend the schema file"
        ) from None
    # An empty registry: without it jsonschema would fetch remote references.
    return kind(dict(schema), registry=Registry())


def schema_problems(validator: Any, value: Any) -> list[str]:
    """Return what the schema says against a value, the first few, each with its place; empty where it is valid."""
    problems: list[str] = []
    for error in validator.iter_errors(_plain_numbers(value)):
        place = "/".join(str(part) for part in error.absolute_path)
        problems.append(f"{place}: {error.message}" if place else error.message)
        if len(problems) == MOST_PROBLEMS:
            break
    return problems


def _plain_numbers(value: Any) -> Any:
    """Return the value with int and float alone, as jsonschema takes them; beyond the largest float, as int."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and value.adjusted() < LONGEST_INT
        return int(value) if whole else float(value)
    if isinstance(value, list):
        return [_plain_numbers(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain_numbers(v) for k, v in value.items()}
    return value


class JsonSchema:
    """`json_schema`: 1 where the answer is valid against the schema, else 0."""

    spec = JSON_SCHEMA

    def __init__(self, schema: Mapping[str, Any] | bool | None):
        self._validator = validator_of(schema)

    def grade(self, input: Any, target: Any, answer: str) -> Grade:
        """Validate the answer; the target plays no part."""
        found, reading = find_json(answer), read_json(answer)
        lenient = float(found.found and not schema_problems(self._validator, found.value))
        if not reading.found:
            return unparsed(self.spec, reading.problem or "no JSON", lenient=lenient)
        problems = schema_problems(self._validator, reading.value)
        score = float(not problems)
        return scored(self.spec, score, lenient=max(score, lenient), message="; ".join(problems) or None)

    def close(self) -> None:
        """Nothing to let go of."""


_EXAMPLE = {"type": "object", "required": ["urgent"], "properties": {"urgent": {"type": "boolean"}}}
GRADERS.register("json_schema")(
    GraderEntry(
        JSON_SCHEMA,
        lambda setting: JsonSchema(setting.schema),
        Example(None, '{"urgent": true}', '{"urgent": "yes"}', 'Answer: {"urgent": false}', schema=_EXAMPLE),
        uses=frozenset({"schema"}),
    )
)
