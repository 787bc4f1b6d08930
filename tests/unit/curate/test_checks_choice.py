"""A project's own checks, severities and thresholds: what sluice.toml and the folder `checks/` may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example
from sluice.curate.audit import audit_rows, failing_rows
from sluice.curate.checks import CheckContext
from sluice.curate.checks.choice import checks_of
from sluice.curate.checks.listing import list_checks

HEAD = """[task]
name = "t"
data = "d"
description = "x"
[model]
base = "b"
[project]
id = "0123456789abcdef"
"""
ROWS: list[AnyRow] = [
    Example(input={"n": i, "text": f"say {i} TODO" if i == 3 else f"say {i}"}, target="a") for i in range(6)
]


def project(folder: Path, toml: str = "", **files: str) -> Project:
    (folder / "sluice.toml").write_text(HEAD + toml)
    (folder / "checks").mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / "checks" / f"{stem}.{ending}").write_text(text)
    return Project(folder)


def test_a_project_sets_severity_and_threshold_and_leaves_checks_out(tmp_path: Path):
    choice = checks_of(
        project(
            tmp_path,
            '[checks]\ndisable = ["personal"]\n[checks.near-constant]\nseverity = "fail"\nthreshold = 0.9\n',
        )
    )
    report = audit_rows(CheckContext(ROWS), choice=choice)
    assert report.disabled == ("personal",)
    assert "personal" not in {c.name for c in report.checks}
    assert (report.check("near-constant").severity, report.check("near-constant").limit) == ("fail", 0.9)
    assert "near-constant" in choice.severe()
    assert "near-duplicates" not in choice.for_gate()
    listed = {c.name: c for c in list_checks(Project(tmp_path)).checks}
    assert listed["personal"].disabled
    assert listed["near-constant"].changed
    assert "0.9" in listed["near-constant"].threshold


def test_a_threshold_moves_what_is_found():
    from sluice.curate.checks import Setting
    from sluice.curate.checks.choice import Choice

    rows: list[AnyRow] = [
        Example(input={"t": f"q {i}"}, target=f"It comes on day {i} of the month.") for i in range(12)
    ]
    rows += [Example(input={"t": f"r {i}"}, target=" ".join(f"w{i * k}" for k in range(1, 8))) for i in range(12)]
    found = [
        audit_rows(
            CheckContext(rows), ["near-constant"], Choice(settings={"near-constant": Setting(threshold=t)})
        ).worst
        for t in (0.4, 0.6)
    ]
    assert found == ["warn", "ok"]


@pytest.mark.parametrize(
    "toml, place, hint",
    [
        ('[checks]\ndisable = ["persnal"]\n', "disable, entry 1", "personal"),
        ("[checks.trncated]\nthreshold = 0.5\n", "[checks.trncated]", "truncated"),
        ("[checks.truncated]\nthreshold = 7\n", "[checks.truncated]", "0 to 1"),
        ("[checks.markup]\nthreshold = 0.5\n", "[checks.markup]", "take the key out"),
        ('[checks.empty]\nseverity = "warn"\n', "[checks.empty]", "waive"),
        ('[checks]\ndisable = ["leak"]\n', "disable, entry 1", "waive"),
        ('[checks.truncated]\nseverity = "loud"\n', "sluice.toml", "correct"),
        ("[checks.truncated]\ntreshold = 0.5\n", "sluice.toml", "threshold"),
        ('[checks]\ndisable = "personal"\n', "sluice.toml", "correct"),
    ],
)
def test_an_unknown_name_or_value_is_an_error_with_its_place(tmp_path: Path, toml: str, place: str, hint: str):
    with pytest.raises(InputError) as caught:
        checks_of(project(tmp_path, toml))
    assert place in str(caught.value.where)
    assert hint in str(caught.value.remedy)


FUNCTION = '''"""Rows that somebody meant to finish."""
SEVERITY = "fail"

def check(row):
    """A row still has a TODO in it."""
    return "TODO in the text" if "TODO" in row.input["text"] else None
'''
CLASS = """
from sluice.curate.checks import Check, CheckContext, CheckSpec, Examples, Finding, Found

class Odd(Check):
    spec = CheckSpec(name="odd", severity="warn", what="n is odd", threshold="n % 2", remedy="sluice show {dataset}")
    def find(self, context):
        return Found([Finding(row=r.row, detail="odd") for r in context.rows if r.input["n"] % 2], "odd ones")
    def examples(self):
        return Examples(CheckContext([]), CheckContext([]))
"""
SQL = """-- what: n is large
-- severity: fail
SELECT row, 'n is ' || n AS detail FROM rows WHERE n > 4
"""


def test_own_checks_run_beside_ours_and_are_named_by_their_hash(tmp_path: Path):
    choice = checks_of(project(tmp_path, todo_py=FUNCTION, odd_py=CLASS, large_n_sql=SQL, _helper_py="1/0"))
    report = audit_rows(CheckContext(ROWS), choice=choice)
    todo, odd, large = (report.check(name) for name in ("todo", "odd", "large-n"))
    assert [(f.row, f.detail) for f in todo.rows] == [(ROWS[3].row, "TODO in the text")]
    assert {f.row for f in odd.rows} == {ROWS[i].row for i in (1, 3, 5)}
    assert [(f.row, f.detail) for f in large.rows] == [(ROWS[5].row, "n is 5")]
    assert (todo.severity, odd.severity, large.severity) == ("fail", "warn", "fail")
    assert todo.what == "A row still has a TODO in it"
    assert todo.source == "checks/todo.py"
    assert len({c.source_sha256 for c in (todo, odd, large)}) == 3
    assert report.worst == "fail"
    assert {"todo", "large-n"} <= choice.severe()
    assert set(failing_rows(report, ["todo"])) == {ROWS[3].row}


@pytest.mark.parametrize(
    "files, place, said",
    [
        ({"mine_py": "def check(row):\n    return 1 / 0\n"}, "checks/mine.py:2", "ZeroDivisionError"),
        ({"mine_py": "def check(row):\n    raise SystemExit(0)\n"}, "checks/mine.py:2", "SystemExit"),
        ({"mine_py": "def check(row:\n"}, "checks/mine.py:1", "not valid Python"),
        ({"mine_py": "import nothing_like_it\n"}, "checks/mine.py:1", "ModuleNotFoundError"),
        ({"mine_py": "x = 1\n"}, "checks/mine.py", "no function"),
        ({"mine_py": "def check(row):\n    return 3\n"}, "checks/mine.py", "returned int"),
        ({"mine_py": "SEVERITY = 'loud'\ndef check(row):\n    return None\n"}, "checks/mine.py", "loud"),
        ({"mine_py": "raise SystemExit(3)\n"}, "checks/mine.py:1", "SystemExit"),
        ({"mine_sql": "SELECT nothing FROM rows"}, "checks/mine.sql", "nothing"),
        ({"mine_sql": "SELECT row FROM read_text('/etc/passwd')"}, "checks/mine.sql", "read_text"),
        ({"mine_sql": "SELEC row"}, "checks/mine.sql", "syntax"),
        ({"empty_py": "def check(row):\n    return None\n"}, "checks/empty.py", "taken"),
        ({"Mine!_py": "def check(row):\n    return None\n"}, "checks/Mine!.py", "name"),
        ({"mine_py": CLASS.replace("r.row, d", '"0" * 64, d')}, "checks/mine.py", "not here"),
    ],
)
def test_a_broken_check_is_one_clear_error_never_a_pass(tmp_path: Path, files: dict[str, str], place: str, said: str):
    with pytest.raises(InputError) as caught:
        audit_rows(CheckContext(ROWS), choice=checks_of(project(tmp_path, **files)))
    assert str(caught.value.where).startswith(place)
    assert said in caught.value.message
    assert caught.value.remedy


def test_a_file_of_the_project_shadows_nothing(tmp_path: Path):
    choice = checks_of(project(tmp_path, json_py="def check(row):\n    return None\n"))
    import json

    assert json.loads("[1]") == [1]
    assert "json" in choice.names()


@pytest.mark.parametrize(
    "code",
    [
        'def check(row):\n    row.input["text"] = "TODO"\n    return None\n',
        CLASS.replace(
            "    def find(self, context):\n", "    def find(self, context):\n        context.rows[0].input.clear()\n"
        )
        .replace('r.input["n"]', 'r.input.get("n", 0)')
        .replace('name="odd"', 'name="a"'),
    ],
)
def test_a_check_of_ones_own_cannot_change_what_later_checks_see(tmp_path: Path, code: str):
    before = [row.model_copy(deep=True) for row in ROWS]
    choice = checks_of(project(tmp_path, a_py=code, todo_py=FUNCTION))
    report = audit_rows(CheckContext(ROWS), ["a", "todo"], choice)
    assert [f.row for f in report.check("todo").rows] == [ROWS[3].row]
    assert before == ROWS
