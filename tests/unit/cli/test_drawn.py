"""What newcomers read: how the power table is read, answers to grade, advice of the gate, the plan's figures."""

from __future__ import annotations

from support import whole_project

from sluice.cli.terminal import Terminal
from sluice.cli.verbs.freeze import reading
from sluice.cli.verbs.grade import show_all
from sluice.cli.verbs.plan import draw
from sluice.core.rows import Example
from sluice.curate.splits.parts import split_dataset
from sluice.evalsuite.freeze import freeze
from sluice.evalsuite.gradable import Item
from sluice.train.plan import Plan


def test_answers_to_grade_are_drawn_field_by_field(capsys):
    row = Example(input={"message": "Where is it?", "lines": {"a": 1}}, target="x")
    item = Item(id="1", row=row, answer="delivery", source="own-target", expected="right")
    listed = show_all(Terminal(), [item])
    drawn = capsys.readouterr().out
    assert "message: Where is it?\n" in drawn
    assert "answer: delivery\n" in drawn
    assert "{'" not in drawn
    assert "own-target" not in drawn + str(listed), "blind"
    assert listed["items"][0]["number"] == 1


def test_the_power_table_is_explained_by_one_of_its_lines(tmp_path):
    project = whole_project.start(tmp_path)
    split_dataset(project, "tickets", eval=60, dev=20)
    result = freeze(project)
    said = reading(result)
    assert said is not None
    power = next(p for p in result.power if p.openings == result.question.openings)
    line = next(x for x in power.lines if x.spread == 0.2)
    assert f"{line.gain:.3f}" in said
    assert "20%" in said
    assert "1 adapter " in said
    none = tuple(p.model_copy(update={"lines": ()}) for p in result.power)
    assert reading(result.model_copy(update={"power": none})) is None


def test_the_figures_of_a_small_plan_are_no_zeros(capsys):
    plan = Plan(
        rows=1,
        overlong=0,
        problems={"over-long": 1},
        tokens=9,
        trained_tokens=1,
        longest=9,
        max_tokens=64,
        limit_of="[task] max_tokens",
        steps=1,
        epochs=1,
        batch=16,
        device="cpu",
        form="float32",
        parameters=1,
        memory_gb=0.01,
        rows_per_second=100.0,
        seconds=0.01,
        samples=(),
    )
    draw(Terminal(), plan)
    drawn = capsys.readouterr().out
    assert "1 row," in drawn
    assert "1 step of 16 rows" in drawn
    assert "1 row cannot" in drawn
    assert not any(nothing in drawn for nothing in ("0.0 GB", "about 0", "1 rows", "1 steps"))
