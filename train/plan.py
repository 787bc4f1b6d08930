"""What a training run would do: rows, tokens, steps, memory, time from a short probe, and rows with their mask.

Shows the very tokens that the spine would train on. Writes nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.evalsuite.asking import Form
from sluice.evalsuite.models.identity import ModelFiles
from sluice.evalsuite.models.local import load, load_tokenizer
from sluice.train.recipes.config import SftConfig
from sluice.train.render import Rendered
from sluice.train.training_rows import LengthLimit

PROBE_ROWS = 24
SAMPLES = 3
SHOWN_OF_REPEATED = 24  # tokens of a text that all rows begin with that are not marked as repeated
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


class Piece(BaseModel):
    """A stretch of a row's tokens, as text, and whether it is learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    trained: bool
    tokens: int
    repeated: bool = False
    """Whether it is the same in every row that is shown, and so need not be read again."""


class Sample(BaseModel):
    """One row as it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    tokens: int
    trained: int
    pieces: tuple[Piece, ...]


class Plan(BaseModel):
    """What training would take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    overlong: int
    problems: dict[str, int]
    """Rows that cannot be trained on, by reason."""
    tokens: int
    """Of one epoch, prompt included."""
    trained_tokens: int
    longest: int
    max_tokens: int
    limit_of: str
    """Whether that limit is the task's or what the model reads, in words."""
    steps: int
    epochs: int
    batch: int
    device: str
    form: str
    parameters: int | None
    memory_gb: float | None
    """Estimated peak: weights, LoRA with optimiser, activations of one part."""
    rows_per_second: float | None
    """Measured on this machine, on these rows; None where no probe was run."""
    seconds: float | None
    samples: tuple[Sample, ...]


def plan(
    files: ModelFiles,
    form: Form,
    rows: Sequence[tuple[str, Rendered]],
    config: SftConfig,
    *,
    limit: LengthLimit,
    probe: bool = True,
    progress: Progress | None = None,
) -> Plan:
    """Return what training on rendered rows would take.

    Args:
        rows: row hash and rendered row.
        limit: what they were rendered under.
        probe: measure a few steps on this machine (some seconds, mostly the loading of the model).

    Raises InputError where there are no rows.
    """
    if not rows:
        raise InputError("there are no rows to train on", remedy="sluice split")
    tokenizer = load_tokenizer(files)
    good = [(row, r) for row, r in rows if r.problem is None]
    problems: dict[str, int] = {}
    for _, r in rows:
        if r.problem is not None:
            problems[r.problem] = problems.get(r.problem, 0) + 1
    speed, parameters, memory = (
        _measure(files, form, [r for _, r in good], config, progress) if probe and good else (None,) * 3
    )
    count = len(good)
    return Plan(
        rows=len(rows),
        overlong=problems.get("over-long", 0),
        problems=problems,
        tokens=sum(len(r.ids) for _, r in good),
        trained_tokens=sum(r.completion_tokens for _, r in good),
        longest=max((len(r.ids) for _, r in rows), default=0),
        max_tokens=limit.tokens,
        limit_of=limit.of,
        steps=math.ceil(count / config.batch) * config.epochs,
        epochs=config.epochs,
        batch=config.batch,
        device=form.device,
        form=form.name,
        parameters=parameters,
        memory_gb=memory,
        rows_per_second=None if speed is None else round(speed, 2),
        seconds=None if not speed else round(count * config.epochs / speed, 1),
        samples=_samples(tokenizer, good[:SAMPLES]),
    )


def _samples(tokenizer: Any, rows: Sequence[tuple[str, Rendered]]) -> tuple[Sample, ...]:
    prompts = [r.ids[: r.prompt_tokens] for _, r in rows]
    alike = [len(set(column)) == 1 for column in zip(*prompts, strict=False)] if len(prompts) > 1 else []
    same = [*alike, False].index(False)
    return tuple(_sample(tokenizer, row, r, same) for row, r in rows)


def _sample(tokenizer: Any, row: str, rendered: Rendered, same: int) -> Sample:
    """Return a row in pieces.

    Args:
        same: how many tokens all rows that are shown begin with.
    """
    ends = sorted({min(SHOWN_OF_REPEATED, same), same, rendered.prompt_tokens, len(rendered.ids)} - {0})
    pieces: list[Piece] = []
    for start, end in pairwise([0, *ends]):
        pieces.append(
            Piece(
                text=tokenizer.decode(list(rendered.ids[start:end])),
                trained=start >= rendered.prompt_tokens,
                tokens=end - start,
                repeated=start == SHOWN_OF_REPEATED and end == same,
            )
        )
    return Sample(row=row, tokens=len(rendered.ids), trained=rendered.completion_tokens, pieces=tuple(pieces))


def _measure(
    files: ModelFiles, form: Form, rows: list[Rendered], config: SftConfig, progress: Progress | None
) -> tuple[float, int, float]:
    """Train two short runs in a throw-away folder; return rows a second, parameters and gigabytes.

    Two lengths, so that what a run costs once (setting up, saving) is taken out.
    """
    import tempfile
    from pathlib import Path

    from sluice.train.recipes.fit import fit

    if progress:
        progress("measuring the speed of training here", 0, 0)
    model = load(files, dtype=form.dtype, device=form.device, quantisation=form.quantisation)  # type: ignore[arg-type]
    parameters = sum(p.numel() for p in model.model.parameters())
    sample = sorted(rows, key=lambda r: len(r.ids))
    step = max(1, len(sample) // PROBE_ROWS)
    short = sample[::step][:PROBE_ROWS]
    batch = min(config.batch, max(1, len(short) // 3))
    trial = config.model_copy(update={"batch": batch, "epochs": 1, "checkpoint_seconds": 1e9})
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        result = fit(model, short, trial, Path(folder))
        wall = time.monotonic() - started
    lines = result.seconds if result.seconds else wall
    speed = result.samples / max(lines, 1e-6)
    width = 0.55 if form.quantisation == "nf4" else BYTES[form.dtype]
    tokens = max(len(r.ids) for r in rows) * config.batch
    hidden = int(getattr(model.base.config.get_text_config(), "hidden_size", 1024))
    layers = int(getattr(model.base.config.get_text_config(), "num_hidden_layers", 24))
    activations = min(tokens, config.part_tokens) * hidden * layers * 34 * BYTES[form.dtype]
    memory = parameters * width + result.trained_parameters * 16 + activations
    return speed, parameters, round(memory / 1e9, 2)
