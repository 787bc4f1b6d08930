"""Sums of grades: denominators keep every row."""

from __future__ import annotations

import pytest

from sluice.core.errors import InputError
from sluice.core.task import GraderConfig
from sluice.evalsuite.graders import ANSWER_CLASSES, Grade, aggregate, grade_answer, make_grader

F1 = make_grader(GraderConfig(name="fields_f1"))


def graded(target: str, answer: str, cut: bool = False) -> Grade:
    return grade_answer(F1, input="i", target=target, answer=answer, cut=cut)


def test_a_run():
    error = Grade(score=None, answer_class="error", message="boom")
    rows = [
        graded('{"a": 1, "b": 2}', '{"a": 1, "b": 2}'),
        graded('{"a": 1, "b": 2}', '{"a": 1, "b": 3}'),
        graded('{"a": 1, "b": null}', 'Sure: {"a": 1}'),
        graded('{"a": 1}', '{"a": ', cut=True),
        error,
    ]
    total = aggregate(rows, F1.spec)
    assert total.n == 5
    assert total.mean == pytest.approx(1.5 / 5)
    assert total.mean_errors_right == pytest.approx(2.5 / 5)
    assert total.lenient_mean == pytest.approx(2.5 / 5)
    assert total.classes == {"right": 1, "wrong": 1, "unparsed": 1, "cut": 1, "refused": 0, "error": 1}
    assert tuple(total.classes) == ANSWER_CLASSES
    assert sum(total.classes.values()) == total.n
    assert total.disagreements == (2,)
    assert total.valid == 2
    assert total.per_field is not None
    a, b = total.per_field["a"], total.per_field["b"]
    assert (a.right, a.extra, a.missed) == (2, 0, 2)
    assert (a.precision, a.recall, a.f1) == (1.0, 0.5, pytest.approx(2 / 3))
    assert (b.right, b.extra, b.missed) == (1, 1, 1)


def test_a_field_without_any_value_has_no_figure():
    total = aggregate([graded('{"a": null}', '{"a": null}')], F1.spec)
    assert total.mean == 1.0
    assert total.per_field is not None
    assert (total.per_field["a"].precision, total.per_field["a"].f1) == (None, None)


def test_a_score_of_zero_is_a_value():
    zero = Grade(score=0.0, answer_class="wrong", lenient=0.0)
    assert aggregate([zero, zero], F1.spec).mean == 0.0
    assert aggregate([zero], F1.spec).lenient_mean == 0.0


def test_zero_rows_are_a_failure():
    with pytest.raises(InputError, match="no row"):
        aggregate([], F1.spec)


def test_where_lower_is_better_an_error_counts_as_the_highest():
    spec = F1.spec.model_copy(update={"direction": "lower", "range": (0.0, 10.0), "right_at": 0.0})
    error = Grade(score=None, answer_class="error")
    assert aggregate([error], spec).mean == 10.0
    assert aggregate([error], spec).mean_errors_right == 0.0
