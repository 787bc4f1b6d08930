"""Attacks on the count of openings, on references and on what is measured before anything is opened.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

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


def with_two_fields(root, tiny_model, road_module, has_body):
    """Return a project that is split, with rows of a subject and, where `has_body(i)`, a body."""
    root.mkdir()
    (root / "sluice.toml").write_text(road_module.TOML.format(base=tiny_model))
    (root / "rubric.md").write_text("Right: the very name of the desk.\n")
    subjects, bodies = road_module.words(9, 76), road_module.words(3, 76)
    lines = [
        {"subject": s, "target": road_module.LABELS[i % 3], **({"body": t} if has_body(i) else {})}
        for i, (s, t) in enumerate(zip(subjects, bodies, strict=True))
    ]
    (root / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    road = road_module.Tiny(root)
    road("add", "tickets", "rows.jsonl", "--input", "subject,body", "--target", "target")
    road("split", "tickets", "--eval", "24", "--dev", "22")
    return road


def test_rows_with_and_without_a_field_get_one_prompt(tmp_path, tiny_model, road_module):
    road = with_two_fields(tmp_path / "p", tiny_model, road_module, lambda i: i % 2)
    road("freeze")
    road("baseline")
    prompts = {r.spec.label: r.spec.prompt["blocks"][-1]["text"] for r in all_runs(road.project)}
    assert "body" in prompts["zero-shot"]
    assert "subject" in prompts["zero-shot"]
    rules = road.gate()
    assert (rules["prompt-baseline"]["status"], rules["rows-trainable"]["status"]) == ("ok", "ok")


def test_an_eval_row_that_lacks_a_field_is_asked_all_the_same(tmp_path, tiny_model, road_module):
    """Prompts are composed from dev and training rows alone, all of which have the field."""
    road = with_two_fields(tmp_path / "p", tiny_model, road_module, lambda i: True)
    lines = [{"subject": s, "target": "other"} for s in road_module.words(10, 24)]
    (road.root / "brief.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    road("add", "brief", "brief.jsonl", "--input", "subject", "--target", "target")
    road("freeze", "brief", "--as", "tickets")
    assert len(road("baseline").result["eval"]) >= 1


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


def test_a_guard_set_that_is_moved_away_passes_its_measurements_on(trained):
    """A guard set may be measured as often as wanted; rows of it that decide later were seen all the same."""
    trained.edit("openings = 1", "openings = 1\nmargin = 0.1")
    trained("freeze", "--reason", "a margin for the guard set")
    texts = [trained.eval_text(i)[::-1] for i in range(24)]
    trained.add_rows("watched", texts)
    trained("freeze", "watched", "--guard", "--as", "watched")
    trained("eval", "sft-1", "--on", "watched")
    guard = next(p for p in trained.project.evals.iterdir() if p.name.startswith("watched-"))
    shutil.move(guard, trained.root / "elsewhere")
    freeze_later(trained, texts[1:])
    refused = trained("compare", "sft-1", "--final", "--yes", code=3)
    assert "earlier sets" in refused.error["message"], refused.error


def test_a_prompt_that_shows_rows_frozen_later_is_no_longer_a_baseline(measured, road_module):
    """It was measured on dev before its examples became eval rows; it can never be measured on the new set."""
    from sluice.evalsuite.baselines.bench import dev_facts

    texts = road_module.words(50, 24)
    prompt = measured.root / "prompts" / "strong.md"
    prompt.parent.mkdir(exist_ok=True)
    prompt.write_text(f"For example: {texts[3]}\nbilling\n\n{{{{ input }}}}\n")
    toml = (measured.root / "sluice.toml").read_text()
    (measured.root / "sluice.toml").write_text(toml + '\n[prompts]\nbaseline = ["prompts/strong.md"]\n')
    measured("baseline")
    shown = {f.body["label"] for f in dev_facts(bench(measured.project, measured.model, FORM), measured.facts())}
    assert "prompts/strong.md" in shown
    (measured.root / "sluice.toml").write_text(toml)
    freeze_later(measured, texts)
    left = {f.body["label"] for f in dev_facts(bench(measured.project, measured.model, FORM), measured.facts())}
    assert left == shown - {"prompts/strong.md"}
    assert measured.gate()["prompt-baseline"]["status"] == "ok"


def test_four_adapters_and_three_openings(measured):
    measured.edit("openings = 1", "openings = 3")
    measured("freeze", "--reason", "three candidates, each judged at a third of alpha")
    measured.waive()
    for seed in range(4):
        measured.train("--seed", str(seed))
    for n in (1, 2, 3):
        verdict = measured("compare", f"sft-{n}", "--final", "--yes", code=None).result
        assert verdict["comparison"]["verdict"]["openings"] == 3
    assert measured("compare", "sft-4", "--final", "--yes", code=3).error["code"] == "refused"
    assert openings(measured) == 3
    again = measured("compare", "sft-2", "--final", "--yes", code=None)
    assert again.code != 3
    assert measured.tampered() == []


def test_a_claim_made_after_an_opening_is_named(judged):
    claimed = judged.facts().of("claimed")[0].body
    digest = judged.forge("claimed", claimed | {"reason": "it would look better"})
    assert any(digest[:10] in line and "opened" in line for line in judged.tampered())


def test_a_changed_claim_without_a_reason_is_named(measured):
    claimed = measured.facts().of("claimed")[0].body
    digest = measured.forge("claimed", claimed | {"question": claimed["question"] | {"openings": 3}, "reason": ""})
    assert any(digest[:10] in line and "no reason" in line for line in measured.tampered())


def test_of_references_that_merged_copies_recorded_apart_the_best_is_the_one_to_beat(measured, copied):
    from sluice.evalsuite.reference import reference_scores

    other = measured.copy(measured.root.parent / "other")
    good = answers_file(measured, "good.jsonl", lambda r: r["target"])
    bad = answers_file(other, "bad.jsonl", lambda r: "zzz")
    measured("baseline", "reference", "prod", "--answers", good)
    other("baseline", "reference", "prod", "--answers", bad)
    for folder in ("ledger", ".sluice/runs"):
        shutil.copytree(measured.root / folder, other.root / folder, dirs_exist_ok=True)
    b = bench(other.project, other.model, FORM)
    assert len(other.facts().of("reference", name="prod")) == 2
    assert reference_scores(other.project, b.grader, b.frozen, "prod").mean == 1.0


OPEN = """
import sys, time
from pathlib import Path
from sluice.core.errors import Refused
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.runs import RunSpec
from sluice.evalsuite.openings import open_set
from sluice.evalsuite.question import pinned_question
from sluice.evalsuite.sets import require_set

project, spec = Project(Path(sys.argv[1])), RunSpec.model_validate_json(sys.argv[2])
ledger = Ledger(project)
frozen = require_set(project, ledger.read())
question, _ = pinned_question(ledger.read(), frozen.sha256)
print("ready", flush=True)
sys.stdin.readline()
try:
    open_set(project, ledger, frozen, question, spec)
except Refused:
    sys.exit(3)
"""


def test_processes_that_open_at_once_make_no_more_than_k_openings(trained):
    _, spec = spec_of(trained, "sft-1")
    specs = [spec.model_copy(update={"adapter": f"{i}" * 64}) for i in range(4)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(trained.root), s.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for s in specs
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    codes = sorted(process.wait(60) for process in processes)
    assert codes == [0, 3, 3, 3]
    assert openings(trained) == 1


def test_the_same_training_again_gives_the_adapter_that_is_there(trained):
    """As after a process that died while it measured the adapter on dev."""
    again = trained.train().result
    assert (again["adapter"], trained.adapters()) == ("sft-1", ["sft-1"])
    assert len(trained.facts().of("trained")) == 1
    assert trained.train("--seed", "1").result["adapter"] == "sft-2"
    weights = trained.project.adapters / "sft-1" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"oops")
    assert trained.train().result["adapter"] == "sft-3"
