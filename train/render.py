"""One training row to token ids and the mask of what is learnt.

Learnt is the completion only: the target and the end-of-turn token. Nothing is cut to fit: a row that is too long, or
that the template does not carry whole, says so and is left for the caller to refuse. The template is applied where
baseline and eval apply it, so that training sees what serving sends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sluice.core.errors import InputError
from sluice.core.progress import Progress
from sluice.evalsuite.models.template import Messages, carries, dialogue_text, end_of_turn, prompt_text, token_ids

Problem = Literal[
    "over-long", "nothing-to-learn", "answer-lost", "turn-lost", "no-end-of-turn", "template-refuses", "prompt-changes"
]

EXPLANATIONS: dict[Problem, str] = {
    "over-long": "prompt, answer and end-of-turn token do not fit the length limit",
    "nothing-to-learn": "the target is empty",
    "answer-lost": "the template does not carry the answer as it stands",
    "turn-lost": "the template drops the text of a turn",
    "no-end-of-turn": "neither the template nor the tokenizer has a token that ends an answer",
    "template-refuses": "the template refuses these roles or their order",
    "prompt-changes": "the template writes the prompt differently once an answer follows",
}


@dataclass(frozen=True)
class Rendered:
    """A row as tokens.

    Attributes:
        ids: prompt, completion and end-of-turn token; empty where the template refuses the row.
        prompt_tokens: how many of `ids` belong to the prompt.
        problem: why this row must not be trained on, or None.
    """

    ids: tuple[int, ...]
    prompt_tokens: int
    problem: Problem | None = None

    @property
    def completion_tokens(self) -> int:
        """Tokens that are learnt, the end-of-turn token included."""
        return len(self.ids) - self.prompt_tokens


def render(
    tokenizer: Any, messages: Messages, target: str, max_length: int, chat_template: str | None = None
) -> Rendered:
    """Render one row.

    Args:
        tokenizer: of the model to be trained.
        messages: the prompt, as the prompt renderer made it (system, user, earlier turns).
        target: the text to learn.
        max_length: most tokens of prompt, completion and end-of-turn token together.
        chat_template: a template to use in place of the tokenizer's own.

    Returns:
        The tokens, and the problem where there is one. An over-long row keeps all its tokens, so that it can be shown.
    """
    try:
        before = prompt_text(tokenizer, messages, chat_template)
        whole = dialogue_text(tokenizer, [*messages, {"role": "assistant", "content": target}], chat_template)
    except InputError:
        return Rendered((), 0, "template-refuses")
    prompt = token_ids(tokenizer, before)
    if not whole.startswith(before):
        return Rendered(tuple(prompt), len(prompt), "prompt-changes")
    if not carries(before, messages):
        return Rendered(tuple(prompt), len(prompt), "turn-lost")
    if not target.strip():
        return Rendered(tuple(prompt), len(prompt), "nothing-to-learn")
    answer = whole[len(before) :]
    if not answer.startswith(target):
        return Rendered(tuple(prompt), len(prompt), "answer-lost")
    ids = token_ids(tokenizer, whole)
    if ids[: len(prompt)] != prompt:
        # The tokenizer joins the end of the prompt with the start of the answer. At serving time it cannot: the
        # prompt comes alone. So the parts are tokenised apart.
        ids = prompt + token_ids(tokenizer, answer)
    closed = _close(tokenizer, ids, len(prompt), target, end_of_turn(tokenizer, chat_template))
    if closed is None:
        return Rendered(tuple(ids), len(prompt), "no-end-of-turn")
    return Rendered(tuple(closed), len(prompt), "over-long" if len(closed) > max_length else None)


def render_rows(
    tokenizer: Any,
    rows: Iterable[tuple[Messages, str]],
    max_length: int,
    chat_template: str | None = None,
    progress: Progress | None = None,
    total: int = 0,
) -> list[Rendered]:
    """Render many rows, in order; see `render`. Progress is called as ("rendering rows", done, total).

    A loop over rows: a chat template is a program that knows one dialogue at a time.
    """
    rendered = []
    for done, (messages, target) in enumerate(rows, start=1):
        rendered.append(render(tokenizer, messages, target, max_length, chat_template))
        if progress is not None and (done % 200 == 0 or done == total):
            progress("rendering rows", done, total)
    return rendered


def _close(tokenizer: Any, ids: list[int], prompt_tokens: int, target: str, end: int | None) -> list[int] | None:
    """Cut after the end-of-turn token behind the answer (templates go on with a line break), or append one."""
    if end is None:
        end = tokenizer.eos_token_id
    if end is None:
        return None
    # A target may itself spell the end token: the cut is at the first one that leaves the target whole.
    inside = token_ids(tokenizer, target).count(end)
    for place in range(prompt_tokens, len(ids)):
        if ids[place] == end:
            if inside == 0:
                return ids[: place + 1]
            inside -= 1
    return [*ids, end]
