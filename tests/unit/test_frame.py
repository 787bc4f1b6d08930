"""The shape of the tree: where packages lie, which way imports point, what a library file must not do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("curate", "evalsuite", "train")
LINKS = {**{room: room for room in ROOMS}, "_samples": "datasets"}
LIBRARY = (*(ROOT / room for room in ROOMS), ROOT / "sluice" / "core")
CODE = (*LIBRARY, ROOT / "sluice" / "cli")
TESTS_AND_BENCHMARKS = (ROOT / "tests", ROOT / "benchmarks")

# Files of more than 400 lines, each with the reason why it is one idea all the same.
LONG_FILES = {
    "curate/formats/lines_compiled.py": "what numba caches does not notice a change in another file",
    "curate/kernel/compiled.py": "what numba caches does not notice a change in another file",
    "curate/similar/similarity.py": "the one similarity, whole: whoever asks what near-equal means reads one file",
    "tests/unit/cli/test_app.py": "one test for each promise of the front door",
}
HEAVY = {"accelerate", "bitsandbytes", "datasets", "gguf", "peft", "torch", "transformers", "trl"}
# What may touch the process around it outside sluice/cli, and why.
MAY_TOUCH = {
    "sluice/core/paths.py": {"os.environ"},  # SLUICE_CACHE, and nothing else
    "evalsuite/graders/worker.py": {"sys.argv"},  # a program of its own, run for the graders
}
CALLS = {"print", "input", "breakpoint", "exit", "quit"}
TOUCHES = {"sys.exit", "sys.argv", "os.environ", "os.getenv", "os._exit"}


def _files(*folders: Path) -> list[Path]:
    return sorted(file for folder in folders for file in folder.rglob("*.py") if "__pycache__" not in file.parts)


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def _imports(nodes: ast.AST) -> Iterator[tuple[str, int, int]]:
    """Every (module, level, line) that a tree imports."""
    for node in ast.walk(nodes):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level, node.lineno


def _at_import_time(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported: not inside functions, not under TYPE_CHECKING."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from _at_import_time([*node.body, *node.orelse])
        elif isinstance(node, ast.Try | ast.With | ast.ClassDef):
            yield from _at_import_time(node.body)
        else:
            yield node


def test_the_rooms_are_linked_into_the_package():
    for link, folder in LINKS.items():
        place = ROOT / "sluice" / link
        assert place.is_symlink(), f"sluice/{link} is no link"
        assert place.readlink() == Path("..") / folder
        assert place.resolve() == ROOT / folder


def test_imports_point_one_way_and_every_file_was_looked_at():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    looked_at = re.search(r"Analyzed (\d+) files", done.stdout)
    assert looked_at, done.stdout
    ours = len(_files(*CODE)) + len(list((ROOT / "sluice").glob("*.py")))
    assert int(looked_at[1]) >= ours, "import-linter did not follow a link"


def test_pyright_is_told_of_every_room():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pyright"]
    assert {"sluice", *(f"sluice/{room}" for room in ROOMS)} <= set(settings["include"])
    for place in settings["strict"]:
        assert (ROOT / place).exists(), f"pyright's strict list names {place}, which is not there"


def test_every_folder_of_code_says_what_lives_there():
    for folder in sorted({file.parent for file in _files(*CODE)}):
        opening = folder / "__init__.py"
        assert opening.is_file(), f"{_name(folder)} has no __init__.py"
        words = (ast.get_docstring(_tree(opening)) or "").split()
        assert len(words) >= 8, f"{_name(opening)} does not say what lives there"


def test_every_module_says_what_it_does():
    folders = (*CODE, ROOT / "benchmarks", ROOT / "datasets")
    silent = [_name(file) for file in _files(*folders) if len((ast.get_docstring(_tree(file)) or "").split()) < 4]
    assert silent == []


def test_datasets_is_data_only():
    # An __init__.py here would hide the Hugging Face package of the same name.
    assert list((ROOT / "datasets").rglob("__init__.py")) == []
    for folder in (ROOT / "datasets").iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            assert (folder / "README.md").is_file(), f"{folder.name} has no card"


def test_nothing_is_imported_by_a_plain_or_relative_name():
    wrong = [
        f"{_name(file)}:{line}: {'.' * level}{module}"
        for file in _files(*CODE, *TESTS_AND_BENCHMARKS)
        for module, level, line in _imports(_tree(file))
        if level or module.partition(".")[0] in {*ROOMS, "core", "cli"}
    ]
    assert wrong == []


def test_heavy_packages_are_imported_where_they_are_used():
    wrong = [
        f"{_name(file)}:{line}: {module}"
        for file in _files(*CODE)
        for statement in _at_import_time(_tree(file).body)
        for module, _, line in _imports(statement)
        if module.partition(".")[0] in HEAVY or module.startswith("scipy")
    ]
    assert wrong == []


def test_curation_never_touches_the_extra_train():
    folders = (ROOT / "curate", ROOT / "sluice" / "core")
    wrong = [
        f"{_name(file)}:{line}: {module}"
        for file in _files(*folders)
        for module, _, line in _imports(_tree(file))
        if module.partition(".")[0] in HEAVY
    ]
    assert wrong == []


def test_a_library_leaves_the_process_around_it_alone():
    wrong = [
        f"{_name(file)}:{node.lineno}: {said}"
        for file in _files(*LIBRARY)
        for node in ast.walk(_tree(file))
        if (isinstance(node, ast.Call) and (said := ast.unparse(node.func)) in CALLS)
        or (
            isinstance(node, ast.Attribute)
            and (said := ast.unparse(node)) in TOUCHES - MAY_TOUCH.get(_name(file), set())
        )
    ]
    parsers = [
        f"{_name(file)}:{line}: {module}"
        for file in _files(*LIBRARY)
        for module, _, line in _imports(_tree(file))
        if module in {"argparse", "click", "rich", "getopt"} or module.startswith(("click.", "rich."))
    ]
    assert wrong + parsers == []


def test_a_long_file_has_a_reason():
    long = {
        _name(file): lines
        for file in _files(*CODE, *TESTS_AND_BENCHMARKS, ROOT / "datasets")
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert {name: lines for name, lines in long.items() if name not in LONG_FILES} == {}
    assert [name for name in LONG_FILES if name not in long] == [], "no longer long: take it off the list"


def test_no_file_names_a_place_of_one_machine():
    # Put together here, so that this file does not find itself.
    places = re.compile("|".join(f"/{top}/[a-z0-9]" for top in ("root", "work", "opt", "home", "Users")))
    texts = [*_files(*CODE, *TESTS_AND_BENCHMARKS, ROOT / "datasets"), *(ROOT / "docs").rglob("*.md")]
    texts += [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.txt"), ROOT / "Makefile", ROOT / ".ci" / "run"]
    wrong = [
        f"{_name(file)}:{number}: {line.strip()}"
        for file in texts
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if places.search(line)
    ]
    assert wrong == []


USERS_FILES = ("train.py", "curate.py", "evalsuite.py", "core.py", "cli.py")


@pytest.fixture
def users_folder(tmp_path: Path) -> Path:
    """A folder whose owner uses the same names as we do: files that fail when imported, and a folder of data."""
    for name in USERS_FILES:
        (tmp_path / name).write_text("raise RuntimeError('the file of the user was imported')\n", encoding="utf-8")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return tmp_path


def test_a_users_own_files_neither_shadow_ours_nor_are_shadowed(users_folder: Path):
    script = "import sluice, sluice.train, sluice.curate, sluice.evalsuite; print(sluice.__version__)\n"
    (users_folder / "train.py").write_text(script + "import mine_too; print(mine_too.WHOSE)\n", encoding="utf-8")
    (users_folder / "mine_too.py").write_text("WHOSE = 'the user'\n", encoding="utf-8")
    for words in (["train.py"], ["-m", "sluice", "--help"], ["-c", "import datasets; datasets.Dataset"]):
        done = subprocess.run(
            [sys.executable, *words], cwd=users_folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        if words == ["train.py"]:
            assert done.stdout.splitlines()[-1] == "the user"


def test_a_users_plain_import_finds_the_users_file(users_folder: Path):
    done = subprocess.run(
        [sys.executable, "-c", "import sluice.train; import train"],
        cwd=users_folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "the file of the user was imported" in done.stderr
