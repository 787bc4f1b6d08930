"""Which version a verb looked at last and found nothing in, so that nobody is sent to look again.

A remark in `.sluice/cache/`, evidence of nothing: it can be deleted at any time, and is not written where that fails.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any, cast

from sluice.core.errors import SurroundingsError
from sluice.core.files import atomic_write, make_folder
from sluice.core.project import Project

FILE = "looked.json"


def looked(project: Project) -> dict[str, dict[str, int]]:
    """Return by verb, by dataset, the number of the version that it found nothing in."""
    try:
        found: Any = json.loads((project.cache / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    said = cast("dict[str, Any]", found)
    return said if all(isinstance(value, dict) for value in said.values()) else {}


def note_looked(project: Project, verb: str, dataset: str, number: int) -> None:
    """Remember that a verb found nothing in a version."""
    known = looked(project)
    if known.get(verb, {}).get(dataset) == number:
        return
    known[verb] = known.get(verb, {}) | {dataset: number}
    with contextlib.suppress(OSError, SurroundingsError):
        make_folder(project.cache)
        atomic_write(project.cache / FILE, (json.dumps(known, sort_keys=True) + "\n").encode())
