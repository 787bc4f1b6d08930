"""The prompts that every task is measured with: composed of its description, rubric and schema.

Zero-shot, and few-shot with training rows drawn by hash, so that dropping another row changes nothing. Knows nothing
of models but a way to count tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.prompt import Block, ChatMessages, Prompt, input_template, load_prompt, shot_blocks, showable
from sluice.core.rows import Example, Messages
from sluice.core.task import read_schema
from sluice.curate.sample import draw_order

MOST_SHOTS = 8
SHOT_SEED = 0


def composed_system(project: Project) -> str:
    """Return the system text: what is wanted, how it is graded, what form an answer has."""
    task = project.config.task
    parts = [task.description.strip()]
    if task.rubric is not None:
        parts.append(project.read_text(task.rubric, what="the rubric").strip())
    schema = read_schema(project)
    if schema is not None:
        text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        parts.append(
            f"Answer with one JSON object and nothing else. It must be valid against this JSON schema:\n{text}"
        )
    return "\n\n".join(part for part in parts if part)


def zero_shot(project: Project, rows: Sequence[Example]) -> Prompt:
    """Return the composed prompt without examples."""
    blocks = [Block(role="system", text=composed_system(project), template=False)]
    if not isinstance(_first(rows).input, Messages):
        blocks.append(Block(role="user", text=input_template(_first(rows).input)))
    return Prompt(name="zero-shot", blocks=tuple(blocks))


def few_shot(
    project: Project,
    rows: Sequence[Example],
    train: Sequence[Example],
    room: Callable[[ChatMessages], bool],
) -> Prompt:
    """Return the composed prompt with as many training rows as fit, at most 8.

    Args:
        rows: the rows that will be asked; the examples must leave room for each of them.
        train: training rows; those with a target, lowest in hash(seed, row), are taken.
        room: whether rendered messages leave room for an answer in the model's context.

    Raises:
        InputError: no training row has a target.
    """
    candidates = sorted(
        (r for r in train if r.target and showable(r)),
        key=lambda r: draw_order(SHOT_SEED, r.row),
    )
    if not candidates:
        raise InputError("no training row has a target to show", remedy="add rows with answers, then: sluice split")
    base = zero_shot(project, rows)
    chosen = candidates[:MOST_SHOTS]
    longest = max(rows, key=lambda r: sum(len(str(m["content"])) for m in base.render(r.input)))
    while chosen:
        prompt = _with_shots(base, chosen)
        if room(prompt.render(longest.input)):
            return prompt
        chosen = chosen[:-1]
    return base.model_copy(update={"name": "few-shot"})


def _with_shots(base: Prompt, shots: Sequence[Example]) -> Prompt:
    system = [b for b in base.blocks if b.role == "system"]
    rest = [b for b in base.blocks if b.role != "system"]
    return Prompt(
        name="few-shot",
        blocks=(*system, *shot_blocks(base, list(shots)), *rest),
        shots=tuple(r.row for r in shots),
    )


def train_prompt(project: Project, rows: Sequence[Example]) -> Prompt:
    """Return the prompt that adapters are trained under: `[prompts] train`, else the composed zero-shot one."""
    name = project.config.prompts.train
    return load_prompt(project, name) if name else zero_shot(project, rows)


def all_prompts(
    project: Project,
    dev: Sequence[Example],
    train: Sequence[Example],
    room: Callable[[ChatMessages], bool],
) -> list[Prompt]:
    """Return every prompt that must be measured on dev: composed, the project's own, and the train prompt."""
    found = [zero_shot(project, dev), few_shot(project, dev, train, room)]
    found += [load_prompt(project, name) for name in project.config.prompts.baseline]
    found.append(train_prompt(project, dev))
    unique: dict[str, Prompt] = {}
    for prompt in found:
        unique.setdefault(prompt.sha256, prompt)
    return list(unique.values())


def _first(rows: Sequence[Example]) -> Example:
    if not rows:
        raise InputError("there is no row to ask", remedy="sluice split")
    return rows[0]
