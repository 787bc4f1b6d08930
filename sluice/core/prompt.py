"""The one renderer: a prompt turns an input into chat messages.

A prompt is a list of blocks, each a role and a text; the text of a file is a Jinja2 template over the input's fields,
the text of a composed example is taken as it stands. A file is one user block, or several, each begun by a line such
as `---system---`, `---user---`, `---assistant---`. An input that is itself a chat passes through, with the system
block (and any composed example turns) in front. The prompt has a hash of its own and is never part of the data.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import canonical, dump_exact, sha256_hex
from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import Example, Input, Messages, input_texts

ChatMessages = list[dict[str, Any]]
_MARK = re.compile(r"^---(system|user|assistant)---[ \t]*$", re.MULTILINE)


class Block(BaseModel):
    """One turn of a prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
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

    @cached_property
    def sha256(self) -> str:
        """The hash over roles and texts; the name does not enter it."""
        return sha256_hex("sluice/prompt/1", canonical([[b.role, b.text, b.template] for b in self.blocks]))

    def render(self, content: Input) -> ChatMessages:
        """Return the chat messages for one input, up to the turn that the model is to write.

        Raises InputError for a variable that the input does not have, naming it, and for a template that cannot be
        parsed or does something forbidden.
        """
        if isinstance(content, Messages):
            front = [{"role": b.role, "content": b.text} for b in self.blocks if b.role == "system" or not b.template]
            return front + [turn.as_dict() for turn in content.turns]
        fields = {k: v if isinstance(v, str) else dump_exact(v) for k, v in content.items() if v is not None}
        return [
            {"role": b.role, "content": _fill(self.name, b.text, fields) if b.template else b.text} for b in self.blocks
        ]

    def texts(self) -> dict[str, str]:
        """Return every text of the prompt by place, for leak checks."""
        return {f"{self.name}[{i}].{b.role}": b.text for i, b in enumerate(self.blocks)}

    def file_text(self) -> str:
        """Return the prompt in the form of a prompt file (composed examples are escaped)."""
        parts: list[str] = []
        for block in self.blocks:
            text = block.text if block.template else "{% raw %}" + block.text + "{% endraw %}"
            parts.append(f"---{block.role}---\n{text}")
        return "\n".join(parts) + "\n"


def rendered_hash(rendered: Iterable[ChatMessages]) -> str:
    """Return one hash over rendered messages in order: a baseline is stale only when this changes."""
    digest = hashlib.sha256(b"sluice/rendered/1\n")
    for messages in rendered:
        digest.update(canonical(messages).encode() + b"\n")
    return digest.hexdigest()


def parse_prompt(name: str, text: str) -> Prompt:
    """Read the text of a prompt file. Raises InputError where it is empty, or no block is left for the user."""
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
            Block(role=m.group(1), text=text[m.end() : end].strip("\n"))  # type: ignore[arg-type]
            for m, end in zip(marks, ends, strict=True)
        ]
        if blocks[-1].role == "assistant":
            raise InputError("the last block is the assistant's", where=name, remedy="end with a ---user--- block")
    prompt = Prompt(name=name, blocks=tuple(blocks))
    for block in prompt.blocks:
        _compile(name, block.text)
    return prompt


def load_prompt(project: Project, name: str) -> Prompt:
    """Read a prompt file of the project."""
    return parse_prompt(name, project.read_text(name, what="the prompt"))


def shot_blocks(template: Prompt, rows: Sequence[Example]) -> list[Block]:
    """Return example turns: each row's input under the template's user block, and its target as the answer."""
    blocks: list[Block] = []
    for row in rows:
        if isinstance(row.input, Messages):
            for turn in row.input.turns:
                if turn.role in ("user", "assistant"):
                    blocks.append(Block(role=turn.role, text=turn.content, template=False))
        else:
            user = template.render(row.input)[-1]
            blocks.append(Block(role="user", text=user["content"], template=False))
        blocks.append(Block(role="assistant", text=row.target or "", template=False))
    return blocks


def input_template(content: Input) -> str:
    """Return the user template that shows an input as it is: its one field, or `name: value` lines."""
    fields = list(input_texts(content)) if not isinstance(content, Messages) else []
    for name in fields:
        if not name.isidentifier():
            return "{{ fields | tojson }}"
    if len(fields) == 1:
        return "{{ " + fields[0] + " }}"
    return "\n".join(f"{name}: {{{{ {name} }}}}" for name in fields)


def _fill(name: str, text: str, fields: dict[str, str]) -> str:
    from jinja2 import TemplateError, UndefinedError
    from jinja2.exceptions import SecurityError

    template = _compile(name, text)
    try:
        return template.render({"fields": fields} | fields)
    except UndefinedError as problem:
        raise InputError(
            f"{problem.message or 'a variable is undefined'}",
            where=name,
            remedy=f"use the input's fields: {', '.join(fields)}",
        ) from problem
    except SecurityError as problem:
        raise InputError(f"the template does something forbidden: {problem}", where=name) from problem
    except TemplateError as problem:
        raise InputError(f"the template fails: {problem}", where=name, remedy="mend the template") from problem


def _compile(name: str, text: str) -> Any:
    from jinja2 import StrictUndefined, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    try:
        return environment.from_string(text)
    except TemplateSyntaxError as problem:
        raise InputError(
            f"not a Jinja2 template: {problem.message}", where=f"{name}:{problem.lineno}", remedy="mend that line"
        ) from problem
