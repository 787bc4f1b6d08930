"""`freeze` says what personal data is still in the rows that it pins, and shows none of it."""

from __future__ import annotations

import json

from support import whole_project

from sluice.curate.adding.add import add
from sluice.evalsuite.freeze import freeze


def test_freeze_counts_what_is_still_there_and_shows_no_value(tmp_path):
    project = whole_project.start(tmp_path / "p")
    rows = [json.loads(line) for line in whole_project.raw_rows(tmp_path, n=24, seed=5).read_text().splitlines()]
    rows[0]["input"] += " write to jane.doe@example.com or +49 30 901820"
    rows[1]["input"] += " my mail is sam@example.org"
    file = tmp_path / "people.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    add(project, "people", [file])
    result = freeze(project, "people")
    assert (result.personal, result.personal_rows) == ({"email": 2, "phone": 1}, 2)
    assert "jane" not in result.model_dump_json()
