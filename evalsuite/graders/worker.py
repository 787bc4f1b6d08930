"""The process in which a Python grader runs: JSON lines in, JSON lines out.

Run as `python -P -B worker.py FILE FUNCTION ROOT`. Standard library only, and nothing of sluice is imported, so that
the function sees input, target and answer and never whose answer it is. What the function prints goes to stderr.

    -> {"ready": true, "loaded": [...]}                        or {"failed": "..."}
    <- {"input": ..., "target": ..., "answer": "..."}          -> {"score": ..., "lenient": ..., "detail": {...}}
                                                               or {"raised": "ValueError: ..."}
    <- {"loaded": true}                                        -> {"loaded": [files that decide scores]}
"""

from __future__ import annotations

import importlib.util
import json
import os
import site
import sys
import sysconfig
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO


class NoSuchFunction(Exception):
    """The file lacks the function that it is to be graded by."""


def load(file: str, function: str) -> Callable[..., Any]:
    """Load the function from its file under a private module name."""
    spec = importlib.util.spec_from_file_location("_sluice_user_grader", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found = getattr(module, function, None)
    if not callable(found):
        own = [n for n, v in vars(module).items() if getattr(v, "__module__", None) == spec.name and callable(v)]
        has = f"it has {', '.join(own)}" if own else "it has none"
        raise NoSuchFunction(f"there is no function '{function}' in {os.path.basename(file)}: {has}")
    return found


def module_files() -> set[str]:
    """Return the files of all modules that are loaded, as real paths."""
    others = [module for name, module in list(sys.modules.items()) if name != "__main__"]
    return {os.path.realpath(name) for m in others if isinstance(name := getattr(m, "__file__", None), str)}


def loaded_files(root: str, before: set[str]) -> list[str]:
    """Return the files of loaded modules that decide scores: all but Python's own, installed packages and sluice.

    Args:
        before: files that were loaded before the grader was.
    """
    top, prefix = _folder(root), _folder(sys.prefix)
    installed = [prefix] if prefix.startswith(top) else []
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    paths = sysconfig.get_paths()
    apart = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")] + site.getsitepackages()
    apart = [_folder(path) for path in [*apart, *([site.getusersitepackages()] if site.ENABLE_USER_SITE else []), own]]
    here = {f for f in module_files() if f.startswith(top)}
    elsewhere = {f for f in module_files() - here - before if not f.startswith(tuple(apart))}
    return sorted(elsewhere | {f for f in here if not f.startswith(tuple(installed))})


def _folder(path: str) -> str:
    return os.path.join(os.path.realpath(path), "")


def answer_to(grade: Callable[..., Any], request: dict[str, Any]) -> dict[str, Any]:
    """Run the function on one request and return the reply."""
    try:
        value = grade(request["input"], request["target"], request["answer"])
    except KeyboardInterrupt:
        raise
    except BaseException as problem:  # noqa: BLE001 - someone else's code, at the edge of a process; so is SystemExit
        return {"raised": _told(problem)}
    detail: dict[str, Any] = {}
    lenient = None
    if isinstance(value, dict):
        if "score" not in value:
            return {"raised": "it returned a dict without 'score'"}
        detail = {str(k): v for k, v in value.items() if k not in ("score", "lenient")}
        lenient, value = value.get("lenient"), value["score"]
    try:
        score, lenient = _number(value), None if lenient is None else _number(lenient)
    except (TypeError, ValueError, OverflowError) as problem:
        return {"raised": str(problem)}
    return {"score": score, "lenient": lenient, "detail": json.loads(json.dumps(detail, default=str))}


def _number(value: Any) -> float:
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return float(value)
    raise TypeError(f"it returned {type(value).__name__}, not a number, a truth value or a dict with 'score'")


def _told(problem: BaseException) -> str:
    if isinstance(problem, NoSuchFunction):
        return str(problem)
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" (line {frames[-1].lineno} of {os.path.basename(frames[-1].filename)})" if len(frames) > 1 else ""
    return f"{type(problem).__name__}: {problem}{place}"


def serve(requests: BinaryIO, out: TextIO, file: str, function: str, root: str) -> None:
    """Answer requests until there are no more."""

    def reply(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    before = module_files()
    sys.path[:0] = list(dict.fromkeys([os.path.dirname(file), os.path.realpath(root)]))
    try:
        grade = load(file, function)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:  # noqa: BLE001 - as above
        reply({"failed": _told(problem)})
        return
    reply({"ready": True, "loaded": loaded_files(root, before)})
    for line in requests:
        request = json.loads(line)
        reply({"loaded": loaded_files(root, before)} if request.get("loaded") else answer_to(grade, request))


def main() -> None:
    """Keep both channels for ourselves, send the function's own printing to stderr, and serve."""
    requests = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    serve(requests, channel, os.path.realpath(sys.argv[1]), sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
