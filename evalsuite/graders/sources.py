"""Which files a Python grader is made of, and the hash that names a grader.

The files are the grader's own and the project files it imports, found in its syntax tree and followed from file to
file. An import that is only computed at run time is not seen here; the worker reports what was really loaded, and
`FunctionGrader` refuses what this module did not foresee, in the project or outside. Files that the function merely
opens (a word list) are not seen at all: what decides scores belongs in a .py file. Nothing is executed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sluice.core.canonical import canonical, sha256_hex
from sluice.core.errors import InputError
from sluice.core.task import GraderConfig
from sluice.evalsuite.graders.spec import GRADERS


def grader_file(config: GraderConfig, root: Path | None) -> Path:
    """Return the resolved path of a Python grader, or raise InputError where there is none inside the project."""
    if config.file is None or root is None:
        raise InputError(
            f"the grader '{config.name}' has no file that could be found",
            where="sluice.toml, [[graders]]",
            remedy=f'use a built-in one ({", ".join(GRADERS.names())}), or give file = "graders/{config.name}.py"',
        )
    found = root / config.file
    if not found.is_file():
        raise InputError(
            f"the grader '{config.name}' names a file that does not exist",
            where=str(found),
            remedy="write the file, or mend the path in sluice.toml",
        )
    if not found.resolve().is_relative_to(root.resolve()):
        raise InputError(
            f"the grader '{config.name}' names a file outside the project",
            where=str(found),
            remedy="copy it into the project: a colleague with a clone could not check the scores",
        )
    return found.resolve()


def source_files(main: Path, root: Path) -> list[Path]:
    """Return the resolved paths of all project files that a Python grader is made of, sorted.

    Imports are looked up as the worker does: beside the grader, then in the project's root. Raises InputError where a
    file is no Python.
    """
    top = root.resolve()
    roots = search_path(main, top)
    found: set[Path] = set()
    waiting = [main]
    while waiting:
        file = waiting.pop()
        if file in found or not file.is_relative_to(top):
            continue
        found.add(file)
        waiting += [hit for name in _imports(file, roots) for hit in _resolve(name, roots)]
    return sorted(found)


def search_path(main: Path, root: Path) -> list[Path]:
    """Return the folders in which a grader's imports are looked up, in order."""
    return list(dict.fromkeys([main.parent, root.resolve()]))


def _imports(file: Path, roots: list[Path]) -> Iterator[str]:
    """Yield the dotted names that a file may import; `from a import b` yields a and a.b, which may be a module."""
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except (SyntaxError, ValueError) as problem:
        line = f":{problem.lineno}" if isinstance(problem, SyntaxError) and problem.lineno else ""
        raise InputError(f"this is no Python: {problem}", where=f"{file}{line}", remedy="mend the file") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, file, roots)
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _absolute(node: ast.ImportFrom, file: Path, roots: list[Path]) -> str:
    if node.level == 0:
        return node.module or ""
    folder = file.parent
    for _ in range(node.level - 1):
        folder = folder.parent
    inside = next((folder.relative_to(root) for root in roots if folder.is_relative_to(root)), Path())
    return ".".join([*inside.parts, *([node.module] if node.module else [])])


def _resolve(name: str, roots: list[Path]) -> Iterator[Path]:
    """Yield the files that importing a dotted name would run: each package on the way, then the module."""
    for root in roots:
        folder, hits = root, []
        for part in name.split("."):
            package, module = folder / part / "__init__.py", folder / f"{part}.py"
            if package.is_file():
                hits.append(package.resolve())
            elif module.is_file():
                hits.append(module.resolve())
                break
            elif not (folder / part).is_dir():
                break
            folder = folder / part
        if hits:
            yield from hits
            return


def grader_hash(config: GraderConfig, root: Path | None, schema: Mapping[str, Any] | bool | None = None) -> str:
    """Return the 64 hex digits that name a grader: the same answers get the same scores while it stays the same.

    For a built-in one: name, version of its code, choices, and the schema where it takes one into account. For a
    Python function: the whole declaration, and path and bytes of each file it is made of. The versions of Python and
    of installed packages are not in it.
    """
    declared = config.model_dump(mode="json")
    if config.file is None or root is None:
        entry = GRADERS.get(config.name)
        taken = {"name": config.name, "version": entry.version, "choices": declared["choices"]}
        if "schema" in entry.uses:
            taken["schema"] = schema
        return sha256_hex("sluice/grader/1", canonical(taken))
    main, top = grader_file(config, root), root.resolve()
    files = [
        [file.relative_to(top).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()]
        for file in source_files(main, root)
    ]
    return sha256_hex("sluice/grader/1", canonical({"declared": declared, "files": files}))
