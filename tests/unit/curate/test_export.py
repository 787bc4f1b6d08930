"""`export` keeps what is there: another file is replaced only when told so, one that rows were read from never."""

from __future__ import annotations

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.curate.export import export
from sluice.curate.formats import FileStands


def test_another_file_is_kept_until_told_otherwise(project, tmp_path):
    file = tmp_path / "out.csv"
    file.write_text("mine\n")
    with pytest.raises(FileStands) as problem:
        export(project, "d", file)
    assert "--yes" in (problem.value.remedy or "")
    assert file.read_text() == "mine\n"
    first = export(project, "d", file, replace=True)
    assert file.read_text() != "mine\n"
    assert export(project, "d", file).sha256 == first.sha256  # the same bytes are never in the way
    with pytest.raises(InputError, match="read from this file"):
        export(project, "d", tmp_path / "d.jsonl", replace=True)


def test_a_folder_that_is_made_is_said(project, tmp_path):
    assert export(project, "d", tmp_path / "a" / "b" / "out.csv").made_folder == str(tmp_path / "a" / "b")
    assert export(project, "d", tmp_path / "a" / "b" / "again.csv").made_folder is None


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        ("x.csv", {"format": "messages"}, "not written as csv"),
        ("x.jsonl", {"format": "csv"}, "would hold"),
        ("x.parquet", {"format": "jsonl"}, "would hold"),
        ("x.csv", {"prompt": "p.md"}, "a prompt makes messages"),
    ],
)
def test_words_that_contradict_each_other_write_nothing(project, tmp_path, name, how, said):
    (tmp_path / "p.md").write_text("{{ body }}")
    with pytest.raises(UsageError, match=said):
        export(project, "d", tmp_path / name, **how)
    assert not (tmp_path / name).exists()
    assert export(project, "d", tmp_path / "out.txt", format="csv").format == "csv"
    assert export(project, "d", tmp_path / "out.json", format="messages", prompt="p.md").shape == "messages"
