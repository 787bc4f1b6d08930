"""`filter` by an expression over a real project: what stays, what goes with which reason, what comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.dataset import open_dataset
from sluice.curate.drops import dropped_rows
from sluice.curate.filter_where import filter_where
from sluice.curate.restore import restore

WHOLE = """
from sluice.curate.checks import Check, CheckContext, CheckSpec, Examples, Finding, Found

class All(Check):
    spec = CheckSpec(name="all", severity="warn", what="all of it", threshold="none", remedy="sluice show {dataset}")
    def find(self, context):
        return Found([Finding(row=None, detail="all of it")], "all of it")
    def examples(self):
        return Examples(CheckContext([]), CheckContext([]))
"""


def test_rows_that_are_not_true_go_with_the_expression_as_the_reason(project: Project):
    result = filter_where(project, "d", "target  = 'y'")
    assert (result.rows_in, result.rows, result.dropped, result.changed, result.keeps) == (60, 40, 20, True, True)
    version = open_dataset(project, "d")
    assert set(version.frame()["target"]) == {"y"}
    out = dropped_rows(version)
    assert {row.reason for row in out} == {"not kept: target = 'y'"}
    assert version.operation.parameters == {"expression": "target  = 'y'", "drop": False, "columns": ["target"]}
    restore(project, "d", reason="not kept: target = 'y'")
    assert open_dataset(project, "d").frame().height == 60


def test_drop_is_the_other_way_round_and_metadata_counts(project: Project):
    result = filter_where(project, "d", "customer IN ('C1', 'C2')", drop=True)
    assert (result.dropped, result.rows, result.keeps) == (6, 54, False)
    assert filter_where(project, "d", "customer = 'C1'", drop=True).changed is False


def test_a_row_without_the_column_is_neither_kept_nor_dropped_and_counted(tmp_path: Path):
    from sluice.curate.adding.add import add
    from sluice.curate.formats import ReadOptions

    records = [{"body": f"message {i} of its own", "label": "x", **({"n": i} if i % 2 else {})} for i in range(10)]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    project = Project(tmp_path)
    add(project, "d", [tmp_path / "d.jsonl"], ReadOptions(input="body", target="label"))
    kept = filter_where(project, "d", "n > 4", dry_run=True)
    assert (kept.rows, kept.dropped, kept.absent, kept.changed) == (3, 7, 5, False)
    assert filter_where(project, "d", "n > 4", drop=True, dry_run=True).dropped == 3
    assert open_dataset(project, "d").number == 1


def test_failing_asks_the_checks_of_the_project(project: Project):
    (project.root / "checks").mkdir()
    (project.root / "checks" / "lamps.py").write_text(
        "def check(row):\n    'it is about lamps'\n    return 'lamp' if ' lamp ' in row.input['body'] else None\n"
    )
    result = filter_where(project, "d", "NOT failing('lamps') AND NOT failing('empty')")
    assert (result.dropped, result.rows) == (5, 55)
    with pytest.raises(InputError, match="lmaps"):
        filter_where(project, "d", "failing('lmaps')")
    (project.root / "checks" / "all.py").write_text(WHOLE)
    with pytest.raises(UsageError, match="whole"):
        filter_where(project, "d", "target = 'n' AND NOT failing('all')")


def test_what_would_leave_nothing_is_an_error_and_changes_nothing(project: Project):
    for expression, drop in (("target = 'nothing'", False), ("true", True), ("null", False)):
        with pytest.raises(InputError, match="would be left"):
            filter_where(project, "d", expression, drop=drop)
    assert open_dataset(project, "d").number == 1
