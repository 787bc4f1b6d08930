"""The texts that `init` writes: sluice.toml, a rubric to fill in, a first draft of a schema. Pure: values to text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_HINTS = {
    "name": "",
    "data": "its parts train, dev, eval are what verbs use when no dataset is named",
    "description": "what is wanted; stands in every composed prompt",
    "rubric": "what a person grades by",
    "metric": "primary: exact, normalised, choice, fields_f1, exact_object, json_schema, or one of [[graders]]",
}


def toml_text(value: str) -> str:
    """Return a text as a basic string of TOML on one line: quotes, line ends and control characters escaped."""
    out = [_ESCAPES.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 0x20 or ord(c) == 0x7F else c) for c in value]
    return '"' + "".join(out) + '"'


def config_text(
    task: Mapping[str, str],
    *,
    metric: str,
    base: str,
    identity: str,
    schema: str | None,
    labels: Sequence[str] = (),
    curate_only: bool = False,
    needs: Sequence[str] | None = None,
) -> str:
    """Return a whole sluice.toml: the six keys and the id as values, all other keys commented, a line each.

    Args:
        task: name, data, description, rubric.
        metric: the primary grader.
        base: the model to be tuned.
        identity: the project's id.
        schema: the file an answer must be valid against; commented where None.
        labels: the closed list of answers; makes an entry of [[graders]].
        curate_only: whether the road ends at clean data.
        needs: what an answer takes beside its input; commented where None.
    """
    values = {**task, "metric": metric}
    lines = ["# What this project wants and how a right answer is told. `sluice status` says what comes next.", ""]
    lines.append("[task]")
    lines += [_line(f"{key} = {toml_text(value)}", _HINTS[key]) for key, value in values.items()]
    schema_line = f"schema = {toml_text(schema or 'schema.json')}"
    lines.append(_line(schema_line if schema else f"# {schema_line}", "what an answer must be (JSON schema)"))
    if curate_only:
        lines.append(_line("curate_only = true", "only clean data; remove this line to measure and train"))
    lines += [
        _line('# group = "customer"', "column beside a row; rows of one group never straddle parts"),
        _line('# stratify = "target.category"', "class that the parts hold in proportion"),
        _line('# claim = "better"', 'or "not-worse", which needs a margin'),
        _line('# against = "baseline"', 'or "reference:NAME", see: sluice baseline reference --help'),
        _line("# margin = 0.05", "used by not-worse: the loss that would not matter"),
        _line("# target = 0.90", "what would be good enough; where a prompt reaches it, ship the prompt"),
        _line("# openings = 3", "trained candidates that may be judged on the eval set (1 below 100 rows)"),
        _line("# alpha = 0.05", "a larger value counts as a waiver"),
        _line(
            '# needs = ["retrieval", "tools"]' if needs is None else f"needs = [{', '.join(map(toml_text, needs))}]",
            "what an answer takes beside its input; []: neither, so nothing is to be tried before (ladder)",
        ),
        _line("# max_tokens = 1024", "length limit of a training row, in tokens"),
    ]
    if not curate_only:
        lines.append(_line("# curate_only = false", "true: status ends at clean data"))
    lines += ["", "[model]", _line(f"base = {toml_text(base)}", "the model to be tuned, and measured before")]
    lines += [
        _line('# serve = "bf16"', "form that is measured and served: bf16, fp32, fp16, nf4; by default as probed"),
        _line('# chat_template = "template.jinja"', "for a base model that has none"),
        "",
        "# [prompts]",
        _line('# baseline = ["prompts/strong.md"]', "your best prompts, measured beside the composed ones"),
        _line('# train = "prompts/short.md"', "the prompt that an adapter is trained and served under"),
        "",
    ]
    if labels:
        listed = ", ".join(toml_text(label) for label in labels)
        lines += ["[[graders]]", 'name = "choice"', f"choices = [{listed}]", ""]
    lines += [
        _line("# [[graders]]", 'a grader of your own, then: metric = "polite"'),
        '# name = "polite"',
        _line('# file = "graders/polite.py"', "grade(input, target, answer) -> score"),
        _line('# function = "grade"', "its name in the file"),
        _line('# kind = "graded"', "or binary: 0 or 1"),
        _line("# range = [0.0, 1.0]", "of its scores"),
        _line("# right_at = 1.0", "the score from which on an answer is right"),
        _line('# needs = ["target"]', "of target, schema, rubric, choices"),
        _line('# direction = "higher"', "or lower"),
        _line('# choices = ["yes", "no"]', "for the built-in grader choice: the closed list of answers"),
        "",
        "# [gate]",
        _line("# strict = false", "true: advice refuses, too; nothing here opens the gate"),
        "",
        "# [cost]",
        _line("# prompt = 0.15", "price of a million prompt tokens; without prices, cheaper is not claimed"),
        _line("# completion = 0.60", "price of a million tokens of answers"),
        _line('# currency = "USD"', "of both"),
        "",
        "[project]",
        _line(f"id = {toml_text(identity)}", "made by init; every fact of the ledger carries it: leave it"),
    ]
    return "\n".join(lines) + "\n"


def _line(text: str, remark: str) -> str:
    return f"{text:<36}  # {remark}" if remark else text


TEMPLATE_MARK = "(write the mistakes that would cost you most)"
"""Stands in a rubric that nobody has filled in yet."""


def rubric_template(name: str, description: str, kind: str) -> str:
    """Return a rubric for a person to fill in: what right is, in words that a stranger could grade by."""
    whole = "An answer is right when it says the same as"
    rules = {
        "classification": ["the one label that fits; name here what decides between labels that are near each other"],
        "json": ["each field holds what the input says", "what the input does not say is null, and nothing is made up"],
    }.get(kind, ["what has to be in it", "what must not be in it"])
    lines = [
        f"# {_one_line(name)}: what a right answer is",
        "",
        _one_line(description),
        "",
        "Right:",
        "",
        *(f"- {rule}" for rule in rules),
        "",
        "Wrong, even where it reads well:",
        "",
        f"- {TEMPLATE_MARK}",
        "",
        "Where it is hard to tell:",
        "",
        f"- {whole} ... (write how two people would settle it)",
    ]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def schema_draft(fields: Sequence[str]) -> dict[str, Any]:
    """Return a first schema of an answer: an object with these fields, each text or null; no others where given.

    A name may bring its type, as in `refund:boolean`; known are string, number, integer, boolean, array, object.
    """
    properties: dict[str, Any] = {}
    for field in fields:
        name, _, kind = field.partition(":")
        properties[name.strip()] = {"type": [kind.strip() or "string", "null"]}
    draft: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
    if properties:
        draft |= {"properties": properties, "required": list(properties), "additionalProperties": False}
    return draft


def schema_text(schema: Mapping[str, Any]) -> str:
    """Return a schema as a file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
