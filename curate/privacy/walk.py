"""Every text of a row, its metadata and the JSON inside them, leaf by leaf, to be looked at or replaced.

The name of a field is part of the context: in `{"phone": "5551234567"}` it is what tells the digits. JSON inside a text
(a target, the arguments of a call) is walked as JSON, so that what comes out is JSON again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.rows import AnyRow, Message, Messages

See = Callable[[str, str, str], str | None]
"""Called with (place, words of the field's name, text); returns what replaces the text, or None."""
_NO_CUE = frozenset({"text", "call", "ring", "reach", "dial", "message", "body", "input", "target", "content", "value"})
"""Names of fields that say nothing of what is in them, some of which are cues in a sentence ("text 555 0134")."""


def context_of(name: str) -> str:
    """Return what a field's name says of its value, as words before it: `phone_number` is `phone number: `."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    return "" if not words or any(w.lower() in _NO_CUE for w in words) else " ".join(words) + ": "


def walk_value(value: Any, place: str, name: str, see: See) -> Any:
    """Return a JSON value with every leaf that `see` replaces, keys of objects included."""
    if isinstance(value, str):
        return walk_text(value, place, name, see)
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, inner in cast("dict[str, Any]", value).items():
            name = renamed = see(place, "", key) or key
            number = 1
            while name in found:  # two spellings of one value: both keys go, neither takes the other's place
                number += 1
                name = f"{renamed} {number}"
            found[name] = walk_value(inner, f"{place}.{key}", key, see)
        return found
    if isinstance(value, list):
        return [walk_value(inner, place, name, see) for inner in cast("list[Any]", value)]
    if value is None or isinstance(value, bool):
        return value
    changed = see(place, context_of(name), dump_exact(value))
    return value if changed is None else changed


def walk_text(text: str, place: str, name: str, see: See) -> str:
    """Return a text with what `see` replaces; a text that is a JSON object or list stays one."""
    if text[:1] in ("{", "["):
        try:
            value = parse_exact(text)
        except (JsonProblem, ValueError):
            value = None
        if isinstance(value, (dict, list)):
            walked = walk_value(value, place, name, see)
            return text if walked == value else dump_exact(walked)
    changed = see(place, context_of(name), text)
    return text if changed is None else changed


_LEARNT: dict[str, tuple[str, ...]] = {
    "example": ("target",),
    "preference": ("chosen", "rejected"),
    "unpaired": ("answer",),
    "text": (),
}


def walk_row(row: AnyRow, see: See) -> AnyRow:
    """Return a row with every text that `see` replaces; the same row where it replaces none."""
    changes: dict[str, Any] = {}
    if isinstance(row.input, Messages):
        changes["input"] = _walk_messages(row.input, see)
    else:
        # keys of fields are the project's own words: prompts name them
        changes["input"] = {k: walk_value(v, k, k, see) for k, v in row.input.items()}
    for name in _LEARNT[row.kind]:
        text = getattr(row, name)
        changes[name] = None if text is None else walk_text(text, name, name, see)
    different = {k: v for k, v in changes.items() if v != getattr(row, k)}
    return row.model_copy(update=different) if different else row


def _walk_messages(content: Messages, see: See) -> Messages:
    turns: list[Message] = []
    for i, turn in enumerate(content.turns):
        place = f"{i}.{turn.role}"
        changes: dict[str, Any] = {"content": walk_text(turn.content, place, "", see)}
        for name in ("tool_calls", "name"):
            text = getattr(turn, name)
            changes[name] = None if text is None else walk_text(text, place, "", see)
        turns.append(turn.model_copy(update=changes))
    tools = None if content.tools is None else walk_text(content.tools, "tools", "", see)
    return Messages(turns=tuple(turns), tools=tools)


def walk_metadata(metadata: Mapping[str, Any], see: See) -> dict[str, Any]:
    """Return the columns beside a row with what `see` replaces; their names stay."""
    return {k: walk_value(v, f"column {k}", k, see) for k, v in metadata.items()}
