"""A file of several shapes: lines that are not of the one it is read by say so, and what they have."""

from __future__ import annotations

import json

from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.formats import ReadOptions


def test_a_line_of_another_shape_is_set_aside_with_what_it_has(tmp_path):
    pair = {"prompt": "x y", "chosen": "good", "rejected": "bad"}
    records = [pair, {"input": "a b c", "target": "d"}, {"prompt": "", "chosen": "a", "rejected": "b"}, {}]
    (tmp_path / "mixed.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    result = add(Project(tmp_path), "d", [tmp_path / "mixed.jsonl"], ReadOptions())
    assert result.added == 1
    reasons = {line.line: line.reason for line in result.first_set_aside}
    assert sorted(reasons) == [2, 3, 4]
    assert "input, target" in reasons[2]
    assert "is read as" in reasons[2]
    assert not any("is read as" in reasons[line] for line in (3, 4))
