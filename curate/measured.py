"""The one rule for changing dev rows: any verb may, and each says what that costs.

Choices are made on dev, so scores belong to the rows that they were measured on: the gate asks for baselines on the dev
rows of today, and what was measured on others counts no more (docs/gate.md). So nothing is gained by changing dev
after a look, and there is nothing to refuse; a dev row that repeats an eval row even has to go before training.
"""

from __future__ import annotations

from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.wording import counted


def owed_again(project: Project, dataset: str) -> str | None:
    """Return what is to be said of a dataset whose rows have changed: that something was measured on them, if so.

    None for what is no dev part of the task, and where nothing was measured yet.
    """
    base, _, part = dataset.partition("/")
    if part != "dev" or not project.has_config or project.config.task.data not in (None, base):
        return None
    measured = Ledger(project).read(write_back=False).of("evaluated", on="dev")
    if not measured:
        return None
    return (
        f"{counted(len(measured), 'run')} measured on the rows that {dataset} had before: scores on other rows do not "
        "compare, so baselines are owed again (sluice gate)"
    )
