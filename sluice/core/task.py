"""`sluice.toml` as checked records: the task, the model, prompts, graders, the gate's values.

Reading is strict: an unknown key is an error that names the near one, because a mistyped key that is silently ignored
is a default nobody chose. It knows nothing of what the values mean to grader or gate.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.errors import InputError

if TYPE_CHECKING:
    from sluice.core.project import Project

ALPHA = 0.05
LARGEST_MARGIN = 0.1


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Task(_Section):
    """What is wanted, and how a right answer is told."""

    model_config = ConfigDict(allow_inf_nan=False)

    name: str
    data: str
    """The dataset whose parts train, dev and eval verbs use when none is named."""
    description: str
    rubric: str | None = None
    metric: str = "exact"
    """The primary grader."""
    output_schema: str | None = Field(default=None, alias="schema")
    group: str | None = None
    """Metadata column; rows of one group never straddle parts."""
    stratify: str | None = None
    claim: Literal["better", "not-worse"] = "better"
    against: str = "baseline"
    margin: float | None = Field(default=None, gt=0, lt=1)
    target: float | None = None
    openings: int | None = Field(default=None, ge=1)
    alpha: float = Field(default=ALPHA, gt=0, lt=0.5)
    """Probability of a false verdict, all openings together; from .5 on no interval exists."""
    curate_only: bool = False
    needs: list[Literal["retrieval", "tools"]] | None = None
    """What an answer takes beside its input; empty: neither. None: nobody has said."""
    max_tokens: int = Field(default=1024, ge=16)
    """Length limit of a rendered training row, in tokens."""


class Model(_Section):
    """The model to be tuned, and the form in which it is measured and served."""

    base: str
    serve: str | None = None
    chat_template: str | None = None


class Prompts(_Section):
    """Prompt files: those measured as baselines, and the one that an adapter is trained under."""

    baseline: list[str] = []
    train: str | None = None


class GraderConfig(_Section):
    """A grader of the project's own, or a built-in one with other settings."""

    name: str
    file: str | None = None
    function: str = "grade"
    kind: Literal["binary", "graded"] | None = None
    range: tuple[float, float] | None = Field(default=None, strict=False)
    right_at: float | None = None
    needs: list[str] = []
    direction: Literal["higher", "lower"] = "higher"
    choices: list[str] = []


class Gate(_Section):
    """The gate's own switches. Nothing here opens it."""

    strict: bool = False


class CheckConfig(_Section):
    """What a project says of one check of `audit` in the place of the check's own values."""

    model_config = ConfigDict(allow_inf_nan=False)

    severity: Literal["warn", "fail"] | None = None
    threshold: float | None = None


class Checks(_Section):
    """The checks of `audit`: which are left out, and `[checks.NAME]` for single ones. Their names are known there."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, CheckConfig]  # pyright: ignore[reportIncompatibleVariableOverride]

    disable: list[str] = []

    @property
    def named(self) -> dict[str, CheckConfig]:
        """The sections of single checks."""
        return dict(self.__pydantic_extra__ or {})


class Cost(_Section):
    """Prices per million tokens; without them "cheaper" is not claimed."""

    model_config = ConfigDict(allow_inf_nan=False)

    prompt: float | None = None
    completion: float | None = None
    currency: str = "USD"


class ProjectSection(_Section):
    """Made by init."""

    id: str


class Config(_Section):
    """All of sluice.toml."""

    task: Task
    model: Model
    prompts: Prompts = Prompts()
    graders: list[GraderConfig] = []
    gate: Gate = Gate()
    checks: Checks = Checks()
    cost: Cost = Cost()
    project: ProjectSection

    @property
    def project_id(self) -> str:
        """The id that every fact of this project carries."""
        return self.project.id


def read_config(path: Path) -> Config:
    """Read and check a sluice.toml. Raises InputError with the key and what it should be."""
    if not path.is_file():
        raise InputError("there is no sluice.toml in this project yet", where=str(path.parent), remedy="sluice init")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"not valid TOML: {problem}", where=path.name, remedy="mend that line") from problem
    except UnicodeDecodeError as problem:
        raise InputError("not UTF-8 text", where=path.name, remedy="save it as UTF-8") from problem
    try:
        return Config.model_validate(raw)
    except ValidationError as problem:
        raise _first_problem(problem, path) from problem


def _first_problem(problem: ValidationError, path: Path) -> InputError:
    found, file = problem.errors(), path.name
    first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])  # it explains what is missing
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        known = _keys_beside(first["loc"])
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}"
        return InputError(f"unknown key '{place}'", where=file, remedy=hint)
    if first["type"] == "missing":
        return InputError(f"the key '{place}' is missing", where=file, remedy=_missing(place, path.parent))
    return InputError(f"'{place}': {first['msg'].lower()}", where=file, remedy="correct the value")


def _missing(place: str, folder: Path) -> str:
    """Return how a missing key is added; the id of a project is the one that its ledger names, else a new one."""
    if place in ("project", "project.id"):
        from sluice.core.project import Project
        from sluice.core.scaffold import project_id

        identity, _ = project_id(Project(folder))
        spot = "at the end, below a new line [project]" if place == "project" else "below [project]"
        return f'write id = "{identity}" {spot}'
    return "add it; `sluice init` in an empty folder writes a whole file to copy from"


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    model: Any = Config
    for part in loc[:-1]:
        if isinstance(part, str):
            field = model.model_fields[part].annotation
            model = field if isinstance(field, type) else GraderConfig
    return [info.alias or name for name, info in model.model_fields.items()]


def read_schema(project: Project) -> dict[str, Any] | None:
    """Return the task's JSON schema, or None where the task has none. Raises InputError where it is no schema."""
    name = project.config.task.output_schema
    if name is None:
        return None
    return parse_schema(project.read_text(name, what="the schema"), where=name)


def parse_schema(text: str, *, where: str) -> dict[str, Any]:
    """Return a JSON schema (draft 2020-12 unless it names another) from its text. Raises InputError."""
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    try:
        value = parse_exact(text)
    except JsonProblem as problem:
        place = where if problem.line is None else f"{where}:{problem.line}:{problem.column}"
        raise InputError(problem.reason, where=place, remedy="mend that line") from problem
    if not isinstance(value, dict):
        raise InputError("a schema is a JSON object", where=where, remedy='begin with {"type": "object", ...}')
    schema = cast("dict[str, Any]", value)
    if not isinstance(schema.get("$schema", ""), str):
        raise InputError("not a JSON schema: $schema is not text", where=where, remedy="see json-schema.org")
    validator = cast("type[Draft202012Validator]", validator_for(schema, default=Draft202012Validator))
    try:
        validator.check_schema(schema)
    except SchemaError as problem:
        spot = "/".join(str(part) for part in problem.absolute_path) or "the top"
        raise InputError(
            f"not a JSON schema: {problem.message} (at {spot})", where=where, remedy="see json-schema.org"
        ) from problem
    if not set(schema) & set(validator.VALIDATORS):
        raise InputError(
            "a schema that allows everything checks nothing", where=where, remedy="name its type and properties"
        )
    _check_references(str(validator.META_SCHEMA["$schema"]), schema, where)
    return schema


def _check_references(dialect: str, schema: dict[str, Any], where: str) -> None:
    """Look up every `$ref`, so that a dangling one is found now and not at the first answer; nothing is fetched."""
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import EMPTY_REGISTRY, specification_with

    parts = list(_subschemas(schema))
    if any("$id" in part for part in parts[1:]):
        return  # a part with an address of its own: references then mean what lies near it
    resource = specification_with(dialect).create_resource(schema)
    address = resource.id() or ""
    resolver = EMPTY_REGISTRY.with_resource(address, resource).resolver(base_uri=address)
    for part in parts:
        reference = part.get("$ref")
        if isinstance(reference, str):
            try:
                resolver.lookup(reference)
            except Unresolvable:
                raise InputError(
                    f"the schema refers to '{reference}', which is not in it",
                    where=where,
                    remedy="put what it means under $defs",
                ) from None


def _subschemas(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a schema, the whole first, but for values that are data."""
    if isinstance(value, dict):
        whole = cast("dict[str, Any]", value)
        yield whole
        for key, item in whole.items():
            if key not in ("const", "default", "enum", "examples"):
                yield from _subschemas(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _subschemas(item)
