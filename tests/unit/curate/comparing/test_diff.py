"""`diff`: a row that went, came, changed or moved is told as what it is, with the reason an operation gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.app import run
from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.core.rows import Example, to_record
from sluice.curate.adding.add import add
from sluice.curate.comparing.diff import NO_REASON, diff
from sluice.curate.dataset import open_dataset, row_schema, rows_frame
from sluice.curate.filter import filter_rows
from sluice.curate.formats import ReadOptions
from sluice.curate.operation import Outcome, commit
from sluice.curate.splits.parts import split_dataset

OPTIONS = ReadOptions(input="body", target="label")


def test_a_row_is_counted_once_and_all_rows_are_counted(tmp_path: Path, lines: Callable[..., Path]):
    @settings(max_examples=25, deadline=None)
    @given(*[st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz")), min_size=1, max_size=8)] * 2)
    def check(a: list[tuple[str, str]], b: list[tuple[str, str]]):
        files = [
            lines(tmp_path / f"{name}.jsonl", *({"body": f"text {x}", "label": y} for x, y in rows))
            for name, rows in (("a", a), ("b", b))
        ]
        found = diff(None, str(files[0]), str(files[1]), OPTIONS)
        assert found.same == len(set(a) & set(b))
        assert found.rows_a == found.same + found.changed + found.removed == len(set(a))
        assert found.rows_b == found.same + found.changed + found.added == len(set(b))
        assert {(c.old.input["body"], c.new.input["body"]) for c in found.first_changed} == {
            (c.old.input["body"],) * 2 for c in found.first_changed
        }, "the same input"

    check()


def test_a_key_ties_rows_that_share_nothing_else(tmp_path: Path, lines: Callable[..., Path]):
    a = lines(tmp_path / "a.jsonl", {"id": 1, "body": "old", "label": "x"}, {"id": 2, "body": "stays", "label": "x"})
    b = lines(tmp_path / "b.jsonl", {"id": 2, "body": "stays", "label": "x"}, {"id": 1, "body": "new", "label": "y"})
    found = diff(None, str(a), str(b), OPTIONS, key="id")
    assert (found.changed, found.removed, found.added, found.same) == (1, 0, 0, 1)
    assert (found.first_changed[0].tie, found.first_changed[0].new.target) == ("key", "y")
    assert diff(None, str(a), str(b), OPTIONS).changed == 0
    with pytest.raises(InputError) as problem:
        diff(None, str(a), str(b), OPTIONS, key="ticket")
    assert "id" in str(problem.value.remedy)


def test_a_removed_row_has_the_reason_of_its_operation(project: Project, lines: Callable[..., Path]):
    again = [{"body": "write to a.b@example.com now", "label": "y"}, {"body": "nothing of that", "label": "n"}]
    add(project, "d", [lines(project.root / "more.jsonl", *again)], OPTIONS)
    filter_rows(project, "d", ["personal"])
    found = diff(project, "d")
    assert (found.a, found.b) == ("d@2", "d@3")
    assert (found.removed, found.added, found.same) == (1, 0, 61)
    gone = found.first_removed[0]
    assert (gone.reason, gone.verb) == ("personal", "filter")
    assert found.reasons == {"personal": 1}
    came = diff(project, "d@1", "d@2").first_added
    assert [row.place for row in came] == ["more.jsonl:1", "more.jsonl:2"]
    back = diff(project, "d@3", "d@1")
    assert back.reasons == {NO_REASON: 1}, "what a later version has was not dropped"


def test_a_recorded_change_is_followed_through_versions(project: Project):
    version = open_dataset(project, "d")
    row = version.examples()[0]
    steps = [row, *(Example(input=row.input, target=target) for target in ("once", "twice"))]
    renamed = Example(input={"body": "all new"}, target="twice")
    for old, new in ((steps[0], steps[1]), (steps[1], renamed)):
        commit(project, lambda old=old, new=new: _edit(project, old, new))
    found = diff(project, "d@1", "d@3")
    (change,) = found.first_changed
    assert (change.old.row, change.new.row, change.tie, change.verb) == (row.row, renamed.row, "change", "edit")
    assert (found.removed, found.added) == (0, 0)
    (back,) = diff(project, "d@3", "d@1").first_changed
    assert (back.old.row, back.new.row) == (renamed.row, row.row)


def _edit(project: Project, old: Example, new: Example) -> Outcome:
    version = open_dataset(project, "d")
    frame = version.frame()
    changed = pl.concat([frame.filter(pl.col("row") != old.row), rows_frame([new])])
    return Outcome(
        verb="edit",
        parameters={},
        parents=(version.parent,),
        contents={"d": changed},
        rows_in=frame.height,
        edges=pl.DataFrame({"old": [old.row], "new": [new.row]}),
    )


def test_a_row_in_another_part_is_moved(project: Project):
    split_dataset(project, "d", eval=10, dev=5)
    train = open_dataset(project, "d/train")
    row = train.examples()[0]
    dev = open_dataset(project, "d/dev")

    def move() -> Outcome:
        record = pl.DataFrame([to_record(row)], schema=row_schema(), orient="row")
        return Outcome(
            verb="split",
            parameters={},
            parents=(train.parent, dev.parent),
            contents={
                "d/train": train.frame().filter(pl.col("row") != row.row),
                "d/dev": pl.concat([dev.frame(), record]),
            },
            rows_in=0,
        )

    commit(project, move)
    gone, came = diff(project, "d/train"), diff(project, "d/dev")
    for found in (gone, came):
        assert (found.moved, found.removed, found.added) == (1, 0, 0)
        assert (found.first_moved[0].before, found.first_moved[0].after) == ("d/train", "d/dev")
    apart = diff(project, "d/train@1", "d/eval@1")
    assert (apart.moved, apart.removed, apart.added) == (0, 45, 10)
    whole = diff(project, "d", "d/train@1")
    assert whole.moved == 15
    assert {m.after for m in whole.first_moved} <= {"d/dev", "d/eval"}


def test_there_have_to_be_two_sides(project: Project, tmp_path: Path):
    with pytest.raises(InputError, match="no version before"):
        diff(project, "d")
    with pytest.raises(UsageError, match="one side"):
        diff(None, str(tmp_path / "d.jsonl"))
    with pytest.raises(InputError):
        diff(project, "d", "e")
    same = diff(project, "d", str(tmp_path / "d.jsonl"), OPTIONS)
    assert not same.any_rows


def test_the_verb_draws_differing_words_and_fails_only_when_asked(
    tmp_path: Path, lines: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "a.jsonl", {"id": 1, "body": "Where is my lamp?", "label": "x"})
    lines(tmp_path / "b.jsonl", {"id": 1, "body": "Where is my kettle?", "label": "x"})
    words = ["diff", "a.jsonl", "b.jsonl", "--input", "body", "--target", "label", "--key", "id"]
    assert run(words) == 0
    drawn = capsys.readouterr().out
    assert "[lamp]" in drawn
    assert "[kettle]" in drawn
    assert run([*words, "--fail-on", "changes"]) == 1
    assert run([*words, "--fail-on", "drift"]) == 0
    assert run(["diff", "a.jsonl", "a.jsonl", "--input", "body", "--target", "label", "--fail-on", "changes"]) == 0
    capsys.readouterr()
    assert run([*words, "--out", "d.json", "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)["result"]
    assert result == json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert result["changed"] == 1
