"""Chat messages to text and token ids, through the model's own chat template.

The one place where a template is applied: baseline, eval, training and serving all render here. It knows a tokenizer
and a template, and neither models nor rows. Messages are mappings with `role` and `content`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluice.core.errors import InputError

Messages = Sequence[Mapping[str, Any]]

_SENTINEL = "Sluice0Sentinel"


def prompt_text(tokenizer: Any, messages: Messages, chat_template: str | None = None) -> str:
    """Return the text that asks for the next assistant turn: messages, then the generation prompt.

    Raises:
        InputError: the template refuses these messages (roles, order), in the template's own words.
    """
    return _apply(tokenizer, messages, chat_template, ask=True)


def dialogue_text(tokenizer: Any, messages: Messages, chat_template: str | None = None) -> str:
    """Return the text of a whole dialogue, without a generation prompt; raises as `prompt_text` does."""
    return _apply(tokenizer, messages, chat_template, ask=False)


def token_ids(tokenizer: Any, text: str) -> list[int]:
    """Return the token ids of rendered text; special tokens come from the template only."""
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def prompt_ids(tokenizer: Any, messages: Messages, chat_template: str | None = None) -> list[int]:
    """Return the token ids of `prompt_text`."""
    return token_ids(tokenizer, prompt_text(tokenizer, messages, chat_template))


def end_of_turn(tokenizer: Any, chat_template: str | None = None) -> int | None:
    """Return the id of the special token that closes an assistant turn in the template, or None if it has none.

    Read off the template: the first token after an assistant's text, where that is a special or added token.
    """
    try:
        text = _apply(
            tokenizer,
            [{"role": "user", "content": "?"}, {"role": "assistant", "content": _SENTINEL}],
            chat_template,
            ask=False,
        )
    except InputError:
        return None
    _, found, tail = text.rpartition(_SENTINEL)
    if not found or not tail.strip():
        return None
    known = set(tokenizer.all_special_ids) | set(tokenizer.get_added_vocab().values())
    first = next(iter(token_ids(tokenizer, tail.lstrip())), None)
    return first if first in known else None


def carries(text: str, messages: Messages) -> bool:
    """Return whether the text of every turn stands in the rendered prompt, in order (templates may strip blanks)."""
    place = 0
    for message in messages:
        content = message.get("content")
        if not isinstance(content, str):
            continue
        found = text.find(content.strip(), place)
        if found < 0:
            return False
        place = found + len(content.strip())
    return True


def _apply(tokenizer: Any, messages: Messages, chat_template: str | None, *, ask: bool) -> str:
    from jinja2.exceptions import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            chat_template=chat_template,
            tokenize=False,
            add_generation_prompt=ask,
        )
    except (TemplateError, TypeError) as error:
        roles = ", ".join(str(message.get("role")) for message in messages)
        raise InputError(
            f"the model's chat template refuses these messages: {error}",
            where=f"roles: {roles}",
            remedy="check roles and their order, or name another chat template",
        ) from error
    return str(text)
