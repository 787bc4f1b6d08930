"""Preference rows as the tokens that a recipe would train on, and which of them would teach nothing.

A recipe that learns from pairs calls `render_pairs`; its gate holds `rows-trainable` over what comes out
(`sluice.train.rules.pairs`). Chosen and rejected are rendered after the same prompt, as a single answer is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import Example, Preference
from sluice.evalsuite.models.identity import ModelFiles
from sluice.train.render import EXPLANATIONS, Rendered, render
from sluice.train.render import Problem as RenderProblem
from sluice.train.training_rows import composed_prompt, length_limit

Problem = RenderProblem | Literal["equal", "contradictory"]

REASONS: dict[Problem, str] = {
    **EXPLANATIONS,
    "nothing-to-learn": "an answer is empty",
    "equal": "chosen and rejected are the same tokens",
    "contradictory": "another pair prefers just these two answers the other way round",
}


@dataclass(frozen=True)
class RenderedPair:
    """A preference row as tokens.

    Attributes:
        row: hash of the row.
        chosen, rejected: prompt and answer each; the prompt's tokens are the same in both.
        problem: why this pair must not be trained on, or None.
    """

    row: str
    chosen: Rendered
    rejected: Rendered
    problem: Problem | None = None

    @property
    def longest(self) -> int:
        """Tokens of the longer of the two."""
        return max(len(self.chosen.ids), len(self.rejected.ids))


def pair_prompt(project: Project, rows: Sequence[Preference]) -> Prompt | None:
    """Return the train prompt for pairs: that of the task, composed from the fields of its rows; None without rows."""
    return composed_prompt(project, [Example(input=row.input, target=row.chosen) for row in rows])


def render_pairs(
    project: Project,
    files: ModelFiles,
    rows: Sequence[Preference],
    prompt: Prompt | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[RenderedPair, ...]:
    """Return each pair as the tokens that a recipe would train on, in order.

    Args:
        files: the model to be tuned.
        rows: the pairs.
        prompt: the train prompt, where it is known already.

    Raises InputError where there are no rows, or the train prompt does not fit their fields.
    """
    from sluice.evalsuite.models.local import load_tokenizer

    prompt = prompt or pair_prompt(project, rows)
    if prompt is None or not rows:
        raise InputError("there are no pairs to train on", remedy="sluice pairs NAME --from SOURCE")
    tokenizer = load_tokenizer(files)
    limit = length_limit(project, files, tokenizer).tokens
    return pairs_as_tokens(tokenizer, rows, prompt, limit, files.chat_template, progress=progress)


def pairs_as_tokens(
    tokenizer: Any,
    rows: Sequence[Preference],
    prompt: Prompt,
    max_length: int,
    chat_template: str | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[RenderedPair, ...]:
    """Return pairs as tokens, each with its problem where it has one.

    Args:
        tokenizer: of the model to be tuned.
        prompt: the train prompt.
        max_length: most tokens of prompt, answer and end of turn together.
        chat_template: in the place of the tokenizer's own.
    """
    found: list[RenderedPair] = []
    for i, row in enumerate(rows):  # the template is a program per row: no column form exists
        if progress and i % 200 == 0:
            progress("rendering the pairs", i, len(rows))
        if row.answer_form != "text":
            lost = Rendered((), 0, "template-refuses")  # several turns, or calls, are no one text to learn
            found.append(RenderedPair(row.row, lost, lost, "template-refuses"))
            continue
        messages = prompt.render(row.input)
        chosen = render(tokenizer, messages, row.chosen, max_length, chat_template)
        rejected = render(tokenizer, messages, row.rejected, max_length, chat_template)
        problem: Problem | None = chosen.problem or rejected.problem
        if problem is None and chosen.ids == rejected.ids:
            problem = "equal"
        found.append(RenderedPair(row.row, chosen, rejected, problem))
    return _without_contradictions(found)


def _without_contradictions(pairs: Sequence[RenderedPair]) -> tuple[RenderedPair, ...]:
    """Return the pairs, those that others turn round named: their gradients undo each other."""
    places: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = defaultdict(list)
    for i, pair in enumerate(pairs):
        if pair.problem is None:
            places[pair.chosen.ids, pair.rejected.ids].append(i)
    bad = {i for (chosen, rejected), at in places.items() if (rejected, chosen) in places for i in at}
    return tuple(
        RenderedPair(pair.row, pair.chosen, pair.rejected, "contradictory") if i in bad else pair
        for i, pair in enumerate(pairs)
    )
