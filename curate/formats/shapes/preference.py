"""Preference pairs: `chosen` and `rejected`, with the prompt beside them or inside.

preference            the prompt in `prompt` (a text, or messages), in `conversations` or in Alpaca's columns
preference-implicit   no prompt: two transcripts with a shared beginning, as lists of messages or as plain text of
                      `\\n\\nHuman: ` and `\\n\\nAssistant: ` (HH-RLHF). The prompt is the longest shared run of whole
                      turns; what follows it on each side is the answer, which an assistant opens and closes

An answer of one assistant turn is kept as its text; one that calls a tool, or has several turns, as its turns.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from sluice.core.columns import likely_input
from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Preference, chat_pair
from sluice.curate.formats.shapes.base import SHAPES, Built, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.prompts import Prompt, answer_list, prompt_source
from sluice.curate.formats.shapes.turns import checked, read_tools, with_weights

PAIR = frozenset({"chosen", "rejected"})
_MARK = re.compile(r"\n\n(Human|Assistant):")


def read_explicit(seen: Seen) -> Reading:
    """Return how pairs with a prompt of their own are read."""
    source = prompt_source(seen)
    if source is None or not seen.has("chosen", "rejected"):
        raise InputError(
            "a pair needs chosen, rejected and a prompt",
            where=str(seen.path),
            remedy="name the prompt's column with --input, or map columns: --map chosen='{{ better }}' ...",
        )

    def build(record: Record) -> AnyRow | Built:
        prompt = source.read(record)
        answers = [answer_list(record.get(name), seen, name) for name in ("chosen", "rejected")]
        if answers[0] is None and answers[1] is None and prompt.turns is None:
            return checked(Preference(input=prompt.fields or {}, chosen=record["chosen"], rejected=record["rejected"]))
        chosen, rejected = (
            answer if answer is not None else [{"role": "assistant", "content": record[name]}]
            for answer, name in zip(answers, ("chosen", "rejected"), strict=True)
        )
        return _pair(prompt, chosen, rejected, record, seen)

    return Reading("preference", "preference pairs", PAIR | source.used, build)


def _pair(prompt: Prompt, chosen: list[Any], rejected: list[Any], record: Record, seen: Seen) -> AnyRow | Built:
    """Return the pair of a chat. A transcript that repeats the prompt at its beginning gives the prompt."""
    turns, tools = prompt.turns, prompt.tools
    if turns is None:
        text = next(iter(prompt.fields.values())) if isinstance(prompt.fields, dict) else None
        if not isinstance(text, str) or not isinstance(prompt.fields, dict) or len(prompt.fields) != 1:
            raise InputError("the answers are messages, but the prompt is neither a text nor messages")
        turns = [{"role": "user", "content": text}]
    for what, answer in (("chosen", chosen), ("rejected", rejected)):
        first = answer[0] if answer else None
        if isinstance(first, dict) and first.get("role") not in ("assistant", None):  # a transcript, prompt included
            if turns[-1] not in answer:
                raise InputError(f"{what} is a transcript that does not hold the prompt")
            return _split(chosen, rejected, tools, record)
    row = checked(chat_pair(turns, chosen, rejected, tools))
    return with_weights(row, turns, chosen, rejected, taken=record)


def read_implicit(seen: Seen) -> Reading:
    """Return how pairs of two transcripts are read."""
    if not seen.has("chosen", "rejected"):
        raise InputError("it has no columns chosen and rejected", where=str(seen.path), remedy="leave --shape away")

    source = likely_input(dict.fromkeys(c for c in seen.columns if c not in PAIR))
    named = f"--shape preference --input {shlex.quote(source)}" if source else "a column called prompt"
    remedy = f"name the prompt: {named}"

    def build(record: Record) -> AnyRow | Built:
        both: list[list[Any]] = []
        for name in ("chosen", "rejected"):
            turns = answer_list(record.get(name), seen, name)
            if turns is None:
                turns = transcript(record[name])
            if not turns:
                raise InputError(f"no prompt: {name} is a text that no turn begins (\\n\\nHuman: ...)", remedy=remedy)
            both.append(turns)
        return _split(both[0], both[1], read_tools(record, seen.tidy), record)

    return Reading("preference-implicit", IMPLICIT, PAIR | {"tools"}, build)


def _split(chosen: list[Any], rejected: list[Any], tools: Any, record: Record) -> AnyRow | Built:
    """Return the pair of two transcripts: the longest shared run of whole turns is the prompt."""
    most = min(len(chosen), len(rejected)) - 1  # each side keeps an answer, where the two are the same as well
    shared = 0
    while shared < most and chosen[shared] == rejected[shared]:
        shared += 1
    if not shared:
        raise InputError("no prompt: chosen and rejected share no turn at their beginning")
    for what, turns in (("chosen", chosen), ("rejected", rejected)):
        first = turns[shared]
        if isinstance(first, dict) and first.get("role") != "assistant":
            raise InputError(f"the two part at message {shared + 1}, which is no assistant turn in {what}")
    row = checked(chat_pair(chosen[:shared], chosen[shared:], rejected[shared:], tools))
    return with_weights(row, chosen, rejected[shared:], taken=record)


def transcript(text: str) -> list[Any]:
    """Return the turns of HH-RLHF's plain text, none where no turn begins it.

    One blank after the colon is no part of a turn; all else is.
    """
    marks = list(_MARK.finditer(text))
    if not marks or text[: marks[0].start()].strip():
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return [
        {"role": "user" if mark[1] == "Human" else "assistant", "content": text[mark.end() : end].removeprefix(" ")}
        for mark, end in zip(marks, ends, strict=True)
    ]


IMPLICIT = "preference pairs with the prompt inside"
SHAPES.register("preference")(
    Shape(
        name="preference",
        title="preference pairs",
        help="prompt, chosen, rejected: texts or messages",
        examples=(
            {"prompt": "Where is my parcel?", "chosen": "On its way: it arrives today.", "rejected": "No idea."},
            {
                "prompt": [{"role": "user", "content": "Where is my parcel?"}],
                "chosen": [{"role": "assistant", "content": "On its way."}],
                "rejected": [{"role": "assistant", "content": "No idea."}],
            },
        ),
        fits=lambda seen: seen.has("chosen", "rejected") and prompt_source(seen) is not None,
        read=read_explicit,
    )
)
SHAPES.register("preference-implicit")(
    Shape(
        name="preference-implicit",
        title=IMPLICIT,
        help="chosen, rejected: two transcripts with a shared beginning (messages, or HH-RLHF's text)",
        examples=(
            {
                "chosen": "\n\nHuman: Where is my parcel?\n\nAssistant: On its way.",
                "rejected": "\n\nHuman: Where is my parcel?\n\nAssistant: No idea.",
            },
        ),
        fits=lambda seen: seen.has("chosen", "rejected"),
        read=read_implicit,
    )
)
