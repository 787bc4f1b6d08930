"""Several answers of a candidate to training rows, scored: what pairs are made of. No evidence, so no fact.

Only training rows are asked: rows of dev or of an eval set are refused, since pairs of them would teach what is
measured. A run that was cut goes on where it was, with the same draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import sha256_hex
from sluice.core.errors import Refused, UsageError
from sluice.core.ledger import Facts
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.core.runs import Decoding
from sluice.curate.dataset import has_dataset, open_dataset
from sluice.evalsuite.asking import ModelOnDemand, ask, spec_for
from sluice.evalsuite.evaluate import Candidate, find_place, refuse_leaks
from sluice.evalsuite.graders import Grader
from sluice.evalsuite.scoring import Scores, score_answers, write_scores
from sluice.evalsuite.sets import deciding_set

TEMPERATURE = 0.8
"""Between the 0.7 and 1.0 at which answers are usually drawn for pairs (Zephyr, arXiv 2310.16944: 0.7; online DPO,
arXiv 2402.04792: 0.9): varied, and still what the model would say."""


@dataclass(frozen=True)
class Draw:
    """How many answers are asked of how many rows."""

    samples: int = 1
    temperature: float | None = None
    """None: 0 for one answer, `TEMPERATURE` for several."""
    limit: int | None = None
    """Rows that are asked, drawn at random; None: all."""
    seed: int = 0

    def decoding(self) -> Decoding:
        """Return it as a run says it. Raises UsageError for values that there are not."""
        if self.samples < 1 or (self.limit is not None and self.limit < 1):
            raise UsageError(
                "at least one answer to one row is asked for", where="--samples, --limit", remedy="1 or more"
            )
        warmth = self.temperature if self.temperature is not None else TEMPERATURE if self.samples > 1 else 0.0
        if not math.isfinite(warmth) or not 0 <= warmth <= 5:
            raise UsageError(f"{warmth:g} is no temperature", where="--temperature", remedy="0 to 5, usually 0.7 to 1")
        if self.samples > 1 and warmth == 0:
            raise UsageError(
                "at temperature 0 all answers to a row are the same", where="--temperature", remedy="--temperature 0.8"
            )
        return Decoding(
            max_new_tokens=0, temperature=f"{warmth:g}", samples=self.samples, seed=self.seed if warmth else 0
        )


class Sampled(BaseModel):
    """What was asked, and what came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    on: str
    run: str
    rows: int
    samples: int
    temperature: float
    mean: float
    """Mean score of all answers; an error counts as the worst."""
    best: float
    """Mean over rows of the best score."""
    apart: int
    """Rows with answers of different scores: those that can give a pair."""
    different: float
    """Mean number of different texts a row."""
    cut: int


def training_rows(project: Project, facts: Facts, name: str | None, draw: Draw) -> tuple[str, tuple[Example, ...]]:
    """Return (name, rows) of what is asked: the task's train part by default.

    Raises Refused for rows of dev, of an eval set or a guard set.
    """
    ref = name or f"{project.config.task.data}/train"
    place = find_place(project, facts, ref, final=True)  # a set that is named is found, and refused here
    way = f"sluice eval MODEL --on {project.config.task.data}/train --samples {draw.samples}"
    if place.frozen is not None:
        raise Refused(f"'{place.name}' is a frozen set: it is measured on, so no pairs are made of it", remedy=way)
    devs = {f"{project.config.task.data}/dev", f"{ref.partition('/')[0]}/dev"}
    measured = {r.input_hash for dev in devs if has_dataset(project, dev) for r in open_dataset(project, dev).rows()}
    held = [row for row in place.rows if row.input_hash in measured]
    if held:
        raise Refused(
            f"{len(held):,} of {len(place.rows):,} rows are in dev, for example {held[0].row[:10]}: pairs of them "
            "would teach what is measured",
            where=ref,
            remedy=way,
        )
    rows = place.rows
    if draw.limit is not None:
        drawn = sorted(rows, key=lambda row: sha256_hex("sluice/limit/1", f"{draw.seed} {row.row}"))[: draw.limit]
        taken = {row.row for row in drawn}
        rows = tuple(row for row in rows if row.row in taken)
    return ref, rows


def sample(
    project: Project,
    facts: Facts,
    candidate: Candidate,
    name: str | None,
    draw: Draw,
    *,
    grader: Grader,
    max_new_tokens: int,
    progress: Progress | None = None,
) -> Sampled:
    """Ask training rows for several answers each, score them and keep both in a run.

    Args:
        name: the part; by default the task's train part.
        draw: how many answers of how many rows.
        max_new_tokens: most tokens of an answer.

    Raises Refused for rows that are measured on, or an eval row in the prompt; UsageError for values of `draw`.
    """
    decoding = draw.decoding()
    on, rows = training_rows(project, facts, name, draw)
    spec = spec_for(
        candidate.files,
        candidate.form,
        candidate.prompt,
        rows,
        role="sampled",
        on=on,
        max_new_tokens=max_new_tokens,
        adapter=candidate.adapter_sha256,
        identity=candidate.identity,
        decoding=decoding,
    )
    state = deciding_set(project, facts)
    if state is not None and state.frozen is not None:
        refuse_leaks(state.frozen, candidate.prompt, candidate.files.chat_template)
    model = ModelOnDemand(candidate.files, candidate.form, spec.base_sha256, candidate.adapter, progress)
    run = ask(project, model, spec, candidate.prompt, list(rows), progress=progress)
    answers = run.answers()
    scores = [score_answers(grader, rows, answers, repeat) for repeat in range(draw.samples)]
    write_scores(run, *scores)
    return _sampled(candidate.label, on, run.id, rows, scores, float(decoding.temperature), [
        len({answers[row.row, k].text for k in range(draw.samples)}) for row in rows
    ])  # fmt: skip


def _sampled(
    label: str,
    on: str,
    run: str,
    rows: Sequence[Example],
    scores: Sequence[Scores],
    warmth: float,
    texts: Sequence[int],
) -> Sampled:
    higher = scores[0].spec.direction == "higher"
    by_row = list(zip(*(one.values() for one in scores), strict=True))
    return Sampled(
        label=label,
        on=on,
        run=run,
        rows=len(rows),
        samples=len(scores),
        temperature=warmth,
        mean=sum(map(sum, by_row)) / (len(rows) * len(scores)),
        best=sum((max if higher else min)(values) for values in by_row) / len(rows),
        apart=sum(len(set(values)) > 1 for values in by_row),
        different=sum(texts) / len(rows),
        cut=sum(one.cut for one in scores),
    )
