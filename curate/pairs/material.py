"""What sources read: the inputs of a dataset and the part each is in, stored runs with their scores, label records.

An input that is in the eval part, in a frozen eval set or in dev never gives a pair to train on: a run over such rows
is refused whole, single decisions about them are counted and left out (dev: they go to the dev part of the pairs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from sluice.core.errors import InputError, Refused
from sluice.core.files import read_lines
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Input, Preference, from_record
from sluice.core.runs import Run, StoredAnswer, all_runs
from sluice.curate.dataset import PARTS, Version, has_dataset, open_dataset
from sluice.curate.drops import find_records
from sluice.curate.labels.items import answer_of
from sluice.curate.labels.log import Log, read_log
from sluice.curate.labels.sides import TARGET, run_of_side
from sluice.curate.leaks.eval_side import EvalSide, eval_side
from sluice.curate.pairs.candidate import Answer

NO_PART = "in no part"
"""Of an input that a split set aside."""


@dataclass(frozen=True)
class Scored:
    """The answers of a stored run with their scores from 0 to 1, and what scored them."""

    run: Run
    model: str
    metric: str
    answers: dict[str, list[tuple[StoredAnswer, float]]]
    """By input, in order of their repeats."""


class Material:
    """A dataset as pairs are made from it.

    Args:
        project: of the dataset.
        name: the whole, or a part of it; pairs are made of all its parts but eval.
    """

    def __init__(self, project: Project, name: str):
        self.project = project
        self.name = name.partition("/")[0].partition("@")[0].partition(":")[0]
        self.version = open_dataset(project, self.name if has_dataset(project, self.name) else name)
        self._runs: dict[str, Run] = {}
        self._answers: dict[str, dict[tuple[str, int], StoredAnswer]] = {}

    @cached_property
    def parts(self) -> dict[str, Version]:
        """The parts that there are."""
        names = {part: f"{self.name}/{part}" for part in PARTS}
        return {part: open_dataset(self.project, of) for part, of in names.items() if has_dataset(self.project, of)}

    @cached_property
    def log(self) -> Log:
        """What people said."""
        return read_log(self.project)

    @cached_property
    def side(self) -> EvalSide | None:
        """The rows that no pair may repeat."""
        return eval_side(self.project, self.name)

    @cached_property
    def eval_inputs(self) -> frozenset[str]:
        """Inputs of the eval part and of every frozen eval set."""
        return frozenset(row.input_hash for row in self.side.rows) if self.side else frozenset()

    @cached_property
    def _part_of_input(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in ("train", "dev", "eval"):  # the stricter word counts, where parts were made by hand
            if part in self.parts:
                found |= dict.fromkeys(self.parts[part].frame()["input_hash"], part)
        return found | dict.fromkeys(self.eval_inputs, "eval")

    def part_of(self, digest: str) -> str:
        """Return the part that an input is in: `train` where there are no parts, or it is none of the dataset."""
        found = self._part_of_input.get(digest)
        if found is not None:
            return found
        return NO_PART if self.parts and digest in self.inputs else "train"

    @cached_property
    def rows(self) -> dict[str, AnyRow]:
        """Every row of the dataset and its parts, by hash."""
        return {row.row: row for version in (self.version, *self.parts.values()) for row in version.rows()}

    @cached_property
    def inputs(self) -> dict[str, list[AnyRow]]:
        """The rows of each input."""
        found: dict[str, list[AnyRow]] = {}
        for row in self.rows.values():
            found.setdefault(row.input_hash, []).append(row)
        return found

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """Group values by input."""
        found: dict[str, set[str]] = {}
        for version in (self.version, *self.parts.values()):
            frame = version.frame().select("input_hash", "groups")
            for digest, groups in frame.iter_rows():
                found.setdefault(digest, set()).update(groups or ())
        return {digest: sorted(values) for digest, values in found.items() if values}

    def judged_rows(self, wanted: Sequence[str]) -> dict[str, AnyRow]:
        """Return rows by hash, those that are gone from the dataset but not from its history among them."""
        missing = {row for row in wanted if row not in self.rows}
        older = find_records(self.version, missing) if missing else {}
        back = {row: from_record(record) for row, record in older.items()}
        return {row: self.rows[row] for row in wanted if row in self.rows} | back

    def content_of(self, digest: str) -> Input | None:
        """Return an input by its hash; None where the dataset has none such."""
        rows = self.inputs.get(digest)
        return rows[0].input if rows else None

    def run(self, name: str) -> Run:
        """Return a stored run that is whole. Raises InputError where it is not here, Tampered where it was edited."""
        if name not in self._runs:
            known = {run.id: run for run in all_runs(self.project)}
            if name not in known:
                near = get_close_matches(name, known, n=1)
                raise InputError(
                    f"the run '{name}' is not here",
                    where=f".sluice/runs/{name}",
                    remedy=f"did you mean '{near[0]}'?"
                    if near
                    else f"copy its folder here, or make one: sluice eval MODEL --on {self.name}/train --samples 4",
                )
            known[name].check()
            self._runs[name] = known[name]
        return self._runs[name]

    def train_run(self, name: str) -> Run:
        """Return a run whose answers may be trained on: one over the training rows of this dataset.

        Raises InputError as `run`, and where it is over other rows; Refused for eval or dev rows.
        """
        run = self.run(name)
        inputs = {answer.input for answer in run.answers().values()}
        for part, of in (("eval", "the eval set"), ("dev", "dev")):
            held = [digest for digest in inputs if self.part_of(digest) == part]
            if held:
                raise Refused(
                    f"{len(held):,} of the {len(inputs):,} inputs of the run '{name}' are in {of}: pairs of them would "
                    "teach what is measured",
                    where=f".sluice/runs/{name}",
                    remedy=f"answer training rows: sluice eval MODEL --on {self.name}/train --samples 4",
                )
        if inputs.isdisjoint(self.inputs):
            raise InputError(
                f"no row that the run '{name}' answered is in {self.name}",
                where=f".sluice/runs/{name} (on {run.spec.on})",
                remedy="name the dataset that it was asked about",
            )
        return run

    def scored(self, name: str) -> Scored:
        """Return the whole answers of a training run with their scores, from its scores.jsonl.

        Raises as `train_run`, and InputError where the run has no scores.
        """
        run = self.train_run(name)
        file = run.folder / "scores.jsonl"
        lines = list(read_lines(file)) if file.is_file() else []
        if len(lines) < 2 or "range" not in lines[0]:
            raise InputError(
                f"the answers of the run '{name}' have no scores",
                where=f".sluice/runs/{name}/scores.jsonl",
                remedy="run sluice eval again as it was run: answers stay, scores are written",
            )
        scale = _scale(lines[0], lines[1:])
        scores = {(str(line["row"]), int(line.get("repeat", 0))): scale(float(line["score"])) for line in lines[1:]}
        found: dict[str, list[tuple[StoredAnswer, float]]] = {}
        for key, answer in sorted(run.answers().items()):
            if key in scores and answer.input in self.inputs:
                found.setdefault(answer.input, []).append((answer, scores[key]))
        return Scored(run, model_of(run), str(lines[0].get("metric") or "grader"), found)

    def answer_at(self, side: str, row: AnyRow) -> Answer | None:
        """Return the answer that a comparison named, to the row that it was about; None where there is none.

        Raises InputError where the run is not here.
        """
        named = run_of_side(side)
        if named is None:
            if isinstance(row, Preference):  # its own two answers, judged again
                return Answer(row.chosen if side == "chosen" else row.rejected, side)
            text = answer_of(row)
            return None if text is None else Answer(text, TARGET)
        run = self.run(named[0])
        if run.id not in self._answers:
            self._answers[run.id] = {(a.input, a.repeat): a for a in run.answers().values() if a.stop != "error"}
        answer = self._answers[run.id].get((row.input_hash, named[1]))
        return None if answer is None else Answer(answer.text, side, model_of(run))


def model_of(run: Run) -> str:
    """Return what names the model whose answers a run holds: the first digits of its adapter's or base's hash."""
    spec = run.spec
    return (spec.adapter or spec.base_sha256)[:12]


def _scale(head: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Any:
    """Return the function from a score to its place between worst (0) and best (1)."""
    low, high = (float(end) for end in head["range"])
    if not high - low < float("inf"):
        seen = [float(line["score"]) for line in lines]
        low, high = min(seen), max(seen)
    width = (high - low) or 1.0
    flip = head.get("direction") == "lower"

    def place(score: float) -> float:
        share = (score - low) / width
        return 1.0 - share if flip else share

    return place
