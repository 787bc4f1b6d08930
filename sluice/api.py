"""The library's front door: `sluice.Project`, with the datasets, sets and adapters of a project at hand.

    Project(".").dataset("tickets@3").to_polars()

Every verb has a twin in the rooms (`sluice.curate.adding.add.add`, `sluice.evalsuite.freeze.freeze`, ...), each taking
a project first; what is here only saves the imports of the commonest. Nothing here prints, exits or skips the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluice.core.project import Project as Folders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.core.ledger import Facts
    from sluice.curate.adding.add import AddResult
    from sluice.curate.dataset import Version
    from sluice.evalsuite.freeze import FreezeResult
    from sluice.train.adapters import Adapter


class Project(Folders):
    """A project, opened by its folder."""

    def dataset(self, ref: str) -> Version:
        """Return a version: `tickets`, `tickets@3`, `tickets:gold`, `tickets/train`. Raises InputError."""
        from sluice.curate.dataset import open_dataset

        return open_dataset(self, ref)

    def datasets(self) -> list[str]:
        """Return the names of all datasets."""
        from sluice.curate.dataset import dataset_names

        return dataset_names(self)

    def add(self, dataset: str, files: Sequence[str], **options: Any) -> AddResult:
        """Read files into a dataset; see `sluice.curate.adding.add.add`."""
        from dataclasses import fields
        from pathlib import Path

        from sluice.curate.adding.add import add
        from sluice.curate.formats import ReadOptions

        reading = {f.name: options.pop(f.name) for f in fields(ReadOptions) if f.name in options}
        return add(self, dataset, [Path(f) for f in files], ReadOptions(**reading), **options)

    def freeze(self, part: str | None = None, **options: Any) -> FreezeResult:
        """Freeze a part into an eval set; see `sluice.evalsuite.freeze.freeze`."""
        from sluice.evalsuite.freeze import freeze

        return freeze(self, part, **options)

    def facts(self) -> Facts:
        """Return every fact of the ledger, parents first."""
        from sluice.core.ledger import Ledger

        return Ledger(self).read()

    def adapter(self, identity: str) -> Adapter:
        """Return an adapter, checked against its certificate."""
        from sluice.train.adapters import open_adapter

        return open_adapter(self, identity)
