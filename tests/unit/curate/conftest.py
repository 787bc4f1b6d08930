"""A small project with real files, for the tests of what is done to datasets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.formats import ReadOptions

THINGS = [
    "kettle",
    "lamp",
    "desk",
    "chair",
    "blender",
    "toaster",
    "backpack",
    "tent",
    "stove",
    "radio",
    "mirror",
    "carpet",
]
PLACES = ["Leeds", "Lyon", "Porto", "Turin", "Ghent", "Graz", "Bergen", "Malmo"]


def message(number: int) -> str:
    """Return one of 96 messages that are unlike each other."""
    thing, place = THINGS[number % 12], PLACES[number // 12 % 8]
    words = (f"{number * factor % 99991}{place[::-1].lower()}" for factor in (7919, 104729, 15485863))
    return f"{place} {number * 7919 % 9973} {thing} {thing[::-1]} broke, {' '.join(words)} {thing}{number}"


@pytest.fixture
def lines() -> Callable[..., Path]:
    """Write records (or raw texts) as JSONL."""

    def write(path: Path, *records: dict[str, Any] | str) -> Path:
        texts = (r if isinstance(r, str) else json.dumps(r) for r in records)
        path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
        return path

    return write


@pytest.fixture
def project(tmp_path: Path, lines: Callable[..., Path]) -> Project:
    """Return a project whose dataset `d` holds 60 unlike rows in two classes, with a customer beside each."""
    records = [{"body": message(i), "label": "yn"[i % 3 == 0], "customer": f"C{i % 20}"} for i in range(60)]
    project = Project(tmp_path)
    add(project, "d", [lines(tmp_path / "d.jsonl", *records)], ReadOptions(input="body", target="label"))
    return project
