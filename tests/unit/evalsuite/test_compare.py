"""Two scored runs side by side: at which alpha they are judged, and how the rates beside them are drawn."""

from __future__ import annotations

import pytest

from sluice.cli import drawing
from sluice.cli.terminal import Terminal
from sluice.core.rows import Example
from sluice.core.runs import StoredAnswer
from sluice.core.task import GraderConfig
from sluice.evalsuite.baselines.measure import Baselines, constant_scores
from sluice.evalsuite.compare import compare_scores
from sluice.evalsuite.graders import make_grader
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import Scores, score_answers

GRADER = make_grader(GraderConfig(name="exact"))
ROWS = [Example(input={"input": f"row {i}"}, target="yes" if i % 3 else "no") for i in range(40)]


def scores(right: int) -> Scores:
    """Return the scores of a run that got the first rows right."""
    answers = {
        (r.row, 0): StoredAnswer(row=r.row, input=r.input_hash, text=(r.target or "") if i < right else "?", stop="end")
        for i, r in enumerate(ROWS)
    }
    return score_answers(GRADER, ROWS, answers)


def question(alpha: str) -> Question:
    known = {"metric": "exact", "grader": "0" * 64, "kind": "binary", "direction": "higher", "claim": "better"}
    numbers = {"low": "0.000000", "high": "1.000000", "right_at": "1.000000", "margin": None, "target": None}
    return Question.model_validate(known | numbers | {"against": "baseline", "alpha": alpha, "openings": 1})


@pytest.mark.parametrize(("final", "level"), [(False, 0.95), (True, 0.6)])
def test_dev_is_judged_at_our_alpha_and_only_the_eval_set_at_that_of_the_task(final, level):
    found = compare_scores(question("0.400000"), ("a", scores(4)), ("b", scores(7)), on="x", final=final)
    assert found.verdict.level == pytest.approx(level)


def test_the_constant_answer_is_drawn_with_its_interval(capsys):
    constant = constant_scores(GRADER, ROWS, ROWS)
    assert constant is not None
    whole = f"{constant.rate.estimate:.2f} [{constant.rate.low:.2f}, {constant.rate.high:.2f}]"
    assert constant.rate.n == len(ROWS)
    found = compare_scores(
        question("0.050000"), ("a", scores(4)), ("b", scores(7)), on="x", final=True, constant=constant
    )
    drawing.comparison(Terminal(), found)
    assert f"constant answer {whole}" in capsys.readouterr().out
    measured = Baselines(
        base="m",
        form="fp32",
        dev=(),
        eval=(),
        best="few-shot",
        max_new_tokens=96,
        does_not_stop=False,
        constant=constant.rate,
    )
    drawing.baselines(Terminal(), measured, "exact")
    assert f"{whole} on dev" in capsys.readouterr().out
