"""A dataset in three parts, people's decisions on it, and runs with scores, all written by what writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sluice.core.canonical import dump_exact
from sluice.core.files import atomic_write
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.core.runs import Decoding, Run, RunSpec, StoredAnswer, rows_hash
from sluice.curate.dataset import open_dataset
from sluice.curate.labels.log import append_record, keep_question, read_log
from sluice.curate.labels.question import ask
from sluice.curate.labels.record import Judgement, Mode, Shown, new_id, now
from sluice.curate.splits.parts import split_dataset

HEAD = {"kind": "graded", "range": [0.0, 1.0], "direction": "higher", "metric": "exact"}


@pytest.fixture
def parted(project: Project) -> Project:
    """Return the project with `d` in parts: 12 rows of dev, 12 of eval."""
    split_dataset(project, "d", eval=12, dev=12)
    return project


@pytest.fixture
def rows(parted: Project) -> Callable[[str], list[Example]]:
    """Return the rows of a part."""
    return lambda part: open_dataset(parted, f"d/{part}").examples()


@pytest.fixture
def answered(parted: Project) -> Callable[..., str]:
    """Write a closed run that gives answers to rows, with scores where they are given; returns its id."""

    def write(
        *answers: tuple[Example, Sequence[tuple[str, float | None]]], on: str = "d/train", stop: str = "end"
    ) -> str:
        asked = [row for row, _ in answers]
        spec = RunSpec(
            role="eval", label="m", base="m", base_sha256="b" * 64, adapter=None, prompt={}, prompt_sha256="p",
            form="float32", decoding=Decoding(max_new_tokens=8), on=on, rows_sha256=rows_hash(r.row for r in asked),
            rendered_sha256="r",
        )  # fmt: skip
        run = Run.start(parted, spec)
        lines: list[dict[str, Any]] = [HEAD]
        for row, given in answers:
            for repeat, (text, score) in enumerate(given):
                run.append(
                    StoredAnswer.model_validate(
                        {"row": row.row, "input": row.input_hash, "repeat": repeat, "text": text, "stop": stop}
                    )
                )
                if score is not None:
                    line = {"row": row.row, "input": row.input_hash, "score": score, "class": "c"}
                    lines.append(line | ({"repeat": repeat} if repeat else {}))
        run.close()
        if len(lines) > 1:
            atomic_write(run.folder / "scores.jsonl", "".join(dump_exact(line) + "\n" for line in lines).encode())
        return run.id

    return write


@pytest.fixture
def decide(parted: Project) -> Callable[..., None]:
    """Write a decision of a person about a row, as the terminal app does."""

    def write(row: Example, mode: Mode, value: Any, *, by: str = "ana", sides: tuple[str, ...] = (), **more: Any):
        question = ask(mode, written="w")
        keep_question(parted, question, read_log(parted), by=by)
        append_record(
            parted,
            Judgement(
                id=new_id(), time=now(), by=by, seconds=1, mode=mode, question=question.hash, field="target",
                dataset=more.pop("dataset", "d/train"), row=more.pop("gone", row.row), input=row.input_hash,
                value=question.check(value), shown=Shown(session="s", place=1, queue="random", sides=sides), **more,
            ),
        )  # fmt: skip

    return write


@pytest.fixture
def feedback(tmp_path: Path) -> Callable[..., str]:
    """Write records as JSON lines; returns the file."""

    def write(*records: dict[str, Any]) -> str:
        file = tmp_path / "feedback.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        return str(file)

    return write
