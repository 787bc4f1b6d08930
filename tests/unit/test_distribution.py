"""What an install gives: wheel and sdist hold every room, dependencies are declared, versions are pinned."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("curate", "evalsuite", "train")
FOLDERS = ("sluice", *ROOMS, "datasets")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
NAME_AND_VERSION = f"sluiceway-{PROJECT['version']}"


def _declared(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


LIGHT = _declared(PROJECT["dependencies"])
EXTRAS = {name: _declared(lines) for name, lines in PROJECT["optional-dependencies"].items()}
DEV = EXTRAS["dev"]
OPTIONAL = {name: line for extra, lines in EXTRAS.items() if extra != "dev" for name, line in lines.items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree as git would hand it out, links as links, so that a build leaves nothing here."""
    copy = tmp_path_factory.mktemp("source")
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=ignore)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy / file)
    return copy


def _build(kind: str, source: Path, out: Path) -> Path:
    script = f"import sys, setuptools.build_meta as build; build.build_{kind}(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", script, str(out)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("wheel", source, tmp_path_factory.mktemp("wheel"))


def _expected() -> set[str]:
    """Every file that an install must have, by its name below site-packages."""
    code = {
        file.relative_to(ROOT).as_posix()
        for folder in ("core", "cli")
        for file in (ROOT / "sluice" / folder).rglob("*.py")
    }
    code |= {file.relative_to(ROOT).as_posix() for file in (ROOT / "sluice").glob("*.py")}
    code |= {file.relative_to(ROOT).as_posix() for file in (ROOT / "sluice" / "cli").rglob("*.j2")}
    rooms = {
        f"sluice/{file.relative_to(ROOT).as_posix()}"
        for room in ROOMS
        for ending in ("py", "j2", "css", "txt")
        for file in (ROOT / room).rglob(f"*.{ending}")
    }
    data = {
        f"sluice/_samples/{file.relative_to(ROOT / 'datasets').as_posix()}"
        for file in (ROOT / "datasets").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    return code | rooms | data


def test_the_wheel_holds_every_room_and_the_samples(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert f"{NAME_AND_VERSION}.dist-info/licenses/LICENSE" in archive.namelist()
    assert names == _expected()
    assert {name.partition("/")[0] for name in names} == {"sluice"}, "a plain name would shadow a user's file"
    assert any(name.startswith("sluice/_samples/support-tickets/") for name in names)


def test_the_wheel_built_from_the_sdist_is_the_same(source: Path, wheel: Path, tmp_path: Path):
    (tmp_path / "sdist").mkdir()
    (tmp_path / "wheel").mkdir()
    with tarfile.open(_build("sdist", source, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path, filter="data")
    again = _build("wheel", tmp_path / NAME_AND_VERSION, tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as two:
        assert sorted(one.namelist()) == sorted(two.namelist())


def test_the_wheel_runs_without_the_tree(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "import sluice, sluice.train, sluice.curate, sluice.evalsuite\n"
        "from sluice.cli.app import run\n"
        "code = run(['--help'])\n"
        "print(code, sluice.__version__, sluice.__file__, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "installed")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    place = tmp_path / "installed" / "sluice" / "__init__.py"
    assert last == f"0 {PROJECT['version']} {place} False"


def _imported(*folders: Path) -> dict[str, str]:
    """Distributions that the code below some folders imports, each with one file that does."""
    owners = packages_distributions()
    found: dict[str, str] = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            for top in {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"sluice"}:
                for owner in owners.get(top, []):
                    found[canonicalize_name(owner)] = file.relative_to(ROOT).as_posix()
    return found


def test_every_package_that_the_code_imports_is_declared():
    light = _imported(ROOT / "curate", ROOT / "sluice" / "core")
    curating = LIGHT | EXTRAS["hub"] | EXTRAS["labels"] | EXTRAS["semantic"]
    assert {name: file for name, file in light.items() if name not in curating} == {}
    product = _imported(*(ROOT / room for room in ROOMS), ROOT / "sluice" / "core", ROOT / "sluice" / "cli")
    assert {name: file for name, file in product.items() if name not in LIGHT | OPTIONAL} == {}
    tests = _imported(ROOT / "tests", ROOT / "benchmarks")
    assert {name: file for name, file in tests.items() if name not in LIGHT | OPTIONAL | DEV} == {}


def test_the_constraints_pin_every_declared_package_inside_its_range():
    pins: dict[str, Version] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            exact = re.fullmatch(r"([a-z0-9-]+)==([^\s;,]+)", line)
            assert exact, f"no exact pin: {line}"
            pins[canonicalize_name(exact[1])] = Version(exact[2])
    for name, requirement in (LIGHT | OPTIONAL | DEV).items():
        assert name in pins, f"{name} is not pinned"
        assert pins[name] in requirement.specifier, f"{name} {pins[name]} is outside {requirement.specifier}"
    # No build tag and no CUDA package: a CPU build at hand is taken, and torch itself asks for what it needs.
    assert pins["torch"] == Version("2.13.0")
    assert pins["torch"].local is None
    assert [name for name in pins if name.startswith(("nvidia-", "triton", "cuda"))] == []


def test_the_version_is_said_once():
    import sluice

    assert sluice.__version__ == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
