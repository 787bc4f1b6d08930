"""Graders: from (input, target, answer) to a score, with a stated way of reading answers.

`spec` holds the records and the registry, `reading` the one reading policy, `text`, `schema` and `fields` the built-in
graders, `function`, `worker` and `sources` those written by users, `grading` and `aggregate` what callers use. A user's
detail keys are free, `fields` and `valid` excepted, which `fields_f1` fills.
"""

from __future__ import annotations

from sluice.core.task import GraderConfig
from sluice.evalsuite.graders import fields, schema, text  # noqa: F401 - they register the built-in graders
from sluice.evalsuite.graders.aggregate import Aggregate, FieldFigures, aggregate
from sluice.evalsuite.graders.function import FunctionGrader, GraderFailed
from sluice.evalsuite.graders.grading import check_grader, grade_answer, make_grader
from sluice.evalsuite.graders.sources import grader_hash
from sluice.evalsuite.graders.spec import (
    ANSWER_CLASSES,
    GRADERS,
    AnswerClass,
    Grade,
    Grader,
    GraderEntry,
    GraderSpec,
)

__all__ = [
    "ANSWER_CLASSES",
    "GRADERS",
    "Aggregate",
    "AnswerClass",
    "FieldFigures",
    "FunctionGrader",
    "Grade",
    "Grader",
    "GraderConfig",
    "GraderEntry",
    "GraderFailed",
    "GraderSpec",
    "aggregate",
    "check_grader",
    "grade_answer",
    "grader_hash",
    "make_grader",
]
