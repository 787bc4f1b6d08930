"""The one renderer: a prompt turns an input into chat messages.

A prompt is a list of blocks, each a role and a text; the text of a file is a Jinja2 template over the input's fields
(`sluice.core.template`), the text of a composed example is taken as it stands. A file is one user block, or several,
each begun by a line such as `---system---`, `---user---`, `---assistant---`. An input of fields is shown by the last
block, which is the user's; an input that is itself a chat passes through behind the blocks, none of which then shows
it. The prompt has a hash of its own and is never part of the data.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact, sha256_hex
from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import Example, Input, Messages, input_texts
from sluice.core.template import compile_template, fill, literal, plain_name

ChatMessages = list[dict[str, Any]]
BlockRole = Literal["system", "user", "assistant"]
_MARK = re.compile(r"^---[ \t]*(\w+)[ \t]*---[ \t]*$", re.MULTILINE)


class Block(BaseModel):
    """One turn of a prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: BlockRole
    text: str
    template: bool = True
    """Whether the text is a Jinja2 template over the fields; texts of composed examples are not."""


class Prompt(BaseModel):
    """A named prompt.

    Attributes:
        shots: row hashes of the training rows that serve as examples in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    blocks: tuple[Block, ...]
    shots: tuple[str, ...] = ()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy that works out its own hash."""
        copied = super().model_copy(update=update, deep=deep)
        vars(copied).pop("sha256", None)
        return copied

    @cached_property
    def sha256(self) -> str:
        """The hash over roles and texts, which enter exactly; the name does not enter it."""
        return sha256_hex("sluice/prompt/1", dump_exact([[b.role, b.text, b.template] for b in self.blocks]))

    def render(self, content: Input) -> ChatMessages:
        """Return the chat messages for one input, up to the turn that the model is to write.

        Raises InputError for a variable that the input does not have, naming it and the fields; for a template that
        cannot be parsed, fails or does something forbidden; for a prompt whose last block is not the user's where the
        input is fields; and for one whose last block is the user's where the input is a chat, which it cannot show.
        """
        last = self.blocks[-1].role if self.blocks else None
        if isinstance(content, Messages):
            if last == "user":
                raise InputError(
                    "a user block shows fields, and this input is a chat",
                    where=self.name,
                    remedy="begin the text with a line ---system---: the chat follows it",
                )
            return self._filled({}) + [turn.as_dict() for turn in content.turns]
        if last != "user":
            raise InputError(
                "the prompt has no user block at its end, so the input is not shown",
                where=self.name,
                remedy="end it with a line ---user--- and a text with {{ fields }}",
            )
        return self._filled(
            {k: v if isinstance(v, str) else dump_exact(v) for k, v in content.items() if v is not None}
        )

    def _filled(self, fields: dict[str, str]) -> ChatMessages:
        return [
            {"role": b.role, "content": fill(self.name, b.text, fields) if b.template else b.text} for b in self.blocks
        ]

    def texts(self) -> dict[str, str]:
        """Return every text of the prompt by place, for leak checks."""
        return {f"{self.name}[{i}].{b.role}": b.text for i, b in enumerate(self.blocks)}


def rendered_hash(rendered: Iterable[ChatMessages]) -> str:
    """Return one hash over rendered messages in order, exactly: a baseline is stale only when this changes."""
    digest = hashlib.sha256(b"sluice/rendered/1\n")
    for messages in rendered:
        digest.update(dump_exact(messages).encode() + b"\n")
    return digest.hexdigest()


def parse_prompt(name: str, text: str) -> Prompt:
    """Read the text of a prompt file.

    Raises InputError where it is empty, has text before its first marker, a marker of an unknown role, or a text that
    is no template.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # as the template reader does
    if not text.strip():
        raise InputError("the prompt is empty", where=name, remedy="write what the model is asked, and {{ fields }}")
    marks = list(_MARK.finditer(text))
    if not marks:
        blocks = [Block(role="user", text=text.strip("\n"))]
    else:
        if text[: marks[0].start()].strip():
            raise InputError("text before the first ---role--- line", where=name, remedy="give it a ---system--- line")
        ends = [m.start() for m in marks[1:]] + [len(text)]
        blocks = [
            Block(role=_role(name, m, text), text=text[m.end() : end].strip("\n"))
            for m, end in zip(marks, ends, strict=True)
        ]
    prompt = Prompt(name=name, blocks=tuple(blocks))
    for block in prompt.blocks:
        compile_template(name, block.text)
    return prompt


def _role(name: str, mark: re.Match[str], text: str) -> BlockRole:
    known: tuple[BlockRole, ...] = get_args(BlockRole)
    for role in known:
        if mark.group(1) == role:
            return role
    line = text.count("\n", 0, mark.start()) + 1
    near = get_close_matches(mark.group(1).lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean ---{near[0]}---?" if near else "known: ---system---, ---user---, ---assistant---"
    raise InputError(f"no block is for the role '{mark.group(1)}'", where=f"{name}:{line}", remedy=hint)


def load_prompt(project: Project, name: str) -> Prompt:
    """Read a prompt file of the project."""
    return parse_prompt(name, project.read_text(name, what="the prompt"))


def showable(row: Example) -> bool:
    """Return whether a row can stand in a prompt as an example: blocks hold texts, not tool turns and calls."""
    if row.target_form == "call":
        return False
    turns = row.input.turns if isinstance(row.input, Messages) else ()
    return not any(turn.role == "tool" or turn.tool_calls is not None for turn in turns)


def shot_blocks(template: Prompt, rows: Sequence[Example]) -> list[Block]:
    """Return example turns: each row's input under the template's user block, and its target as the answer.

    System turns of a chat are left out: an example stands amid the talk. Raises InputError for a row that is not
    `showable`.
    """
    blocks: list[Block] = []
    for row in rows:
        if not showable(row):
            raise InputError(
                "a row with tool turns cannot be an example in a prompt", where=row.row, remedy="take another row"
            )
        if isinstance(row.input, Messages):
            for turn in row.input.turns:
                if turn.role in ("user", "assistant"):
                    blocks.append(Block(role=turn.role, text=turn.content, template=False))
        else:
            user = template.render(row.input)[-1]
            blocks.append(Block(role="user", text=user["content"], template=False))
        blocks.append(Block(role="assistant", text=row.target or "", template=False))
    return blocks


def input_template(content: Input, optional: Collection[str] = ()) -> str:
    """Return the user template that shows an input as it is: its one field, or `name: value` lines.

    Args:
        optional: fields that other inputs may lack; nothing is shown in their place.
    """
    fields = list(input_texts(content)) if not isinstance(content, Messages) else []
    named = [name if plain_name(name) else f"fields[{literal(name)}]" for name in fields]
    shown = [
        "{{ " + variable + (" | default('')" if name in optional else "") + " }}"
        for name, variable in zip(fields, named, strict=True)
    ]
    if len(fields) == 1:
        return shown[0]
    labels = ["{{ " + literal(name) + " }}" if re.search(r"[{\r\n]", name) else name for name in fields]
    return "\n".join(f"{label}: {value}" for label, value in zip(labels, shown, strict=True))
