"""Python graders: what they must declare, how they fail, what they see, and what their hash covers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sluice.core.errors import InputError
from sluice.core.task import GraderConfig
from sluice.evalsuite.graders import FunctionGrader, Grade, check_grader, grade_answer, grader_hash, make_grader

HEAD = "def grade(input, target, answer):\n    "


def config(**changes) -> GraderConfig:
    return GraderConfig(**({"name": "tone", "file": "graders/tone.py", "kind": "graded", "range": (0, 1)} | changes))


def write(root: Path, code: str, name: str = "graders/tone.py") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")


def grades(root: Path, code: str, *answers: str, timeout: float = 20.0, **changes) -> list[Grade]:
    write(root, code)
    grader = make_grader(config(**changes), root, timeout=timeout)
    try:
        return [grade_answer(grader, input={"q": 1}, target="t", answer=a, cut=False) for a in answers]
    finally:
        grader.close()


def test_the_ways_to_return_a_score(tmp_path: Path):
    code = HEAD + "return {'a': 0.0, 'b': 1, 'c': True, 'd': {'score': 0.5, 'lenient': 1, 'why': {1}}}[answer]\n"
    a, b, c, d = grades(tmp_path, code, "a", "b", "c", "d")
    assert (a.score, a.answer_class) == (0.0, "wrong")
    assert (b.score, b.answer_class) == (1.0, "right")
    assert (c.score, c.answer_class) == (1.0, "right")
    assert (d.score, d.lenient, d.answer_class) == (0.5, 1.0, "wrong")
    assert "1" in d.detail["why"]


def test_numpy_numbers_are_numbers(tmp_path: Path):
    code = "import numpy as np\n" + HEAD + "return np.bool_(True) if answer == 'b' else np.float32(0.5)\n"
    assert [g.score for g in grades(tmp_path, code, "a", "b")] == [0.5, 1.0]


FAILURES = [
    ("return float('nan')", "nan"),
    ("return float('inf')", "inf"),
    ("return 1.5", "outside"),
    ("return -0.1", "outside"),
    ("return None", "NoneType"),
    ("return '1'", "str"),
    ("return {'lenient': 1}", "score"),
    ("return {'score': 1, 'lenient': float('nan')}", "lenient"),
    ("raise ValueError('no tone here')", "no tone here"),
    ("import sys; sys.exit(3)", "SystemExit"),
    ("import os; os._exit(7)", "code 7"),
    ("raise KeyError", "KeyError"),
    ("return input() and 1", "EOF"),
    ("import os; return float(os.read(0, 9) or 'none')", "could not convert"),
    ("return 10 ** 400", "large"),
]


def test_a_grader_that_fails_is_an_error_and_never_a_score(tmp_path: Path):
    code = "".join(f"def f{i}():\n    {body}\n" for i, (body, _) in enumerate(FAILURES))
    code += HEAD + "return globals()[answer]() if answer != 'fine' else 1\n"
    write(tmp_path, code)
    with FunctionGrader(config(), tmp_path) as grader:
        for i, (body, told) in enumerate(FAILURES):
            got = grade_answer(grader, input={"q": 1}, target="t", answer=f"f{i}", cut=False)
            assert (got.score, got.lenient, got.answer_class) == (None, None, "error"), body
            assert told in (got.message or ""), body
            fine = grade_answer(grader, input={"q": 1}, target="t", answer="fine", cut=False)
            assert fine.score == 1.0, f"the row after: {body}"


def test_a_binary_grader_scores_0_or_1(tmp_path: Path):
    half, one = grades(tmp_path, HEAD + "return len(answer) / 2\n", "x", "xx", kind="binary", range=None)
    assert half.answer_class == "error"
    assert one.answer_class == "right"


def test_a_row_that_takes_too_long_is_an_error_and_the_next_one_is_graded(tmp_path: Path):
    code = "import time\n" + HEAD + "time.sleep(30 if answer == 'slow' else 0)\n    return 1\n"
    start = time.monotonic()
    slow, quick = grades(tmp_path, code, "slow", "quick", timeout=1.0)
    assert time.monotonic() - start < 15
    assert (slow.answer_class, quick.answer_class) == ("error", "right")
    assert "longer than 1 s" in (slow.message or "")


def test_an_error_on_a_cut_answer_stays_an_error(tmp_path: Path):
    write(tmp_path, HEAD + "raise ValueError\n")
    with FunctionGrader(config(), tmp_path) as grader:
        assert grade_answer(grader, input=1, target="t", answer="x", cut=True).answer_class == "error"


def test_what_it_prints_does_not_get_in_the_way(tmp_path: Path):
    code = "import os\nprint('{}')\n" + HEAD + "print('hello'); os.system('echo there'); return 1\n"
    assert [g.score for g in grades(tmp_path, code, "x", "y")] == [1.0, 1.0]


def test_it_sees_input_target_and_answer_exactly(tmp_path: Path):
    code = HEAD + "return {'score': 1, 'saw': [input, target, answer]}\n"
    text = "line\nbreak é \U0001f600 \u2028 \x00"
    (got,) = grades(tmp_path, code, text)
    assert got.detail["saw"] == [{"q": 1}, "t", text]


def test_it_runs_in_a_fresh_process_without_sluice(tmp_path: Path):
    code = HEAD + "import sys, os\n    return {'score': 1, 'sluice': 'sluice' in sys.modules, 'pid': os.getpid()}\n"
    first, second = grades(tmp_path, code, "x", "y")
    (other,) = grades(tmp_path, code, "x")
    assert first.detail["sluice"] is False
    assert first.detail["pid"] == second.detail["pid"] != other.detail["pid"]


def test_rounding_beyond_the_range_is_forgiven_and_no_more(tmp_path: Path):
    over, far = grades(tmp_path, HEAD + "return 1 + float(answer)\n", "1e-12", "1e-6")
    assert (over.score, over.answer_class) == (1.0, "right")
    assert far.answer_class == "error"


def test_lower_can_be_better(tmp_path: Path):
    changes = {"direction": "lower", "range": (0, 10), "right_at": 2}
    one, nine = grades(tmp_path, HEAD + "return len(answer)\n", "x", "x" * 9, **changes)
    assert (one.answer_class, nine.answer_class) == ("right", "wrong")


def test_right_at_is_declared(tmp_path: Path):
    got = grades(tmp_path, HEAD + "return len(answer)\n", "x", "xxx", range=(0, 5), right_at=3)
    assert [g.answer_class for g in got] == ["wrong", "right"]
    (five,) = grades(tmp_path, HEAD + "return 1\n", "x", range=(0, 5))
    assert five.answer_class == "wrong"


def test_a_missing_target_is_refused_unless_it_is_declared_as_not_needed(tmp_path: Path):
    write(tmp_path, HEAD + "return 1\n")
    with FunctionGrader(config(), tmp_path) as grader, pytest.raises(InputError, match="target"):
        grade_answer(grader, input="i", target=None, answer="x", cut=False)
    with FunctionGrader(config(needs=[]), tmp_path) as grader:
        assert grade_answer(grader, input="i", target=None, answer="x", cut=False).score == 1.0


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"range": None}, "range"),
        ({"kind": None}, "0/1 or graded"),
        ({"range": (1, 1)}, "empty"),
        ({"range": (0, float("inf"))}, "endless"),
        ({"range": (0, float("nan"))}, "endless"),
        ({"kind": "binary", "range": (0, 5)}, "0 or 1"),
        ({"right_at": 0}, "every answer"),
        ({"right_at": 2}, "every answer"),
        ({"needs": ["truth"]}, "truth"),
        ({"needs": ["schema"]}, "schema"),
        ({"needs": ["rubric"]}, "rubric"),
        ({"needs": ["choices"]}, "choices"),
        ({"name": "exact"}, "built-in"),
        ({"file": "graders/none.py"}, "does not exist"),
        ({"file": "../outside.py"}, "outside"),
    ],
)
def test_declarations_that_are_refused(tmp_path: Path, changes: dict, told: str):
    root = tmp_path / "project"
    write(root, HEAD + "return 1\n")
    write(tmp_path, HEAD + "return 1\n", "outside.py")
    with pytest.raises(InputError, match=told):
        make_grader(config(**changes), root)


@pytest.mark.parametrize(
    "code, told",
    [
        ("def grade(:\n", "no Python"),
        ("x = 1\n", "no function 'grade'"),
        ("import nothing_of_that_name\n", "nothing_of"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_refused_with_its_place(tmp_path: Path, code: str, told: str):
    with pytest.raises(InputError, match=told) as problem:
        grades(tmp_path, code, "x")
    assert "tone.py" in (problem.value.where or "")


def project_with_imports(root: Path) -> None:
    write(root, "from helper import half\nimport words.lists\n" + HEAD + "return half() * 2\n")
    write(root, "from words import lists\ndef half():\n    import late\n    return late.HALF\n", "graders/helper.py")
    write(root, "HALF = 0.5\n", "late.py")
    write(root, "from . import inner\n", "words/__init__.py")
    write(root, "X = 1\n", "words/lists.py")
    write(root, "from .lists import X\n", "words/inner.py")
    write(root, "unrelated = 1\n", "train.py")


FILES = ("graders/tone.py", "graders/helper.py", "late.py", "words/__init__.py", "words/lists.py", "words/inner.py")


def test_the_hash_covers_all_project_files_that_it_imports_and_no_other(tmp_path: Path):
    project_with_imports(tmp_path)
    before = grader_hash(config(), tmp_path)
    for name in FILES:
        old = (tmp_path / name).read_text()
        (tmp_path / name).write_text(old + "# changed\n")
        assert grader_hash(config(), tmp_path) != before, name
        (tmp_path / name).write_text(old)
    (tmp_path / "train.py").write_text("unrelated = 2\n")
    assert grader_hash(config(), tmp_path) == before
    assert grader_hash(config(right_at=0.5), tmp_path) != before
    with FunctionGrader(config(), tmp_path) as grader:
        assert grade_answer(grader, input=1, target="t", answer="t", cut=False).score == 1.0
        grader.check_files()
    assert not list(tmp_path.rglob("__pycache__"))


def test_the_hash_does_not_depend_on_where_the_project_lies(tmp_path: Path):
    for root in (tmp_path / "one", tmp_path / "two"):
        project_with_imports(root)
    assert grader_hash(config(), tmp_path / "one") == grader_hash(config(), tmp_path / "two")


def test_a_file_loaded_behind_the_back_of_the_hash_is_refused(tmp_path: Path):
    write(tmp_path, "HALF = 0.5\n", "hidden.py")
    loads = "import importlib\nhidden = importlib.import_module('hid' + 'den')\n"
    with pytest.raises(InputError, match="hash would not notice"):
        grades(tmp_path, loads + HEAD + "return 1\n", "x")
    late = HEAD + "import importlib\n    return importlib.import_module('hid' + 'den').HALF * 2\n"
    write(tmp_path, late)
    with FunctionGrader(config(), tmp_path) as grader, pytest.raises(InputError, match="hash would not notice"):
        check_grader(grader, [("i", "t")])


def test_a_file_loaded_from_outside_the_project_is_refused_by_name(tmp_path: Path):
    outside, project = tmp_path / "elsewhere", tmp_path / "project"
    outside.mkdir()
    project.mkdir()
    (outside / "judge_help.py").write_text("def score(target, answer):\n    return 1.0\n")
    reach = f"import sys\nsys.path.insert(0, {str(outside)!r})\n"
    with pytest.raises(InputError, match="outside the project") as refused:
        grades(project, reach + "from judge_help import score\n" + HEAD + "return score(target, answer)\n", "x")
    assert refused.value.where == str((outside / "judge_help.py").resolve())
    installed = "import json, decimal, sqlite3\nimport numpy\nfrom sluice.core.canonical import canonical\n"
    late = installed + reach + HEAD + "import judge_help\n    return judge_help.score(target, answer)\n"
    write(project, late)
    with FunctionGrader(config(), project) as grader, pytest.raises(InputError, match="outside the project"):
        check_grader(grader, [("i", "t")])
    write(project, installed + HEAD + "return float(target == answer)\n")
    with FunctionGrader(config(), project) as grader:
        grader.grade("i", "t", "t")
        grader.check_files()


def test_stale_bytecode_is_not_run(tmp_path: Path):
    import os
    import py_compile

    write(tmp_path, "VALUE = 0\n", "helper.py")
    py_compile.compile(str(tmp_path / "helper.py"))
    stat = (tmp_path / "helper.py").stat()
    write(tmp_path, "VALUE = 1\n", "helper.py")
    os.utime(tmp_path / "helper.py", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (got,) = grades(tmp_path, "import helper\n" + HEAD + "return helper.VALUE\n", "x")
    assert got.score == 1.0


ROWS = [(f"input {i}", f"target {i}") for i in range(4)]


@pytest.mark.parametrize(
    "code, told, row",
    [
        (HEAD + "return float(answer == target)\n", None, None),
        ("import random\n" + HEAD + "return 1.0 if answer == target else random.random()\n", "not steady", "row 1"),
        (
            "seen = []\n" + HEAD + "seen.append(1)\n    return answer == target or len(seen) / 9\n",
            "not steady",
            "row 1",
        ),
        (HEAD + "return float(answer == target and target != 'target 2')\n", "full marks", "row 3"),
        (HEAD + "return 0.99 if target == 'target 1' else 1\n", "full marks", "row 2"),
        (HEAD + "assert answer != 'target 3' or target != 'target 2'\n    return 1\n", "fails", "row 3"),
        (HEAD + "return float('nan')\n", "fails", "row 1"),
    ],
)
def test_the_check_before_freezing(tmp_path: Path, code: str, told: str | None, row: str | None):
    write(tmp_path, code)
    with FunctionGrader(config(), tmp_path) as grader:
        if told is None:
            check_grader(grader, ROWS)
            return
        with pytest.raises(InputError, match=told) as problem:
            check_grader(grader, ROWS)
    assert (problem.value.where or "").startswith(f"{row},")


def test_the_check_names_the_row_whose_target_is_missing_or_broken():
    grader = make_grader(GraderConfig(name="fields_f1"))
    with pytest.raises(InputError, match="has none") as problem:
        check_grader(grader, [("i", '{"a": 1}'), ("j", None)], names=["7f3a", "91c0"])
    assert (problem.value.where or "").startswith("91c0")
    with pytest.raises(InputError, match="JSON") as problem:
        check_grader(grader, [("i", '{"a": 1}'), ("j", "Paris")], names=["7f3a", "91c0"])
    assert "91c0" in (problem.value.where or "")


def test_a_grader_in_this_process_that_raises_is_an_error_too():
    class Broken:
        spec = make_grader(GraderConfig(name="exact")).spec

        def grade(self, input, target, answer) -> Grade:
            raise ZeroDivisionError("by zero")

        def close(self) -> None: ...

    got = grade_answer(Broken(), input=1, target="t", answer="t", cut=False)
    assert (got.score, got.answer_class) == (None, "error")
    assert "ZeroDivisionError: by zero" in (got.message or "")


def test_a_function_that_is_not_there_is_told_with_the_file_and_what_it_has(tmp_path: Path):
    write(tmp_path, "import json\nfrom re import match\n\n\ndef score(input, target, answer):\n    return 1\n")
    grader = make_grader(config(function="scor"), tmp_path)
    with pytest.raises(InputError) as caught:
        grader.grade({"q": 1}, "t", "a")
    assert caught.value.where == "graders/tone.py"
    assert "'scor'" in caught.value.message
    assert caught.value.message.endswith("score")
    assert "worker" not in str(caught.value)
