"""The demo writes into a folder of its own, and goes on in one that it began."""

from __future__ import annotations

import pytest

from sluice.cli.demo.walk import DATA, MARK, prepare
from sluice.core.errors import SurroundingsError


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["raw.jsonl", "notes.txt", "sluice.toml", ".sluice/store.duckdb"])
def test_a_folder_that_holds_something_else_is_left_alone(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(SurroundingsError) as problem:
        prepare(tmp_path)
    assert name.partition("/")[0] in problem.value.message
    assert files(tmp_path) == {name: b"mine"}


def test_a_new_one_is_filled_and_one_that_was_cut_goes_on(tmp_path):
    (tmp_path / "new" / ".git").mkdir(parents=True)
    for _ in range(2):
        prepare(tmp_path / "new")
        assert set(files(tmp_path / "new")) == {*DATA, MARK, "prompts/short.md"}
    (tmp_path / "new" / DATA[0]).unlink()
    prepare(tmp_path / "new")
    assert (tmp_path / "new" / DATA[0]).is_file()
