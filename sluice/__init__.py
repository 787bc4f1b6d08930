"""Sluice: clean the data, measure the prompt, and only then tune.

The package lies in rooms at the top of the repository, linked in here: `core` (the floor: errors, rows, files,
ledger, project), `curate` (dataset versions), `evalsuite` (frozen eval sets, runs, statistics), `train` (gate,
recipes, adapters) and `cli` (the only place with a terminal). Imports point one way: cli -> train -> evalsuite ->
curate -> core. Importing `sluice` itself loads nothing heavy; `Project` is fetched on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Project", "SluiceError", "__version__"]

if TYPE_CHECKING:
    from sluice.api import Project
    from sluice.core.errors import SluiceError


def __getattr__(name: str) -> Any:
    if name == "Project":
        from sluice.api import Project

        return Project
    if name == "SluiceError":
        from sluice.core.errors import SluiceError

        return SluiceError
    raise AttributeError(f"module 'sluice' has no attribute {name!r}")
