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
from sluice.core.rows import Example, Messages, input_texts
from sluice.core.task import read_schema
from sluice.curate.dataset import has_dataset, open_dataset
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


def prompt_rows(project: Project) -> list[Example]:
    """Return the rows that composed prompts are made from: dev and training rows of the task, those that are there."""
    data = project.config.task.data
    parts = [f"{data}/dev", f"{data}/train"]
    return [row for name in parts if has_dataset(project, name) for row in open_dataset(project, name).examples()]


def zero_shot(project: Project, rows: Sequence[Example]) -> Prompt:
    """Return the composed prompt without examples.

    Args:
        rows: dev and training rows together: the prompt shows every field that any of them has.
    """
    blocks = [Block(role="system", text=composed_system(project), template=False)]
    if not isinstance(_first(rows).input, Messages):
        blocks.append(Block(role="user", text=_shown_fields(rows)))
    return Prompt(name="zero-shot", blocks=tuple(blocks))


def _shown_fields(rows: Sequence[Example]) -> str:
    """Return the user template over the fields of all rows, in the order of one that has all, else by name.

    Any of several fields may be absent: rows of the eval set, which nothing is composed from, may lack one that all
    others have.
    """
    seen = {tuple(input_texts(row.input)) for row in rows if not isinstance(row.input, Messages)}
    every = {name for fields in seen for name in fields}
    whole = sorted(fields for fields in seen if len(fields) == len(every))
    names = whole[0] if whole else tuple(sorted(every))
    return input_template(dict.fromkeys(names, ""), names if len(names) > 1 else ())


def few_shot(
    project: Project,
    rows: Sequence[Example],
    train: Sequence[Example],
    room: Callable[[ChatMessages], bool],
) -> Prompt:
    """Return the composed prompt with as many training rows as fit, at most 8.

    Args:
        rows: dev rows, which will be asked; the examples must leave room for each of them.
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
    base = zero_shot(project, [*rows, *train])
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
    """Return the prompt that adapters are trained under: `[prompts] train`, else the composed zero-shot one.

    Args:
        rows: as of `zero_shot`.
    """
    name = project.config.prompts.train
    return load_prompt(project, name) if name else zero_shot(project, rows)


def all_prompts(
    project: Project,
    dev: Sequence[Example],
    train: Sequence[Example],
    room: Callable[[ChatMessages], bool],
) -> list[Prompt]:
    """Return every prompt that must be measured on dev: composed, the project's own, and the train prompt."""
    every = [*dev, *train]
    found = [zero_shot(project, every), few_shot(project, dev, train, room)]
    found += [load_prompt(project, name) for name in project.config.prompts.baseline]
    found.append(train_prompt(project, every))
    unique: dict[str, Prompt] = {}
    for prompt in found:
        unique.setdefault(prompt.sha256, prompt)
    return list(unique.values())


def _first(rows: Sequence[Example]) -> Example:
    if not rows:
        raise InputError("there is no row to ask", remedy="sluice split")
    return rows[0]
