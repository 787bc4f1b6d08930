"""Attacks on the count of openings, on references and on what is measured before anything is opened.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import json
import shutil

import pytest

from sluice.core.errors import Refused
from sluice.core.runs import Run, StoredAnswer, all_runs
from sluice.evalsuite.asking import Form, spec_for
from sluice.evalsuite.baselines.bench import bench, reached_limit

pytestmark = [pytest.mark.model]
FORM = Form("float32", None, "cpu", 1)


def spec_of(road, name: str):
    """Return the spec under which an adapter would answer the eval set, as any script can work it out."""
    from sluice.train.adapters import open_adapter

    b = bench(road.project, road.model, FORM)
    adapter = open_adapter(road.project, name)
    return b, spec_for(
        b.files,
        b.form,
        adapter.prompt,
        list(b.frozen.rows),
        role="eval",
        on=b.frozen.name,
        max_new_tokens=reached_limit(b, road.facts()),
        adapter=adapter.sha256,
    )


def openings(road) -> int:
    return len([f for f in road.facts().of("opened") if f.body.get("adapter")])


def answers_file(road, name: str, answer) -> str:
    lines = [json.dumps({"row": r["row"], "answer": answer(r)}) for r in road.eval_rows()]
    (road.root / name).write_text("\n".join(lines) + "\n")
    return name


# answers and facts that were planted


def test_answers_planted_before_the_opening_are_found(trained):
    b, spec = spec_of(trained, "sft-1")
    run = Run.start(trained.project, spec)
    for row in b.frozen.rows:
        run.append(StoredAnswer(row=row.row, input=row.input_hash, text=row.target, stop="end"))
    ended = trained("compare", "sft-1", "--final", "--yes", code=3)
    assert "before the set was opened" in ended.error["message"]
    assert openings(trained) == 0
    shutil.rmtree(run.folder)
    trained("compare", "sft-1", "--final", "--yes", code=None)
    assert openings(trained) == 1, "the honest opening is not spent"


def test_a_run_that_was_cut_is_gone_on_with(judged):
    """Answers after an opening are what the opening was for."""
    run = judged.run_of("tickets", adapter=True)
    lines = (run.folder / "answers.jsonl").read_text().splitlines()
    (run.folder / "answers.jsonl").write_text("\n".join(lines[:5]) + "\n")
    (run.folder / "closed.json").unlink()
    assert judged("compare", "sft-1", "--final", "--yes", code=None).code in (1, 4)
    assert openings(judged) == 1


@pytest.mark.parametrize("how", ["a stored run", "an opened fact"])
def test_nothing_that_is_planted_makes_a_candidate_open(judged, how):
    judged.train("--seed", "5")
    b, spec = spec_of(judged, "sft-2")
    if how == "a stored run":
        Run.start(judged.project, spec)
    else:
        judged.forge("opened", {"set": b.frozen.sha256, "spec": spec.sha256, "adapter": spec.adapter})
    assert "openings" in judged("compare", "sft-2", "--final", "--yes", code=3).error["message"]
    named = judged.tampered()
    assert any(line.startswith("opened") and "1 are allowed" in line for line in named) == (how == "an opened fact")


def test_an_opening_without_a_spec_counts_and_breaks_nothing(trained):
    (frozen,) = trained.facts().of("frozen")
    (made,) = trained.facts().of("trained")
    trained.forge("opened", {"set": frozen.body["set"], "adapter": made.body["adapter"]})
    assert "openings" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]


# earlier sets


def freeze_later(road, texts: list[str]) -> None:
    road.add_rows("later", texts)
    road("freeze", "later", "--as", "second", "--reason", "a fresh start, please")
    road("baseline")


def test_openings_of_a_set_that_is_moved_away_are_inherited(judged):
    """The rows differ by one, so no stored run is of the very same rows."""
    freeze_later(judged, [judged.eval_text(i) for i in range(23)])
    judged("compare", "sft-1", "--final", "--yes", code=3)
    first = next(p for p in judged.project.evals.iterdir() if p.name.startswith("tickets-"))
    shutil.move(first, judged.root / "elsewhere")
    assert "openings" in judged("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    assert openings(judged) == 1


def test_openings_are_inherited_by_rows_that_were_made_longer(judged, road_module):
    more = road_module.words(77, 96)
    freeze_later(judged, [" ".join([judged.eval_text(i), *more[4 * i : 4 * i + 4]]) for i in range(24)])
    assert "openings" in judged("compare", "sft-1", "--final", "--yes", code=3).error["message"]


def test_rows_of_a_set_that_is_not_here_are_not_measured_on(trained, road_module):
    texts = [trained.eval_text(i) for i in range(24)]
    trained.add_rows("other", road_module.words(50, 25))
    trained("freeze", "other", "--as", "second", "--reason", "more rows, unlike the first")
    trained.add_rows("practice", texts)
    first = next(p for p in trained.project.evals.iterdir() if p.name.startswith("tickets-"))
    shutil.move(first, trained.root / "elsewhere")
    assert "nobody can say" in trained("eval", "base", "--on", "practice", code=3).error["message"]
    shutil.move(trained.root / "elsewhere", first)
    assert "belong to the eval set" in trained("eval", "base", "--on", "practice", code=3).error["message"]


def test_an_eval_set_that_no_longer_decides_is_not_opened(trained, road_module):
    trained.add_rows("other", road_module.words(50, 25))
    trained("freeze", "other", "--as", "second", "--reason", "more rows, unlike the first")
    trained("baseline")
    ended = trained("eval", "sft-1", "--on", "tickets", "--final", "--yes", code=3)
    assert "no longer decides" in ended.error["message"]
    assert openings(trained) == 0


# the ledger


def test_another_project_id_forgets_no_opening(judged):
    judged.edit('id = "p-tiny"', 'id = "p-fresh"')
    shutil.rmtree(judged.project.runs)
    judged("freeze")
    found = judged.gate()["eval-set-frozen"]
    assert found["status"] == "refused"
    assert found["fix"] == "set [project] id back"
    judged("baseline")
    judged("compare", "sft-1", "--final", "--yes", code=None)
    assert openings(judged) == 0
    judged.edit('id = "p-fresh"', 'id = "p-tiny"')
    assert openings(type(judged)(judged.root)) == 1


def test_a_set_is_not_opened_on_a_ledger_that_was_tampered_with(trained):
    file = next(trained.project.ledger.iterdir())
    file.write_text(file.read_text() + " ")
    assert "tampered" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    assert openings(trained) == 0


# what is measured


def test_answers_that_were_given_no_room_are_no_baseline(split):
    """Every prompt asked with two tokens to answer in, by the library's own door."""
    from sluice.evalsuite.evaluate import Candidate, find_place, measure_on, set_place
    from sluice.evalsuite.sets import deciding_set

    split("freeze")
    b = bench(split.project, split.model, FORM)
    state = deciding_set(split.project, split.facts())
    for place in (find_place(split.project, split.facts(), None, final=False), set_place(state, final=True)):
        for prompt in b.prompts():
            measure_on(
                split.project,
                Candidate(label=prompt.name, prompt=prompt, files=b.files, form=b.form),
                place,
                question=b.question,
                grader=b.grader,
                max_new_tokens=2,
                role="baseline",
            )
    split.refuses("prompt-baseline", "absent")


def test_a_prompt_that_shows_an_eval_row_is_not_measured_on_dev(measured):
    text = f"---system---\nExample: {measured.eval_text()}\n---user---\n{{{{ input }}}}\n"
    (measured.root / "hint.md").write_text(text)
    runs = len(all_runs(measured.project))
    assert "holds an eval row" in measured("eval", "base", "--prompt", "hint.md", code=3).error["message"]
    assert len(all_runs(measured.project)) == runs
    assert measured.gate()["prompt-baseline"]["status"] == "ok"


def test_an_eval_row_in_the_chat_template_refuses(measured):
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(measured.project.config.model.base, local_files_only=True).chat_template
    (measured.root / "chat.jinja").write_text(f"Example: {measured.eval_text()}\n{own}")
    measured.edit('serve = "fp32"', 'serve = "fp32"\nchat_template = "chat.jinja"')
    ended = measured("baseline", code=3)
    assert "chat_template" in ended.error["where"]
    assert measured.gate()["no-leakage"]["status"] == "refused"


def test_rows_with_and_without_a_field_get_one_prompt(tmp_path, tiny_model, road_module):
    root = tmp_path / "p"
    root.mkdir()
    (root / "sluice.toml").write_text(road_module.TOML.format(base=tiny_model))
    (root / "rubric.md").write_text("Right: the very name of the desk.\n")
    subjects, bodies = road_module.words(9, 76), road_module.words(3, 76)
    lines = [
        {"subject": s, "target": road_module.LABELS[i % 3], **({"body": t} if i % 2 else {})}
        for i, (s, t) in enumerate(zip(subjects, bodies, strict=True))
    ]
    (root / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    road = road_module.Tiny(root)
    road("add", "tickets", "rows.jsonl", "--input", "subject,body", "--target", "target")
    road("split", "tickets", "--eval", "24", "--dev", "22")
    road("freeze")
    road("baseline")
    prompts = {r.spec.label: r.spec.prompt["blocks"][-1]["text"] for r in all_runs(road.project)}
    assert "{{ body | default('') }}" in prompts["zero-shot"]
    assert "{{ subject }}" in prompts["zero-shot"]
    rules = road.gate()
    assert (rules["prompt-baseline"]["status"], rules["rows-trainable"]["status"]) == ("ok", "ok")


# groups


def test_a_row_without_a_group_value_is_a_unit_of_its_own(tmp_path, tiny_model, road_module):
    """Freeze, baseline and gate count alike, so that K is the same for all of them."""
    root = tmp_path / "p"
    root.mkdir()
    toml = road_module.TOML.format(base=tiny_model).replace("openings = 1", 'group = "customer"')
    (root / "sluice.toml").write_text(toml)
    (root / "rubric.md").write_text("Right: the very name of the desk.\n")
    texts = road_module.words(5, 152)
    road = road_module.Tiny(root)
    for name, low, high in (("hand", 0, 122), ("tickets", 122, 152)):
        lines = [
            {"input": t, "target": road_module.LABELS[i % 3], **({"customer": f"c{low + i}"} if i % 5 else {})}
            for i, t in enumerate(texts[low:high])
        ]
        (root / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        road("add", name, f"{name}.jsonl")
    road("split", "tickets", "--eval", "100", "--dev", "22", "--from", "hand")
    assert road("freeze").result["question"]["openings"] == 3
    road("baseline")
    assert road.gate()["eval-set-frozen"]["status"] == "ok"


# references


def test_a_reference_does_not_change_once_it_is_on_record(measured):
    good = answers_file(measured, "good.jsonl", lambda r: r["target"])
    bad = answers_file(measured, "bad.jsonl", lambda r: "zzz")
    measured("baseline", "reference", "prod", "--answers", good)
    ended = measured("baseline", "reference", "prod", "--answers", bad, code=3)
    assert "other answers are on record" in ended.error["message"]
    measured("baseline", "reference", "prod", "--answers", good)
    assert len(measured.facts().of("reference")) == 1
    measured("baseline", "reference", "prod-2", "--answers", bad)


def test_a_reference_is_scored_under_the_pinned_grader(measured):
    from sluice.evalsuite.reference import reference_scores

    loud = answers_file(measured, "loud.jsonl", lambda r: r["target"].upper())
    assert measured("baseline", "reference", "prod", "--answers", loud).result["rate"]["estimate"] == 0.0
    measured.edit('metric = "exact"', 'metric = "normalised"')
    measured("baseline", "reference", "prod", "--answers", loud, code=3)
    measured("freeze", "--reason", "case does not matter here")
    b = bench(measured.project, measured.model, FORM)
    with pytest.raises(Refused, match="under the pinned grader") as refused:
        reference_scores(measured.project, b.grader, b.frozen, "prod")
    assert "baseline reference prod" in (refused.value.remedy or "")
    assert measured("baseline", "reference", "prod", "--answers", loud).result["rate"]["estimate"] == 1.0
    assert reference_scores(measured.project, b.grader, b.frozen, "prod").mean == 1.0
    assert measured.tampered() == []


# the pass


def test_the_pass_says_in_which_form_is_trained(trained):
    (passed,) = trained.facts().of("passed")
    (made,) = trained.facts().of("trained")
    assert passed.body["training_form"] == made.body["training_form"]
    trained.forge("trained", {**made.body, "training_form": "bfloat16"})
    assert any("training_form" in line for line in trained.tampered())
