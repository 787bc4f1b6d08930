"""Training rows as the tokens that a recipe would train on, and how long one may be.

A row longer than the model reads is as useless as one longer than `[task] max_tokens`: the lesser of the two counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import Example
from sluice.evalsuite.baselines.compose import prompt_rows, train_prompt
from sluice.evalsuite.models.identity import ModelFiles
from sluice.train.render import Rendered, render

OF_TASK = "[task] max_tokens"
OF_MODEL = "the context of the model"


@dataclass(frozen=True)
class LengthLimit:
    """Most tokens of a row: prompt, answer and end-of-turn token together."""

    tokens: int
    of: str
    """Which of the two it is, in words."""


def length_limit(project: Project, files: ModelFiles, tokenizer: Any = None) -> LengthLimit:
    """Return how long a training row may be for a model: `[task] max_tokens`, or what the model reads where less.

    Args:
        tokenizer: of the model, where it is loaded already.
    """
    from sluice.evalsuite.models.local import load_tokenizer, tokens_that_fit

    wanted = project.config.task.max_tokens
    context = tokens_that_fit(files, load_tokenizer(files) if tokenizer is None else tokenizer)
    return LengthLimit(wanted, OF_TASK) if wanted <= context else LengthLimit(context, OF_MODEL)


def composed_prompt(project: Project, train: Sequence[Example]) -> Prompt | None:
    """Return the train prompt, composed from the fields of dev and train as baselines are; None without rows."""
    return train_prompt(project, prompt_rows(project) or train) if train else None


def render_rows(
    project: Project,
    files: ModelFiles,
    rows: Sequence[Example],
    prompt: Prompt | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[tuple[str, Rendered], ...]:
    """Return each row, by its hash, as the tokens that a recipe would train on.

    Args:
        prompt: the train prompt, where it is known already.

    Raises InputError where there are no rows, or the train prompt does not fit their fields.
    """
    from sluice.evalsuite.models.local import load_tokenizer

    prompt = prompt or composed_prompt(project, rows)
    if prompt is None or not rows:
        raise InputError("there are no training rows", remedy="sluice split")
    tokenizer = load_tokenizer(files)
    limit = length_limit(project, files, tokenizer).tokens
    found: list[tuple[str, Rendered]] = []
    for i, row in enumerate(rows):  # the template is a program per row: no column form exists
        if progress and i % 200 == 0:
            progress("rendering the training rows", i, len(rows))
        if row.target_form == "call":
            found.append((row.row, Rendered((), 0, "template-refuses")))  # a call is no text to learn
            continue
        messages = prompt.render(row.input)
        found.append((row.row, render(tokenizer, messages, row.target or "", limit, files.chat_template)))
    return tuple(found)
