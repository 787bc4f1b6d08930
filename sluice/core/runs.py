"""Runs on disk: what was asked, each answer as it came, and the seal that closes a run.

`.sluice/runs/<id>/run.json` says what answers and under which prompt, form and decoding; `answers.jsonl` is appended
answer by answer and flushed, so a killed run goes on where it was; `closed.json` seals it with the hash of all answers
and the hash of what each took.
A run knows nothing of grades: scoring is a separate pass over stored answers.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from sluice.core.canonical import canonical, dump_exact, sha256_hex
from sluice.core.errors import InputError, Tampered
from sluice.core.files import append_line, atomic_write, read_lines
from sluice.core.project import Project

Stop = Literal["end", "length", "context", "error"]


class Decoding(BaseModel):
    """How answers are drawn. Greedy: temperature is 0; `samples` and `seed` are written only where they are not usual,
    so that a greedy run keeps its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int
    temperature: str = "0"
    """Decimal string."""
    samples: int = 1
    """Answers to each row."""
    seed: int = 0
    """Of the draws, where the temperature is above 0."""

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        usual = {"samples": 1, "seed": 0}
        return {key: value for key, value in write(self).items() if usual.get(key) != value}


class RunSpec(BaseModel):
    """What a run asks, of whom, and how. Two runs with equal specs answer the same question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["baseline", "eval", "reference", "constant", "imported", "sampled"]
    label: str
    """The local name that people see (`few-shot`, `sft-1`)."""
    base: str
    """Name of the base model."""
    base_sha256: str
    """Identity of every file that the model's loader reads."""
    adapter: str | None
    """SHA-256 of the adapter's files; None for the base."""
    prompt: dict[str, Any]
    """The prompt: name, blocks, shots."""
    prompt_sha256: str
    form: str
    """Precision and quantisation that answered, as `bf16` or `fp32/nf4`."""
    decoding: Decoding
    on: str
    """`dev`, a part, or a set's name."""
    rows_sha256: str
    """Hash over the sorted row hashes that were asked."""
    rendered_sha256: str
    """Hash over the rendered messages, in the order of row hashes."""

    @property
    def sha256(self) -> str:
        """The name of the question: everything but the label."""
        body = self.model_dump(mode="json", exclude={"label"})
        body["prompt"] = self.prompt_sha256
        return hashlib.sha256(b"sluice/run/1\n" + canonical(body).encode()).hexdigest()


class StoredAnswer(BaseModel):
    """One answer as it came."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    input: str
    repeat: int = 0
    text: str
    stop: Stop
    prompt_tokens: int = 0
    new_tokens: int = 0
    seconds: float = 0.0
    error: str | None = None

    @property
    def cut(self) -> bool:
        """Whether the answer ended because there was no more room."""
        return self.stop in ("length", "context")


def rows_hash(rows: Iterable[str]) -> str:
    """Return the hash over a set of row hashes, in sorted order."""
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def answers_hash(answers: Iterable[StoredAnswer]) -> str:
    """Return the hash over answers, whatever their order; the texts enter exactly, times and counts not at all."""
    lines = sorted(dump_exact([a.row, a.input, a.repeat, a.text, a.stop, a.error]) for a in answers)
    return hashlib.sha256(("sluice/answers/1\n" + "\n".join(lines)).encode()).hexdigest()


def counts_hash(answers: Iterable[StoredAnswer]) -> str:
    """Return the hash over what each answer took, whatever their order: tokens and seconds."""
    lines = sorted(canonical([a.row, a.repeat, a.prompt_tokens, a.new_tokens, a.seconds]) for a in answers)
    return sha256_hex("sluice/counts/1", "\n".join(lines))


class Run:
    """One run folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.id = folder.name

    @classmethod
    def start(cls, project: Project, spec: RunSpec) -> Run:
        """Open a new run folder for a spec; its id is the label, the place and a free number."""
        project.make_store()
        stem = re.sub(r"[^a-z0-9]+", "-", f"{spec.on}-{spec.label}".lower()).strip("-")
        while True:
            run = cls(project.runs / f"{stem}-{secrets.token_hex(3)}")
            if not run.folder.exists():
                break
        atomic_write(run.folder / "run.json", (dump_exact(spec.model_dump(mode="json")) + "\n").encode())
        return run

    @property
    def spec(self) -> RunSpec:
        """What was asked. Raises InputError where the run has no readable run.json."""
        try:
            return RunSpec.model_validate_json((self.folder / "run.json").read_bytes())
        except FileNotFoundError:
            raise InputError("no such run", where=self.id, remedy="sluice log") from None
        except ValueError as problem:
            raise Tampered("run.json cannot be read", where=self.id, remedy="run it again") from problem

    def append(self, answer: StoredAnswer) -> None:
        """Append one answer and flush it. Raises InputError where the run is closed."""
        if (self.folder / "closed.json").exists():
            raise InputError("this run is closed; no answer can be added", where=self.id, remedy="start another run")
        append_line(self.folder / "answers.jsonl", dump_exact(answer.model_dump(mode="json")))

    def answers(self) -> dict[tuple[str, int], StoredAnswer]:
        """Return the stored answers by (row, repeat); the first one of each counts."""
        found: dict[tuple[str, int], StoredAnswer] = {}
        for record in read_lines(self.folder / "answers.jsonl"):
            try:
                answer = StoredAnswer.model_validate(record)
            except ValueError as problem:
                raise Tampered("an answer cannot be read", where=f"{self.id}/answers.jsonl") from problem
            found.setdefault((answer.row, answer.repeat), answer)
        return found

    def close(self) -> str:
        """Seal the run and return the hash over its answers."""
        answers = self.answers().values()
        digest = answers_hash(answers)
        body = {"answers": digest, "counts": counts_hash(answers), "spec": self.spec.sha256}
        atomic_write(self.folder / "closed.json", (json.dumps(body, sort_keys=True) + "\n").encode())
        return digest

    @property
    def closed(self) -> str | None:
        """The hash over the answers of a closed run, else None."""
        seal = self._seal()
        return None if seal is None else seal["answers"]

    @property
    def counts(self) -> str | None:
        """The hash over tokens and seconds of a closed run; None where it is open, or older than that hash."""
        return (self._seal() or {}).get("counts")

    def _seal(self) -> dict[str, str] | None:
        """Return what `closed.json` says; None for an open run. Raises Tampered where it is no seal."""
        file = self.folder / "closed.json"
        if not file.is_file():
            return None
        try:
            found = {str(key): str(value) for key, value in json.loads(file.read_bytes()).items()}
        except (ValueError, AttributeError) as problem:
            raise Tampered("closed.json cannot be read", where=self.id) from problem
        if "answers" not in found or "spec" not in found:
            raise Tampered("closed.json cannot be read", where=self.id)
        return found

    def check(self) -> None:
        """Raise Tampered where a closed run's question or answers are not those that were sealed.

        An open run has no seal and passes. A seal that was edited with its answers is found by the ledger, which holds
        the hash of the answers too.
        """
        seal = self._seal()
        if seal is None:
            return
        answers = self.answers().values()
        if answers_hash(answers) != seal["answers"]:
            raise Tampered("the stored answers are not those that were given", where=self.id)
        if "counts" in seal and counts_hash(answers) != seal["counts"]:
            raise Tampered("tokens or seconds of the stored answers are not those that were taken", where=self.id)
        if seal["spec"] != self.spec.sha256:
            raise Tampered("run.json is not the question that was sealed", where=self.id)


def all_runs(project: Project) -> list[Run]:
    """Return every run of the project, by id."""
    if not project.runs.is_dir():
        return []
    return [Run(p.parent) for p in sorted(project.runs.glob("*/run.json"))]


def find_run(project: Project, spec: RunSpec) -> Run | None:
    """Return the run that answers just this question: a closed one before an open one.

    A run whose run.json cannot be read answers nothing; `verify` names it.
    """
    wanted = spec.sha256
    runs = [run for run in all_runs(project) if _asks(run, wanted)]
    return next((r for r in runs if r.closed), runs[0] if runs else None)


def _asks(run: Run, wanted: str) -> bool:
    try:
        return run.spec.sha256 == wanted
    except Tampered:
        return False
