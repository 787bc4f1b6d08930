from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError, Tampered
from sluice.core.files import append_line
from sluice.core.project import Project
from sluice.core.runs import Decoding, Run, RunSpec, StoredAnswer, all_runs, answers_hash, find_run, rows_hash

SPEC = RunSpec(
    role="baseline",
    label="few-shot",
    base="m",
    base_sha256="b" * 64,
    adapter=None,
    prompt={"name": "few-shot", "blocks": []},
    prompt_sha256="p" * 64,
    form="bf16",
    decoding=Decoding(max_new_tokens=96),
    on="dev",
    rows_sha256="r" * 64,
    rendered_sha256="d" * 64,
)


def answer(row: str, text: str = "x", **more: Any) -> StoredAnswer:
    return StoredAnswer.model_validate({"row": row, "input": f"in-{row}", "text": text, "stop": "end"} | more)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def run(project: Project) -> Run:
    return Run.start(project, SPEC)


def test_a_run_goes_on_where_it_was(run: Run, project: Project) -> None:
    run.append(answer("a", "one\ntwo \u2028 é", seconds=0.25, prompt_tokens=7, new_tokens=3))
    again = find_run(project, SPEC)
    assert again is not None
    assert again.id == run.id
    assert again.closed is None
    assert again.answers() == {("a", 0): answer("a", "one\ntwo \u2028 é", seconds=0.25, prompt_tokens=7, new_tokens=3)}
    again.append(answer("b"))
    digest = again.close()
    assert run.closed == digest == answers_hash(again.answers().values())
    run.check()


def test_the_first_answer_of_a_row_and_repeat_counts(run: Run) -> None:
    run.append(answer("a", "first"))
    run.append(answer("a", "second"))
    run.append(answer("a", "other draw", repeat=1))
    assert {k: a.text for k, a in run.answers().items()} == {("a", 0): "first", ("a", 1): "other draw"}


def test_a_half_line_is_answered_again(run: Run) -> None:
    run.append(answer("a"))
    file = run.folder / "answers.jsonl"
    whole = file.read_bytes()
    run.append(answer("b"))
    file.write_bytes(file.read_bytes()[: len(whole) + 20])
    assert set(run.answers()) == {("a", 0)}
    run.append(answer("b", "again"))
    assert run.answers()[("b", 0)].text == "again"


def test_a_closed_run_takes_no_answer(run: Run) -> None:
    run.append(answer("a"))
    run.close()
    with pytest.raises(InputError, match="closed"):
        run.append(answer("b"))
    run.check()


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s.replace('"text":"right"', '"text":"wrong"'),
        lambda s: s.replace('"stop":"end"', '"stop":"length"', 1),
        lambda s: s.replace('"row":"a"', '"row":"c"'),
        lambda s: "\n".join(s.splitlines()[1:]) + "\n",
        lambda s: s + s.splitlines()[0].replace('"row":"a"', '"row":"z"') + "\n",
        lambda s: s.replace("{", "", 1),
        lambda s: s.replace("é", "e\u0301"),
        lambda s: "",
    ],
)
def test_edited_answers_are_found(run: Run, edit: Any) -> None:
    run.append(answer("a", "right"))
    run.append(answer("b", "é"))
    run.close()
    run.check()
    file = run.folder / "answers.jsonl"
    before = file.read_text(encoding="utf-8")
    after = edit(before)
    assert after != before
    file.write_text(after, encoding="utf-8")
    with pytest.raises(Tampered, match="answers"):
        run.check()


def test_an_edited_question_is_found(run: Run) -> None:
    run.append(answer("a"))
    run.close()
    file = run.folder / "run.json"
    file.write_text(file.read_text().replace('"form":"bf16"', '"form":"fp32"'))
    with pytest.raises(Tampered, match="question"):
        run.check()


@pytest.mark.parametrize("seal", ["", "{}", "[]", "null", '"x"', "{"])
def test_a_broken_seal_is_tampered(run: Run, seal: str) -> None:
    run.append(answer("a"))
    run.close()
    (run.folder / "closed.json").write_text(seal)
    with pytest.raises(Tampered, match=r"closed\.json"):
        run.check()


def test_an_answer_of_another_shape_is_tampered(run: Run) -> None:
    append_line(run.folder / "answers.jsonl", '{"row":"a","score":1}')
    with pytest.raises(Tampered, match="answer"):
        run.answers()


answers = st.lists(
    st.builds(answer, st.text(max_size=3), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)), max_size=5
)


@given(answers, st.randoms())
def test_the_hash_knows_no_order_and_no_clock(found: list[StoredAnswer], chance: Any) -> None:
    moved = [a.model_copy(update={"seconds": 9.5, "new_tokens": 4}) for a in found]
    chance.shuffle(moved)
    assert answers_hash(moved) == answers_hash(found)


def test_the_hash_knows_everything_that_was_said() -> None:
    base = answer("a", "é")
    changes = [{"row": "b"}, {"input": "z"}, {"repeat": 1}, {"text": "e\u0301"}, {"stop": "length"}, {"error": "x"}]
    hashes = {answers_hash([base.model_copy(update=c)]) for c in [{}, *changes]}
    assert len(hashes) == len(changes) + 1
    assert len({answers_hash([]), answers_hash([base]), answers_hash([base, base])}) == 3


def test_rows_are_named_in_any_order() -> None:
    assert rows_hash(["b", "a"]) == rows_hash(iter(["a", "b"])) != rows_hash(["a"])


def test_a_question_is_everything_but_the_label(project: Project) -> None:
    assert SPEC.model_copy(update={"label": "other"}).sha256 == SPEC.sha256
    changes: list[dict[str, Any]] = [
        {"role": "eval"},
        {"base": "n"},
        {"base_sha256": "c" * 64},
        {"adapter": "a" * 64},
        {"prompt_sha256": "q" * 64},
        {"form": "fp32"},
        {"decoding": Decoding(max_new_tokens=97)},
        {"decoding": Decoding(max_new_tokens=96, temperature="0.7")},
        {"on": "train"},
        {"rows_sha256": "s" * 64},
        {"rendered_sha256": "e" * 64},
    ]
    assert len({SPEC.model_copy(update=c).sha256 for c in [{}, *changes]}) == len(changes) + 1
    Run.start(project, SPEC)
    assert all(find_run(project, SPEC.model_copy(update=c)) is None for c in changes)
    assert find_run(project, SPEC.model_copy(update={"label": "other"})) is not None


def test_a_closed_run_is_found_before_an_open_one(project: Project) -> None:
    assert find_run(project, SPEC) is None
    runs = [Run.start(project, SPEC) for _ in range(4)]
    assert len({r.id for r in runs}) == 4
    assert all(r.id.startswith("dev-few-shot-") for r in runs)
    runs[2].close()
    found = find_run(project, SPEC)
    assert found is not None
    assert found.id == runs[2].id
    assert [r.id for r in all_runs(project)] == sorted(r.id for r in runs)


def test_a_broken_run_does_not_hide_the_others(project: Project) -> None:
    broken, whole = Run.start(project, SPEC), Run.start(project, SPEC)
    (broken.folder / "run.json").write_text("{")
    found = find_run(project, SPEC)
    assert found is not None
    assert found.id == whole.id
    with pytest.raises(Tampered, match=r"run\.json"):
        _ = broken.spec


def test_a_run_that_is_not_there_is_named(project: Project) -> None:
    with pytest.raises(InputError, match="no such run"):
        _ = Run(project.runs / "nothing").spec
    assert all_runs(project) == []


def test_what_is_on_disk_is_plain_json(run: Run) -> None:
    run.append(answer("a"))
    run.close()
    assert json.loads((run.folder / "run.json").read_text())["label"] == "few-shot"
    assert json.loads((run.folder / "answers.jsonl").read_text())["stop"] == "end"
    assert set(json.loads((run.folder / "closed.json").read_text())) == {"answers", "counts", "spec"}


def test_cut_answers_say_so() -> None:
    assert [answer("a", stop=s).cut for s in ("end", "length", "context", "error")] == [False, True, True, False]
