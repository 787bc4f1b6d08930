"""What the gate's no-leakage rule looks at: rows, and every text shown beside them, held against the eval set."""

from __future__ import annotations

from collections.abc import Sequence

from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.dataset import Version, has_dataset, open_dataset
from sluice.curate.leaks.eval_side import change_edges
from sluice.curate.leaks.find import Leak, find_leaks, find_leaks_in_texts
from sluice.curate.similar.similarity import Relation
from sluice.evalsuite.baselines.bench import Bench
from sluice.evalsuite.sets import SetState


def collect_leaks(
    project: Project,
    state: SetState | None,
    relation: Relation,
    train: Sequence[Example],
    version: Version | None,
    b: Bench | None,
) -> tuple[tuple[Leak, ...] | None, tuple[Leak, ...] | None]:
    """Return the leaks in training and dev rows, and those in texts; both None where there is no set or no dataset."""
    if state is None or state.frozen is None or version is None:
        return None, None
    frozen = state.frozen
    eval_groups = frozen.groups_by_row()
    edges = change_edges(version)
    found = find_leaks(train, frozen.rows, relation, groups=version.groups(), eval_groups=eval_groups, edges=edges)
    data = project.config.task.data
    if has_dataset(project, f"{data}/dev"):
        dev = open_dataset(project, f"{data}/dev")
        found += find_leaks(
            dev.rows(), frozen.rows, relation, groups=dev.groups(), eval_groups=eval_groups, edges=change_edges(dev)
        )
    return tuple(found), tuple(find_leaks_in_texts(context_texts(project, b), frozen.rows, relation))


def context_texts(project: Project, b: Bench | None) -> dict[str, str]:
    """Return every text that a model is shown beside the rows: prompts, system text, schema, rubric, examples."""
    task = project.config.task
    named: dict[str, str] = {"sluice.toml description": task.description}
    for name in (task.rubric, task.output_schema, project.config.model.chat_template):
        if name:
            named[name] = project.read_text(name, what="a project file")
    for name in [
        *project.config.prompts.baseline,
        *([project.config.prompts.train] if project.config.prompts.train else []),
    ]:
        named[name] = project.read_text(name, what="the prompt")
    if b is not None:
        for prompt in b.prompts():
            named.update(prompt.texts())
    return named
