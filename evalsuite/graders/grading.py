"""Making a grader, asking it safely, checking it before a set is frozen, and summing its grades up.

`grade_answer` is the one way to a grade: it stands between any grader and a record, so that a failure is an error and
never a score, and a missing input is a refusal and never a pass. It knows nothing of models, runs or files of rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sluice.core.errors import InputError, SluiceError
from sluice.core.progress import Progress
from sluice.core.task import GraderConfig
from sluice.evalsuite.graders.function import ROW_SECONDS, FunctionGrader
from sluice.evalsuite.graders.reading import looks_like_refusal, trim
from sluice.evalsuite.graders.spec import GRADERS, Grade, Grader, GraderSpec, Setting, target_text


def make_grader(
    config: GraderConfig,
    project_root: Path | None = None,
    schema: Mapping[str, Any] | bool | None = None,
    *,
    rubric: str | None = None,
    timeout: float = ROW_SECONDS,
) -> Grader:
    """Make the grader that a `[[graders]]` entry, or the bare name of a built-in one, describes.

    Args:
        config: name and settings.
        project_root: where a Python function's file is found.
        schema: the task's JSON schema, where it has one.
        rubric: the task's rubric text, where it has one.
        timeout: seconds that a Python function may take for one row.

    Raises:
        InputError: unknown name, a built-in name taken by a file, a declaration that is missing or impossible, or an
            absent schema, rubric or list of choices that the grader needs.
    """
    if config.file is None:
        entry = GRADERS.get(config.name)
        for key in ("kind", "range", "right_at", "needs", "direction"):
            if key in config.model_fields_set:
                raise InputError(
                    f"'{key}' of the built-in grader '{config.name}' is fixed",
                    where=f"sluice.toml, [[graders]] '{config.name}'",
                    remedy=f"leave {key} out",
                )
        return entry.make(Setting(config, schema))
    if config.name in GRADERS:
        raise InputError(
            f"'{config.name}' is the name of a built-in grader",
            where=f"sluice.toml, [[graders]] '{config.name}'",
            remedy="give your grader another name",
        )
    if project_root is None:
        raise InputError(
            f"the grader '{config.name}' is a file of a project and there is no project", remedy="sluice init"
        )
    grader = FunctionGrader(config, project_root, timeout)
    given: dict[str, object] = {"schema": schema, "rubric": (rubric or "").strip(), "choices": config.choices}
    for need, value in given.items():
        if need in grader.spec.needs and not value:
            raise InputError(
                f"the grader '{config.name}' needs a {need} and there is none",
                where="sluice.toml",
                remedy=f"name the task's {need}, or take it out of the grader's needs",
            )
    return grader


def grade_answer(grader: Grader, *, input: Any, target: Any, answer: str | None, cut: bool) -> Grade:
    """Grade one answer, whatever the grader does.

    An answer that was cut is graded as it stands; it is `cut` unless it is right. A grader that raises, or returns
    NaN, an infinity or a value outside its range, makes an `error` without a score. A blank answer, and an unparsed one
    that opens with a stock phrase of refusing, is `refused`, unless it is right.

    Raises InputError where the answer is absent, or the target is and the grader needs one.
    """
    if answer is None:
        raise InputError("there is no answer to grade", remedy="record the row as an error, or answer it again")
    spec = grader.spec
    if "target" in spec.needs:
        target_text(target, spec.name)
    try:
        grade = grader.grade(input, target, answer)
    except SluiceError:
        raise
    except Exception as problem:  # noqa: BLE001 - a grader is someone else's code; whatever it raises is an error
        name = "" if type(problem).__name__ == "GraderFailed" else f"{type(problem).__name__}: "
        return _failed(f"the grader raised: {name}{problem}")
    problem = _score_problem(spec, grade.score, "score") or (
        None if grade.lenient is None else _score_problem(spec, grade.lenient, "lenient score")
    )
    if problem or grade.score is None:
        return _failed(problem or "the grader gave no score")
    low, high = spec.range
    score = min(max(grade.score, low), high)  # outside by rounding alone, or it would be an error
    changed: dict[str, object] = {"score": score}
    if grade.answer_class in ("right", "wrong"):
        changed["answer_class"] = "right" if spec.is_right(score) else "wrong"
    grade = grade.model_copy(update=changed)
    if grade.answer_class in ("right", "error"):
        return grade
    if cut:
        return grade.model_copy(update={"answer_class": "cut"})
    if not trim(answer) or (grade.answer_class == "unparsed" and looks_like_refusal(answer)):
        return grade.model_copy(update={"answer_class": "refused"})
    return grade


def _failed(message: str) -> Grade:
    return Grade(score=None, answer_class="error", message=message)


def _score_problem(spec: GraderSpec, score: float | None, what: str) -> str | None:
    if score is None:
        return f"the grader gave no {what}"
    if not math.isfinite(score):
        return f"the grader returned {score} as its {what}"
    low, high = spec.range
    if not low - spec.slack() <= score <= high + spec.slack():
        return f"the {what} {score:g} is outside the declared range [{low:g}, {high:g}]"
    if spec.kind == "binary" and score not in (low, high):
        return f"the {what} {score:g} is not 0 or 1, and the grader is declared binary"
    return None


def check_grader(
    grader: Grader,
    rows: Sequence[tuple[Any, Any]],
    *,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> None:
    """Check that a grader is steady and that it grants what the task calls right, before a set is frozen.

    Each row's own target and the target of another row are graded as answers, twice, the second time in the opposite
    order and in a fresh process.

    Args:
        grader: any grader.
        rows: (input, target) of each row; rows without a target are graded on another row's only.
        names: what the rows are called in messages; else "row 1" and so on.
        progress: called with ("checking the grader", done, total).

    Raises:
        InputError: naming the row, where a target does not earn full marks, where the grader fails on a target, or
            where the two runs differ.
    """
    spec = grader.spec
    called = list(names) if names is not None else [f"row {i + 1}" for i in range(len(rows))]
    targets = [None if target is None else _as_answer(target) for _, target in rows]
    asked = [(i, text) for i, text in enumerate(targets) if text is not None]
    asked += [(i, other) for i in range(len(rows)) if (other := _another(targets, i)) is not None]
    if not asked:  # a grader without targets is at least asked the same thing twice
        asked = [(i, "an answer") for i in range(len(rows))]
    first = _run(grader, rows, called, asked, progress, 0)
    grader.close()
    second = _run(grader, rows, called, asked[::-1], progress, len(asked))[::-1]
    own = sum(text is not None for text in targets)
    for number, ((i, answer), grade, again) in enumerate(zip(asked, first, second, strict=True)):
        if (grade.score, grade.lenient, grade.answer_class) != (again.score, again.lenient, again.answer_class):
            raise InputError(
                f"the grader '{spec.name}' is not steady: one answer scored {_shown(grade)} and then {_shown(again)}",
                where=f"{called[i]}, answer {answer[:60]!r}",
                remedy="take randomness, time and memory of earlier rows out of the grader",
            )
        if grade.answer_class == "error":
            raise InputError(
                f"the grader '{spec.name}' fails on a target: {grade.message}",
                where=f"{called[i]}, answer {answer[:60]!r}",
                remedy="mend the grader: a target is an answer like any other",
            )
        if number < own and (grade.score is None or not spec.is_full_marks(grade.score)):
            raise InputError(
                f"the grader '{spec.name}' gives this row's own target {_shown(grade)}, not full marks ({spec.best:g})"
                + (f": {grade.message}" if grade.message else ""),
                where=f"{called[i]}, target {answer[:60]!r}",
                remedy="mend the target or the grader: nobody could answer this row rightly",
            )
    if isinstance(grader, FunctionGrader):
        grader.check_files()


def _run(
    grader: Grader,
    rows: Sequence[tuple[Any, Any]],
    called: list[str],
    asked: list[tuple[int, str]],
    progress: Progress | None,
    done: int,
) -> list[Grade]:
    grades: list[Grade] = []
    for number, (i, answer) in enumerate(asked):
        try:
            grades.append(grade_answer(grader, input=rows[i][0], target=rows[i][1], answer=answer, cut=False))
        except InputError as problem:
            where = f"{called[i]}, {problem.where}" if problem.where else called[i]
            raise InputError(problem.message, where=where, remedy=problem.remedy) from None
        if progress:
            progress("checking the grader", done + number + 1, 2 * len(asked))
    return grades


def _as_answer(target: Any) -> str:
    return target_text(target, "any")


def _another(targets: list[str | None], i: int) -> str | None:
    """Return the target of the nearest later row (round the end) that differs from row i's, if any."""
    for step in range(1, len(targets)):
        other = targets[(i + step) % len(targets)]
        if other is not None and other != targets[i]:
            return other
    return None


def _shown(grade: Grade) -> str:
    return "an error" if grade.score is None else f"{grade.score:g}"
