"""Start a project: write sluice.toml, the rubric, the schema and git's two files from a few answers.

Nothing that exists is overwritten: a sluice.toml refuses, a rubric or schema that is there is kept and named, git's
files get the lines that they lack. sluice.toml is written last, so a killed start can simply be repeated. It asks
nobody; the terminal does.
"""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.files import atomic_write, link_new, make_folder, write_synced
from sluice.core.project import CONFIG, DATASET_NAME, NAME_RULE, Project, gitattributes_text, gitignore_text
from sluice.core.scaffold_text import config_text, rubric_template, schema_draft, schema_text
from sluice.core.siblings import sibling
from sluice.core.standing import datasets_of
from sluice.core.task import parse_schema, read_config

Kind = Literal["classification", "json", "text", "curate"]
KINDS: tuple[Kind, ...] = ("classification", "json", "text", "curate")
METRICS: dict[Kind, str] = {"classification": "exact", "json": "fields_f1", "text": "normalised", "curate": "exact"}
RUBRIC, SCHEMA, PROMPTS = "rubric.md", "schema.json", "prompts"


class InitAnswers(BaseModel):
    """What has to be known to start a project."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    data: str
    """Name of the dataset whose parts verbs use."""
    description: str
    """What is wanted, one sentence; part of every composed prompt."""
    base: str
    """Model to be tuned: the default's name, a folder, or a Hugging Face id."""
    kind: Kind
    answers: bool = True
    """Whether the rows come with answers (targets)."""
    metric: str | None = None
    """By default what suits the kind: `choice` where there are labels, else METRICS."""
    rubric: Path | None = None
    """A file of the person's own; a template where None."""
    schema_file: Path | None = None
    fields: tuple[str, ...] = ()
    """Fields of an answer, for a first draft of its schema."""
    labels: tuple[str, ...] = ()
    """The closed list of answers of a classification."""
    needs: tuple[Literal["retrieval", "tools"], ...] | None = None
    """What an answer takes beside its input; empty: neither. None: nobody has said."""


class InitResult(BaseModel):
    """What was written, and what was found and left alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: str
    name: str
    data: str
    metric: str
    project_id: str
    curate_only: bool
    written: tuple[str, ...]
    extended: tuple[str, ...]
    """Files that existed and got lines that they lacked."""
    kept: tuple[str, ...]
    """Files that existed and are used as they are."""
    notes: tuple[str, ...]


def scaffold(folder: str | Path, answers: InitAnswers) -> InitResult:
    """Write the files of a new project into a folder that may hold other files.

    Raises:
        InputError: a sluice.toml is there already; an answer that cannot be (empty, a dataset name with other letters,
            half a surrogate pair); a named rubric or schema that is missing, is no schema, or would overwrite another.
        SurroundingsError: the folder cannot be written.
    """
    root = Path(folder).resolve()
    project = Project(root)
    if project.config_file.exists():
        raise InputError(
            "this project has been started already; nothing was written",
            where=CONFIG,
            remedy=f"edit {CONFIG}, or remove it first",
        )
    check_answers(answers)
    work = _Work(root)
    rubric, rubric_data = work.find(answers.rubric, RUBRIC, "the rubric")
    if rubric_data is None and rubric not in work.kept:
        rubric_data = rubric_template(answers.name, answers.description, answers.kind).encode()
    schema, schema_data = work.find(answers.schema_file, SCHEMA, "the schema")
    if schema_data is None and schema not in work.kept:
        if answers.kind == "json" or answers.fields:
            schema_data = schema_text(schema_draft(answers.fields)).encode()
        else:
            schema = None
    if schema is not None:
        data = schema_data if schema_data is not None else (root / schema).read_bytes()
        parse_schema(_text(data, schema, "the schema"), where=schema)
    identity, noted = project_id(project)
    for name, found in ((rubric, rubric_data), (schema, schema_data)):
        if name is not None and found is not None:
            atomic_write(root / name, found)
            work.written.append(name)
    if not (root / PROMPTS).exists():
        make_folder(root / PROMPTS)
        work.written.append(f"{PROMPTS}/")
    metric = answers.metric or ("choice" if answers.labels else METRICS[answers.kind])
    work.add_lines(".gitignore", gitignore_text())
    work.add_lines(".gitattributes", gitattributes_text([rubric, *([schema] if schema else [])]))
    text = config_text(
        {"name": answers.name, "data": answers.data, "description": answers.description, "rubric": rubric},
        metric=metric,
        base=answers.base,
        identity=identity,
        schema=schema,
        labels=answers.labels,
        curate_only=answers.kind == "curate",
        needs=answers.needs,
    )
    if not work.write_exclusive(CONFIG, text):
        raise InputError("another process has just started a project here", where=CONFIG, remedy="look at it")
    read_config(project.config_file)  # what was written can be read
    return InitResult(
        root=str(root),
        name=answers.name,
        data=answers.data,
        metric=metric,
        project_id=identity,
        curate_only=answers.kind == "curate",
        written=tuple(work.written),
        extended=tuple(work.extended),
        kept=tuple(work.kept),
        notes=(*noted, *_notes(root, answers, metric)),
    )


def check_answers(answers: InitAnswers) -> None:
    """Raise InputError for an answer that cannot be."""
    for key, value in (("name", answers.name), ("description", answers.description), ("base", answers.base)):
        if not value.strip():
            raise InputError(f"the {key} is empty", remedy=f"--{key} TEXT")
    if not re.fullmatch(DATASET_NAME, answers.data):
        raise InputError(f"'{answers.data}' cannot be the name of a dataset", remedy=NAME_RULE)
    for text in (answers.name, answers.description, answers.base, answers.metric or "", *answers.labels):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError("a text holds half a surrogate pair", remedy="write it again") from None
    if answers.labels and answers.kind not in ("classification", "curate") and answers.metric != "choice":
        raise InputError(
            f"labels are the answers of a classification, and the kind is {answers.kind}",
            remedy="--kind classification, or leave the labels out",
        )
    names = [field.partition(":")[0].strip() for field in answers.fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"the field '{twice}' is named twice", remedy="--fields category,urgency: each name once")
    if len(answers.labels) == 1 or len(set(answers.labels)) != len(answers.labels):
        raise InputError("labels are two or more, each once", remedy="--labels billing,delivery,other")


def default_name(folder: Path) -> str:
    """Return the name that a folder gives its project."""
    return folder.resolve().name or "task"


def default_dataset(name: str) -> str:
    """Return the name of a dataset that is near a project's name."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:100] or "data"


def datasets_here(folder: Path) -> list[str]:
    """Return the names of the datasets that were added before the project was started, parts left out."""
    return [state.name for state in datasets_of(Project(folder)) if "/" not in state.name]


class _Work:
    """The files of one start, by what became of them."""

    def __init__(self, root: Path):
        self.root = root
        self.written: list[str] = []
        self.extended: list[str] = []
        self.kept: list[str] = []

    def find(self, given: Path | None, name: str, what: str) -> tuple[str, bytes | None]:
        """Return the project's name for a file, and what is to be written there: None where it stands, or is unknown.

        A file that stands is noted as kept. Writes nothing.
        """
        if given is None:
            if (self.root / name).is_file():
                self.kept.append(name)
            return name, None
        path = given.expanduser().resolve()
        if not path.is_file():
            raise InputError(f"{what} does not exist", where=str(given), remedy="check the path")
        data = path.read_bytes()
        _text(data, str(given), what)
        if path.is_relative_to(self.root):
            inside = path.relative_to(self.root).as_posix()
            self.kept.append(inside)
            return inside, None
        target = self.root / name
        if not target.exists():
            return name, data
        if target.read_bytes() != data:
            raise InputError(
                f"{what} would overwrite another file", where=name, remedy=f"rename {name}, or leave the option out"
            )
        self.kept.append(name)
        return name, None

    def write_exclusive(self, name: str, text: str) -> bool:
        """Write a file only where nothing has its name yet; return whether it was written."""
        make_folder(self.root)
        staged = sibling(self.root / name)
        try:
            write_synced(staged, text.encode(), place=self.root / name)
            done = link_new(staged, self.root / name)
        finally:
            staged.unlink(missing_ok=True)
        if done:
            self.written.insert(0, name)
        return done

    def add_lines(self, name: str, text: str) -> None:
        """Append the lines that a file of git lacks."""
        file = self.root / name
        if not file.exists():
            atomic_write(file, text.encode())
            self.written.append(name)
            return
        old = file.read_bytes()
        there = {line.strip() for line in old.decode("utf-8", "replace").splitlines()}
        lacking = [line for line in text.splitlines() if line.strip() not in there]
        if not lacking:
            self.kept.append(name)
            return
        end = b"" if not old or old.endswith(b"\n") else b"\n"
        atomic_write(file, old + end + ("\n".join(lacking) + "\n").encode())
        self.extended.append(name)


def _text(data: bytes, where: str, what: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InputError(f"{what} is not UTF-8 text", where=where, remedy="save it as UTF-8") from problem


def project_id(project: Project) -> tuple[str, list[str]]:
    """Return the id of an earlier sluice.toml where the ledger tells it, else a new one; and what to say of it."""
    if not project.ledger.is_dir() and not project.ledger_copy.is_dir():
        return secrets.token_hex(8), []
    found: set[Any] = set()
    for file in [*project.ledger.glob("*.json"), *project.ledger_copy.glob("*.json")]:
        try:
            found.add(json.loads(file.read_bytes())["project"])
        except (ValueError, KeyError, TypeError):
            continue  # verify names it
    if len(found) == 1 and isinstance(known := next(iter(found)), str):
        return known, ["the ledger of an earlier sluice.toml is here: its project id is kept, so its facts count"]
    return secrets.token_hex(8), (
        ["the ledger here is of several projects: none of its facts will count"] if found else []
    )


def _notes(root: Path, answers: InitAnswers, metric: str) -> list[str]:
    notes: list[str] = []
    above = Project.find_or_none(root.parent) if root.parent != root else None
    if above is not None:
        notes.append(f"this folder lies in another project ({above.root}); its datasets stay there")
    here = datasets_here(root)
    if answers.data in here:
        notes.append(f"data is {answers.data}, the dataset that is here")
    elif here:
        known = ", ".join(here)
        notes.append(f"no dataset is called {answers.data} yet; data in {CONFIG} says which it is; here: {known}")
    if answers.kind == "curate":
        return notes
    if not answers.answers and metric != "json_schema":
        notes.append(
            f"the metric {metric} compares with a right answer: before `freeze`, rows for eval and dev need answers"
        )
    if metric == "fields_f1":
        notes.append("below 50 eval rows the metric exact_object (right or wrong, whole object) decides better")
    return notes
