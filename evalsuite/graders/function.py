"""A grader that is any Python function of the project, run in a fresh process of its own.

The function `grade(input, target, answer)` returns a number, a truth value, or a dict with `score` (and `lenient`;
other keys become detail). It is started on the first row, sees only those three things, and is killed where a row takes
longer than its timeout. What it is made of is `sources`' business.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError, SurroundingsError
from sluice.core.rows import Messages, input_json
from sluice.core.task import GraderConfig
from sluice.evalsuite.graders.sources import grader_file, source_files
from sluice.evalsuite.graders.spec import NEEDS, Grade, GraderSpec, scored

ROW_SECONDS = 60.0
START_SECONDS = 60.0  # a grader that imports torch takes 10 to 20 s on a cold disk
_READING = "Read by the project's own function; what it makes of fences and prose is written in its file."


class GraderFailed(Exception):
    """The function raised, returned no number, died or took too long: its own words."""


def declared_spec(config: GraderConfig) -> GraderSpec:
    """Return what a `[[graders]]` entry declares, or raise InputError for what it must declare and does not."""
    where = f"sluice.toml, [[graders]] '{config.name}'"
    if config.kind is None:
        raise InputError(
            "a Python grader must declare whether its scores are 0/1 or graded",
            where=where,
            remedy='write kind = "binary" or kind = "graded"',
        )
    if config.range is None and config.kind == "graded":
        raise InputError(
            "a graded grader must declare the range of its scores: without it no interval can be computed",
            where=where,
            remedy="write range = [0, 1], or whatever its ends are",
        )
    low, high = config.range or (0.0, 1.0)
    if not (low < high and abs(low) < float("inf") and abs(high) < float("inf")):
        raise InputError(f"the range [{low}, {high}] is empty or endless", where=where, remedy="write range = [0, 1]")
    if config.kind == "binary" and (low, high) != (0.0, 1.0):
        raise InputError("a binary grader scores 0 or 1", where=where, remedy="leave range out, or use graded")
    unknown = sorted(set(config.needs) - set(NEEDS))
    if unknown:
        raise InputError(f"no grader can need '{unknown[0]}'", where=where, remedy=f"choose of {', '.join(NEEDS)}")
    # A function whose needs are not declared is taken to need the target: a missing one then refuses.
    needs = config.needs if "needs" in config.model_fields_set else ["target"]
    best = high if config.direction == "higher" else low
    right_at = best if config.right_at is None else config.right_at
    worst = low if config.direction == "higher" else high
    if not low <= right_at <= high or right_at == worst:
        raise InputError(
            f"right_at = {right_at} would call every answer right, or none",
            where=where,
            remedy=f"choose a value of the range [{low}, {high}] other than its worst end {worst}",
        )
    return GraderSpec(
        name=config.name,
        kind=config.kind,
        range=(low, high),
        right_at=right_at,
        needs=frozenset(need for need in NEEDS if need in needs),
        direction=config.direction,
        reading=_READING,
        doc=f"The function {config.function} of {config.file}.",
    )


class FunctionGrader:
    """A Python function as a grader. Not for use by several threads at once.

    Args:
        config: the `[[graders]]` entry.
        root: the project's folder; also the working folder of the process.
        timeout: seconds that one row may take.
    """

    def __init__(self, config: GraderConfig, root: Path, timeout: float = ROW_SECONDS):
        self.spec = declared_spec(config)
        self._config = config
        self._root = root.resolve()
        self._file = grader_file(config, root)
        self._known = {str(file) for file in source_files(self._file, root)}
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.Queue[bytes | None] = queue.Queue()
        self._errors: Any = None

    def grade(self, input: Any, target: Any, answer: str) -> Grade:
        """Run the function on one row. Raises GraderFailed in the function's own words."""
        reply = self._ask({"input": _plain(input), "target": _plain(target), "answer": answer})
        if "raised" in reply:
            raise GraderFailed(reply["raised"])
        return scored(self.spec, reply["score"], lenient=reply["lenient"], detail=reply["detail"])

    def check_files(self) -> None:
        """Raise InputError where the function has loaded a file that its hash does not cover (packages apart)."""
        self._refuse_unknown(self._ask({"loaded": True})["loaded"])

    def close(self) -> None:
        """End the process, if there is one; the next row starts a fresh one."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
        self._errors.close()

    def __enter__(self) -> FunctionGrader:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        if process.stdin is None:
            raise GraderFailed("the grader's process has no input")
        try:
            process.stdin.write(json.dumps(request, default=float).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            raise GraderFailed(self._last_words()) from None
        return self._reply(self._timeout)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        with tempfile.TemporaryDirectory() as empty:
            # -P and -B and a cache of bytecode that is empty: only the files that were hashed are run.
            command = [
                sys.executable,
                "-P",
                "-B",
                "-X",
                f"pycache_prefix={empty}",
                str(Path(__file__).parent / "worker.py"),
            ]
            try:
                self._process = subprocess.Popen(
                    [*command, str(self._file), self._config.function, str(self._root)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    cwd=self._root,
                )
            except OSError as problem:
                raise SurroundingsError(
                    f"the process of the grader '{self.spec.name}' cannot be started: {problem}",
                    remedy="free memory or processes, then run it again",
                ) from problem
            self._replies = queue.Queue()
            threading.Thread(target=_pump, args=(self._process.stdout, self._replies), daemon=True).start()
            try:
                ready = self._reply(START_SECONDS)
            except GraderFailed as problem:
                ready: dict[str, Any] = {"failed": str(problem)}
        if "failed" in ready:
            self.close()
            raise InputError(
                f"the grader '{self.spec.name}' cannot be loaded: {ready['failed']}",
                where=self._config.file,
                remedy=f"define {self._config.function}(input, target, answer) in it, or name the right function: "
                f"sluice.toml, [[graders]] '{self._config.name}', function",
            )
        self._refuse_unknown(ready["loaded"])
        return self._process

    def _reply(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._replies.get(timeout=seconds)
        except queue.Empty:
            if self._process is not None:
                self._process.kill()
            self.close()
            raise GraderFailed(f"it took longer than {seconds:g} s") from None
        if line is None:
            raise GraderFailed(self._last_words())
        return json.loads(line)

    def _last_words(self) -> str:
        code = self._process.wait() if self._process else None
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace").strip().splitlines()
        self.close()
        return f"its process ended with code {code}" + (f": {said[-1]}" if said else "")

    def _refuse_unknown(self, loaded: list[str]) -> None:
        unknown = [file for file in loaded if file not in self._known]
        outside = [file for file in unknown if not Path(file).is_relative_to(self._root)]
        if unknown:
            self.close()
        if outside:
            raise InputError(
                f"the grader '{self.spec.name}' loads {len(outside)} file(s) from outside the project: its hash would "
                "not notice a change",
                where=outside[0],
                remedy="copy what it needs into the project and import it there, or install it as a package",
            )
        if unknown:
            raise InputError(
                f"the grader '{self.spec.name}' loads {len(unknown)} project file(s) in a way that cannot be seen in "
                "its source, so its hash would not notice a change",
                where=unknown[0],
                remedy="import it by a plain import statement",
            )


def _pump(stream: Any, replies: queue.Queue[bytes | None]) -> None:
    with contextlib.suppress(ValueError, OSError):  # the stream was closed by `close`
        for line in stream:
            replies.put(line)
    replies.put(None)


def _plain(value: Any) -> Any:
    """Return an input as plain JSON: fields as they are, a chat as {"messages": [...], "tools": ...}."""
    return json.loads(input_json(value)) if isinstance(value, Messages) else value
