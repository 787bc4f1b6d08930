"""Checks of a project's own: `checks/NAME.py` or `checks/NAME.sql`.

A Python file holds a function `check(row)` that returns what is wrong with a row, or None; or one subclass of `Check`.
Beside the function it may say WHAT, SEVERITY ("warn"), THRESHOLD and REMEDY; its docstring is what it looks for. A SQL
file is one SELECT over the view `rows` that returns `row` and, where wanted, `detail`; lines such as `-- severity:
fail`
and `-- what: ...` stand on top. Files whose name begins with `_` are passed over. Each file is loaded by its place
under a
private name, so that a `json.py` of the project shadows nothing; what is loaded is named by its hash in every result.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from sluice.core.errors import InputError, SluiceError
from sluice.core.rows import SHOWN, AnyRow, Messages
from sluice.curate.checks.base import CHECKS, Check, CheckContext, CheckSpec, Examples, Finding, Found, told

FOLDER = "checks"
NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
LONGEST_DETAIL = 300
_HEAD = re.compile(r"\s*--\s*(what|severity|threshold|remedy)\s*:\s*(.+?)\s*$", re.IGNORECASE)


def own_checks(root: Path) -> dict[str, Check]:
    """Return the checks in a project's folder `checks/`, by name. Raises InputError for one that cannot be used."""
    folder = root / FOLDER
    if not folder.is_dir():
        return {}
    found: dict[str, Check] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix not in (".py", ".sql") or file.name.startswith(("_", ".")) or not file.is_file():
            continue
        where = f"{FOLDER}/{file.name}"
        name = file.stem.replace("_", "-")
        if not NAME.fullmatch(file.stem):
            raise InputError(
                f"'{file.stem}' cannot be the name of a check", where=where, remedy="letters, digits and -"
            )
        if name in CHECKS or name in found:
            raise InputError(f"the check name '{name}' is taken", where=where, remedy="give the file another name")
        found[name] = _python(file, name, where) if file.suffix == ".py" else SqlCheck(file, name, where)
    return found


class OwnCheck(Check):
    """A check of the project: what it raises is an error with its place, never a pass."""

    def __init__(self, spec: CheckSpec, where: str):
        self.spec = spec
        self.where = where

    def examples(self) -> Examples:
        """Return nothing to hold it against: its file has none."""
        nothing = CheckContext([])
        return Examples(nothing, nothing)

    def broken(self, problem: BaseException, row: str | None = None) -> InputError:
        """Return the one error that stands for whatever somebody's code raised."""
        frames = [f for f in traceback.extract_tb(problem.__traceback__) if f.filename.endswith(self.where)]
        line = f":{frames[-1].lineno}" if frames else ""
        at = f", row {row[:SHOWN]}" if row else ""
        text = " ".join(str(problem).split())
        return InputError(
            f"the check '{self.spec.name}' broke{at}: {type(problem).__name__}{f': {text}' if text else ''}",
            where=f"{self.where}{line}",
            remedy=f'mend it, or leave it out: [checks] disable = ["{self.spec.name}"]',
        )


def apart(row: AnyRow) -> AnyRow:
    """Return a row that somebody's code may change: the rows that later checks see stay as they are."""
    if isinstance(row.input, Messages):  # frozen all through
        return row
    plain = all(isinstance(value, str) for value in row.input.values())
    copied = row.model_copy(update={"input": dict(row.input) if plain else deepcopy(row.input)})
    vars(copied)["row"] = row.row  # of one content, so of one name, whatever is done to it then
    return copied


def context_apart(context: CheckContext) -> CheckContext:
    """Return what a check may look at, all of it apart from what other checks are given."""

    def rows(some: Sequence[AnyRow] | None) -> list[AnyRow] | None:
        return None if some is None else [apart(row) for row in some]

    return replace(
        context,
        rows=rows(context.rows) or [],
        dev_rows=rows(context.dev_rows),
        eval_rows=rows(context.eval_rows),
        before_rows=rows(context.before_rows),
        schema=deepcopy(context.schema),
        groups=deepcopy(context.groups),
        eval_groups=deepcopy(context.eval_groups),
        metadata=deepcopy(context.metadata),
    )


class FunctionCheck(OwnCheck):
    """A function from a row to what is wrong with it."""

    def __init__(self, spec: CheckSpec, where: str, function: Callable[[Any], Any]):
        super().__init__(spec, where)
        self.function = function

    def find(self, context: CheckContext) -> Found:
        """Return the rows that the function says something of."""
        details: dict[int, str] = {}
        for i, row in enumerate(context.rows):  # somebody's function knows one row at a time
            try:
                said = self.function(apart(row))
            except SluiceError:
                raise
            except (Exception, SystemExit) as problem:  # noqa: BLE001 - someone else's code, at the edge
                raise self.broken(problem, row.row) from None
            if said is None or said is False or said == "":
                continue
            if said is not True and not isinstance(said, str):
                raise InputError(
                    f"the check '{self.spec.name}' returned {type(said).__name__} for row {row.row[:SHOWN]}",
                    where=self.where,
                    remedy="return a text that says what is wrong, or None",
                )
            details[i] = self.spec.what if said is True else said[:LONGEST_DETAIL]
        return told(context, details, len(context.rows), f"are named by {self.where}")


class ClassCheck(OwnCheck):
    """A subclass of `Check`."""

    def __init__(self, spec: CheckSpec, where: str, inner: Check):
        super().__init__(spec, where)
        self.inner = inner

    def examples(self) -> Examples:
        """Return its own examples."""
        return self.inner.examples()

    def find(self, context: CheckContext) -> Found:
        """Return what it finds, held against the rows."""
        try:
            found = self.inner.find(context_apart(context))
        except SluiceError:
            raise
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - someone else's code, at the edge
            raise self.broken(problem) from None
        if not isinstance(found, Found):
            raise InputError(f"`find` returned {type(found).__name__}", where=self.where, remedy="return Found(...)")
        known = {row.row for row in context.rows}
        if any(f.row is not None and f.row not in known for f in found.findings):
            raise InputError("it names a row that is not here", where=self.where, remedy="name rows of context.rows")
        return found


class SqlCheck(OwnCheck):
    """A SELECT over the view `rows`, answered where nothing else can be reached."""

    def __init__(self, file: Path, name: str, where: str):
        from sluice.curate.sql.parse import parse_select

        text, digest = _read(file, where)
        head: dict[str, str] = {}
        for line in text.splitlines():
            said = _HEAD.match(line)
            if said is None and line.strip() and not line.strip().startswith("--"):
                break
            if said is not None:
                head[said[1].lower()] = said[2]
        super().__init__(_spec(name, where, digest, head.get("what") or f"rows that {where} returns", head), where)
        self.text = text
        parse_select(text, where)

    def find(self, context: CheckContext) -> Found:
        """Return the rows that it selects."""
        from sluice.curate.sql.ask import select
        from sluice.curate.sql.names import Names

        findings: dict[str, Finding] = {}
        for row, detail in select(self.text, Names(context), self.where):
            findings.setdefault(row, Finding(row=row, detail=(detail or self.spec.what)[:LONGEST_DETAIL]))
        place = {row.row: i for i, row in enumerate(context.rows)}
        details = {place[row]: finding.detail for row, finding in findings.items()}
        return told(context, details, len(context.rows), f"are named by {self.where}")


def _python(file: Path, name: str, where: str) -> Check:
    _, digest = _read(file, where)
    module = load_own(file, name, where, "check")
    function = getattr(module, "check", None)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Check) and value.__module__ == module.__name__
    ]
    if callable(function) and not isinstance(function, type) and not classes:
        said = {key: getattr(module, key.upper(), None) for key in ("what", "severity", "threshold", "remedy")}
        head = {key: str(value) for key, value in said.items() if value is not None}
        doc = (function.__doc__ or module.__doc__ or f"rows that {where} names").strip().splitlines()[0].rstrip(".")
        return FunctionCheck(_spec(name, where, digest, head.get("what", doc), head), where, function)
    if len(classes) == 1 and not callable(function):
        try:
            inner = classes[0]()
            spec = inner.spec.model_copy(update={"name": name, "source": where, "source_sha256": digest})
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - someone else's code, at the edge
            raise InputError(f"its class cannot be made: {problem}", where=where, remedy="give it a `spec`") from None
        return ClassCheck(spec, where, inner)
    raise InputError(
        "there is no function `check(row)` in it" if not classes else "it holds more than one check",
        where=where,
        remedy="def check(row): return 'what is wrong' or None; a file that is no check begins with _",
    )


def _spec(name: str, where: str, digest: str, what: str, head: dict[str, str]) -> CheckSpec:
    try:
        return CheckSpec.model_validate(
            {
                "name": name,
                "severity": head.get("severity", "warn"),
                "what": what,
                "threshold": head.get("threshold") or f"as {where} says",
                "source": where,
                "source_sha256": digest,
                "remedy": head.get("remedy") or f"sluice filter {{dataset}} --failing {name}",
            }
        )
    except ValidationError:
        raise InputError(
            f"'{head.get('severity')}' is no severity", where=where, remedy="severity is warn or fail"
        ) from None


def _read(file: Path, where: str) -> tuple[str, str]:
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig"), hashlib.sha256(raw).hexdigest()
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", where=where, remedy="save it as UTF-8") from None


def load_own(file: Path, name: str, where: str, noun: str) -> ModuleType:
    """Return a Python file of the project as a module under a private name; InputError where it cannot be loaded."""
    place = hashlib.sha256(str(file).encode()).hexdigest()[:12]
    private = f"_sluice_{noun}_{place}_{name}".replace("-", "_").replace(" ", "_")
    spec = importlib.util.spec_from_file_location(private, file)
    if spec is None or spec.loader is None:
        raise InputError("it cannot be loaded as Python", where=where, remedy="look at the file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        spec.loader.exec_module(module)
    except SyntaxError as problem:
        raise InputError(
            f"not valid Python: {problem.msg}", where=f"{where}:{problem.lineno}", remedy="mend it"
        ) from None
    except SluiceError:
        raise
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - someone else's code, at the edge
        frames = [f for f in traceback.extract_tb(problem.__traceback__) if f.filename == str(file)]
        line = f":{frames[-1].lineno}" if frames else ""
        message = f"it cannot be loaded: {type(problem).__name__}: {problem}"
        raise InputError(
            message, where=f"{where}{line}", remedy=f"mend it; a file that is no {noun} begins with _"
        ) from None
    finally:
        sys.dont_write_bytecode = before
    return module
