"""What `baseline` and its dry run find out about prompts before anything is asked."""

from __future__ import annotations

import pytest
from support import whole_project

from sluice.core.errors import InputError, Refused
from sluice.core.ledger import Ledger
from sluice.core.prompt import Block, Prompt
from sluice.curate.splits.parts import split_dataset
from sluice.evalsuite.baselines.bench import Bench, require_asked
from sluice.evalsuite.baselines.measure import check_prompts
from sluice.evalsuite.forms import check_precision
from sluice.evalsuite.freeze import freeze
from sluice.evalsuite.models.identity import identify


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Bench:
    files = whole_project.base_model(tmp_path / "base")
    project = whole_project.start(tmp_path / "p", str(files.folder))
    split_dataset(project, "tickets", eval=30, dev=20)
    with pytest.raises(Refused, match="no eval set"):
        require_asked(project)
    freeze(project)
    frozen, question, grader = require_asked(project, Ledger(project).read())
    from sluice.curate.dataset import open_dataset

    return Bench(
        project=project,
        frozen=frozen,
        question=question,
        grader=grader,
        dev=open_dataset(project, "tickets/dev").examples(),
        train=[],
        files=files,
        form=whole_project.FORM,
        tokenizer=None,
        identity=identify(files),
        context=1024,
    )


def under(bench: Bench, monkeypatch, text: str) -> list[Prompt]:
    prompt = Prompt(name="mine", blocks=(Block(role="user", text=text),))
    monkeypatch.setattr(Bench, "prompts", lambda _: [prompt])
    return check_prompts(bench)


def test_a_prompt_must_fit_the_rows_of_dev_and_eval_set(bench, monkeypatch):
    assert [p.name for p in under(bench, monkeypatch, "{{ input }}")] == ["mine"]
    with pytest.raises(InputError, match="inptu"):
        under(bench, monkeypatch, "{{ inptu }}")


def test_a_prompt_that_holds_an_eval_row_is_refused(bench, monkeypatch):
    inside = bench.frozen.rows[0].input["input"]
    with pytest.raises(Refused):
        under(bench, monkeypatch, f"{inside} {{{{ input }}}}")


@pytest.mark.parametrize(
    "name,form",
    [
        ("bf16", ("bfloat16", None)),
        ("NF4", (None, "nf4")),
        ("fp32/nf4", ("float32", "nf4")),
        ("fp16", ("float16", None)),
    ],
)
def test_the_names_of_precisions(name, form):
    assert check_precision(name) == form


@pytest.mark.parametrize("name", ["fp13", "", "bf16/int8", "nf4/bf16", "nf4/nf4"])
def test_a_name_that_is_no_precision_is_told_by_its_place(name):
    with pytest.raises(InputError) as caught:
        check_precision(name, where="--precision")
    assert caught.value.where == "--precision"
    assert "bf16" in str(caught.value.remedy)
