"""`add` of a large file: the version, places, set-aside lines and numbers are those of a small one's way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from sluice.core.project import Project
from sluice.curate.adding.add import AddResult, add
from sluice.curate.dataset import open_dataset, operation_frames
from sluice.curate.formats import ColumnRows, ReadOptions, read, read_file


def chat(i: int, **beside: Any) -> str:
    turns = [
        {"role": "user", "content": f"Request {i}: größer \u212b"},
        {"role": "assistant", "content": f"Answer {i}"},
    ]
    return json.dumps({"id": i, "messages": turns} | beside, ensure_ascii=bool(i % 2))


def chats() -> list[str]:
    lines = [chat(i % 150, at=i * 0.25) for i in range(200)]
    lines[3], lines[9], lines[20] = (
        "{broken",
        "",
        '{"messages": [{"role": "user", "content": "GrÃ¶ÃŸe?"}], "id": 1e400}',
    )
    lines[40] = '{"messages": [{"role": "bot", "content": "x"}]}'
    return lines


def added(folder: Path, large: int, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Project, list[AddResult]]:
    monkeypatch.setattr(read, "LARGE", large)
    folder.mkdir()
    project = Project(folder)
    file = folder / "chats.jsonl"
    results: list[AddResult] = []
    for grown in ([], [chat(1000), "[1]", chat(7)]):
        file.write_text("\n".join([*chats(), *grown]) + "\n", encoding="utf-8")
        results.append(add(project, "chats", [file], ReadOptions(**options)))
    return project, results


@pytest.mark.parametrize("options", [{}, {"fix_mojibake": True}, {"encoding": "utf-8"}])
def test_a_large_file_is_added_as_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]):
    small, first = added(tmp_path / "small", 1 << 60, monkeypatch, **options)
    large, second = added(tmp_path / "large", 1, monkeypatch, **options)
    assert isinstance(read_file(tmp_path / "large" / "chats.jsonl").rows, ColumnRows)
    assert first == second
    assert first[0].added < first[0].files[0].rows
    assert first[1].set_aside == 3
    for n in (1, 2):
        a, b = open_dataset(small, f"chats@{n}"), open_dataset(large, f"chats@{n}")
        assert a.manifest.model_dump(exclude={"files"}) == b.manifest.model_dump(exclude={"files"})
        assert a.operation.parameters == b.operation.parameters
        assert a.operation.counts == b.operation.counts
        assert_frame_equal(a.frame(), b.frame())
        for name in ("occurrences", "dropped", "edges"):
            frames = [operation_frames(v.project, [v.operation], name) for v in (a, b)]
            assert (frames[0] is None) == (frames[1] is None)
            if frames[0] is not None and frames[1] is not None:
                assert_frame_equal(frames[0].drop("operation"), frames[1].drop("operation"))
        lines = [(v.project.operations / v.operation.id / "set_aside.jsonl").read_bytes() for v in (a, b)]
        assert lines[0] == lines[1]
        b.check()
