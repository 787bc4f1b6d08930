"""Attacks on what is measured: prompts that show eval rows, answers without room, odd fields, groups, references.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
"""

from __future__ import annotations

import json
import shutil

import pytest
from support import tiny_road

from sluice.core.errors import Refused
from sluice.core.runs import all_runs
from sluice.evalsuite.asking import Form
from sluice.evalsuite.baselines.bench import bench

pytestmark = [pytest.mark.model]
FORM = Form("float32", None, "cpu", 1)


def answers_file(road, name: str, answer) -> str:
    lines = [json.dumps({"row": r["row"], "answer": answer(r)}) for r in road.eval_rows()]
    (road.root / name).write_text("\n".join(lines) + "\n")
    return name


# prompts and room


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


def test_a_prompt_that_shows_rows_frozen_later_is_no_longer_a_baseline(measured):
    """It was measured on dev before its examples became eval rows; it can never be measured on the new set."""
    from sluice.evalsuite.baselines.bench import dev_facts

    texts = tiny_road.words(50, 24)
    prompt = measured.root / "prompts" / "strong.md"
    prompt.parent.mkdir(exist_ok=True)
    prompt.write_text(f"For example: {texts[3]}\nbilling\n\n{{{{ input }}}}\n")
    toml = (measured.root / "sluice.toml").read_text()
    (measured.root / "sluice.toml").write_text(toml + '\n[prompts]\nbaseline = ["prompts/strong.md"]\n')
    measured("baseline")
    shown = {f.body["label"] for f in dev_facts(bench(measured.project, measured.model, FORM), measured.facts())}
    assert "prompts/strong.md" in shown
    (measured.root / "sluice.toml").write_text(toml)
    measured.freeze_later(texts)
    left = {f.body["label"] for f in dev_facts(bench(measured.project, measured.model, FORM), measured.facts())}
    assert left == shown - {"prompts/strong.md"}
    assert measured.gate()["prompt-baseline"]["status"] == "ok"


def with_strong_prompt(road) -> str:
    """Measure a prompt of the project's own, take it out of sluice.toml again, and return its label."""
    prompt = road.root / "prompts" / "strong.md"
    prompt.parent.mkdir(exist_ok=True)
    prompt.write_text("Say the desk, and nothing else.\n\n{{ input }}\n")
    toml = (road.root / "sluice.toml").read_text()
    (road.root / "sluice.toml").write_text(toml + '\n[prompts]\nbaseline = ["prompts/strong.md"]\n')
    road("baseline")
    (road.root / "sluice.toml").write_text(toml)
    return "prompts/strong.md"


def dev_labels(road) -> set[str]:
    from sluice.evalsuite.baselines.bench import dev_facts

    return {f.body["label"] for f in dev_facts(bench(road.project, road.model, FORM), road.facts())}


def test_other_dev_rows_shed_no_prompt(measured):
    """The best is the best of all ever closed: on new dev rows each of them is measured again."""
    label = with_strong_prompt(measured)
    measured.add_rows("tickets/dev", ["one more thing that nobody has said before today, and it is long"])
    assert label not in dev_labels(measured)
    closed = measured.gate()["prompt-baseline"]
    assert closed["status"] == "refused"
    measured("baseline")
    assert label in dev_labels(measured)
    assert measured.gate()["prompt-baseline"]["status"] == "ok"


def test_lost_runs_on_other_dev_rows_do_not_stand_in_the_way_of_prompts_at_hand(measured):
    shutil.rmtree(measured.project.runs)
    measured.add_rows("tickets/dev", ["one more thing that nobody has said before today, and it is long"])
    measured("baseline")
    assert measured.gate()["prompt-baseline"]["status"] == "ok"


def test_another_metric_sheds_no_prompt(measured):
    """Stored answers are graded again, those of prompts that are no longer named among them."""
    label = with_strong_prompt(measured)
    runs = {r.id for r in all_runs(measured.project)}
    measured.edit('metric = "exact"', 'metric = "normalised"')
    measured("freeze", "--reason", "case does not matter here")
    assert measured.gate()["prompt-baseline"]["status"] == "refused"
    measured("baseline")
    assert label in dev_labels(measured)
    assert {r.id for r in all_runs(measured.project)} == runs, "nothing is asked again"


def test_a_chat_template_that_loses_turns_measures_nothing(measured):
    template = "{{ messages[-1]['content'] }}<|im_end|>{% if add_generation_prompt %}\n{% endif %}"
    (measured.root / "last.jinja").write_text(template)
    measured.edit('serve = "fp32"', 'serve = "fp32"\nchat_template = "last.jinja"')
    ended = measured("baseline", code=2)
    assert "loses a turn" in ended.error["message"]


# fields


def with_two_fields(root, tiny_model, has_body):
    """Return a project that is split, with rows of a subject and, where `has_body(i)`, a body."""
    root.mkdir()
    (root / "sluice.toml").write_text(tiny_road.TOML.format(base=tiny_model))
    (root / "rubric.md").write_text("Right: the very name of the desk.\n")
    subjects, bodies = tiny_road.words(9, 76), tiny_road.words(3, 76)
    lines = [
        {"subject": s, "target": tiny_road.LABELS[i % 3], **({"body": t} if has_body(i) else {})}
        for i, (s, t) in enumerate(zip(subjects, bodies, strict=True))
    ]
    (root / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    road = tiny_road.Tiny(root)
    road("add", "tickets", "rows.jsonl", "--input", "subject,body", "--target", "target")
    road("split", "tickets", "--eval", "24", "--dev", "22")
    return road


def test_rows_with_and_without_a_field_get_one_prompt(tmp_path, tiny_model):
    road = with_two_fields(tmp_path / "p", tiny_model, lambda i: i % 2)
    road("freeze")
    road("baseline")
    prompts = {r.spec.label: r.spec.prompt["blocks"][-1]["text"] for r in all_runs(road.project)}
    assert "body" in prompts["zero-shot"]
    assert "subject" in prompts["zero-shot"]
    rules = road.gate()
    assert (rules["prompt-baseline"]["status"], rules["rows-trainable"]["status"]) == ("ok", "ok")


def test_an_eval_row_that_lacks_a_field_is_asked_all_the_same(tmp_path, tiny_model):
    """Prompts are composed from dev and training rows alone, all of which have the field."""
    road = with_two_fields(tmp_path / "p", tiny_model, lambda i: True)
    lines = [{"subject": s, "target": "other"} for s in tiny_road.words(10, 24)]
    (road.root / "brief.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    road("add", "brief", "brief.jsonl", "--input", "subject", "--target", "target")
    road("freeze", "brief", "--as", "tickets")
    assert len(road("baseline").result["eval"]) >= 1


# groups


def test_a_row_without_a_group_value_is_a_unit_of_its_own(tmp_path, tiny_model):
    """Freeze, baseline and gate count alike, so that K is the same for all of them."""
    root = tmp_path / "p"
    root.mkdir()
    toml = tiny_road.TOML.format(base=tiny_model).replace("openings = 1", 'group = "customer"')
    (root / "sluice.toml").write_text(toml)
    (root / "rubric.md").write_text("Right: the very name of the desk.\n")
    texts = tiny_road.words(5, 152)
    road = tiny_road.Tiny(root)
    for name, low, high in (("hand", 0, 122), ("tickets", 122, 152)):
        lines = [
            {"input": t, "target": tiny_road.LABELS[i % 3], **({"customer": f"c{low + i}"} if i % 5 else {})}
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
