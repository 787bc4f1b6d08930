"""The steps of the demo: what is said, and the command that is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

TASK = "support-tickets"
DATASET = "tickets"
BATCH = 8


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        name: what it is remembered by.
        says: one or two sentences before the command.
        command: the words after `sluice`.
        exits: exit codes that are no failure here.
    """

    name: str
    says: str
    command: tuple[str, ...]
    exits: tuple[int, ...] = (0,)
    when: Callable[[], bool] = field(default=lambda: True)


def before_training(description: str) -> list[Step]:
    """Return the road up to the gate, and through it."""
    return [
        Step(
            "init",
            "A project is a folder with one sluice.toml. Rubric and schema were written by a person beforehand.",
            (
                "init",
                *("--name", TASK, "--data", DATASET, "--kind", "json", "--description", description),
                *("--rubric", "rubric.md", "--schema", "schema.json", "--yes"),
            ),
        ),
        Step(
            "add",
            "About 1,600 messy rows come in. Lines that cannot be read exactly are set aside, their neighbours arrive.",
            ("add", DATASET, "raw.jsonl", "--input", "message", "--target", "answer"),
        ),
        Step(
            "add-hand",
            "150 lines more, written by hand: eval and dev rows must not come from the generator's templates.",
            ("add", "hand", "handwritten.jsonl", "--input", "message", "--target", "answer"),
        ),
        Step("audit", "What is wrong with these rows?", ("audit", DATASET)),
        Step("dedup", "Repeated rows go, each shown to be like the row kept in its place.", ("dedup", DATASET)),
        Step("dedup-hand", "", ("dedup", "hand")),
        Step(
            "split",
            "100 eval and 40 dev rows from the hand-written file. Training rows that repeat one of them are set aside.",
            ("split", DATASET, "--eval", "100", "--dev", "40", "--from", "hand"),
        ),
        Step("freeze", "From here on the eval rows never change, nor does what is asked of them.", ("freeze",)),
        Step(
            "refused",
            "Now the impatient thing: train at once. The gate says what is missing.",
            ("train", "sft", "--yes"),
            exits=(3,),
        ),
        Step(
            "filter",
            "Its first remedy: rows that must not be trained on go, each with its reason.",
            ("filter", f"{DATASET}/train", "--failing", "empty,conflict,schema,overlong"),
        ),
        Step(
            "baseline",
            "Its second: how far does a prompt alone get? Every prompt on dev, the best on the eval set.",
            ("baseline",),
        ),
    ]


GRADE = Step(
    "grade",
    "Its third: can a person tell right from wrong? Thirty answers, blind, one key each (q stops and waives).",
    ("grade",),
    exits=(0, 4),
)
NOBODY = "demo run without a person to grade; sample data only"
STOPPED = "demo run whose grading was stopped before its end; sample data only"
NOT_HELD = "demo run: a person graded, and the rule does not hold; sample data only"


def waive(reason: str) -> Step:
    """Return the step that sets the rule aside, with the reason that is true here."""
    return Step(
        "waive",
        "So the rule is set aside, openly and with the reason. The certificate will say so for good.",
        ("waive", "gradable", "--reason", reason, "--by", "demo"),
        exits=(0, 3),
    )


def sample(rows: int, why: str) -> Step:
    """Return the step that takes as many training rows as there is time for."""
    return Step("sample", why, ("sample", f"{DATASET}/train", str(rows)))


def after_gate(adapter: str) -> list[Step]:
    """Return the road behind the gate."""
    return [
        Step(
            "final",
            "The eval set is opened for this adapter, once. This is the verdict, whatever it is.",
            ("compare", adapter, "--final", "--yes"),
            exits=(0, 1, 4),
        ),
        Step("adapters", "Where the adapter lies, and whether it is what was trained.", ("adapters",)),
        Step("log", "And the story, as a colleague with a clone can read and verify it.", ("log",)),
    ]


def train(epochs: int) -> Step:
    """Return the training step; small batches suit LoRA on few rows."""
    command = ("train", "sft", "--batch", str(BATCH), *(("--epochs", str(epochs)) if epochs > 1 else ()), "--yes")
    says = "The gate is open for exactly these rows. Plan, training, and a first look on dev."
    return Step("train", says, command)
