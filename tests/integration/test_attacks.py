"""Attacks on the gate through the environment, verbs, Python, training rows and the frozen set.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support import tiny_road

from sluice.core.errors import Refused
from sluice.core.evalset import SetManifest, rows_bytes
from sluice.core.rows import Example
from sluice.evalsuite.asking import Form

pytestmark = [pytest.mark.model]
TRAIN = ("train", "sft", "--yes", "--batch", "8", "--rank", "4")
HARD = {"eval-set-frozen", "prompt-baseline", "no-leakage", "rows-trainable"}
FORM = Form("float32", None, "cpu", 1)


# the environment


def test_no_variable_opens_the_gate(split):
    guesses = ("SKIP_GATE", "NO_GATE", "FORCE", "GATE", "YES", "DEV", "TEST", "ALLOW", "DEBUG", "WAIVE", "UNSAFE")
    done = subprocess.run(
        [sys.executable, "-m", "sluice", *TRAIN, "--json"],
        cwd=split.root,
        env={**os.environ, "PYTHONOPTIMIZE": "2", **{f"SLUICE_{name}": "1" for name in guesses}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    rules = {r["rule"]: r["status"] for r in json.loads(done.stdout)["result"]["rules"]}
    assert all(rules[name] in ("refused", "later") for name in HARD - {"rows-trainable"})
    assert split.adapters() == []


@pytest.mark.parametrize("flag", ["--force", "--no-gate", "--skip-gate", "--skip-rules", "--allow"])
def test_no_flag_opens_the_gate(split, flag):
    assert split("train", "sft", flag, code=2).error
    assert split.adapters() == []


@pytest.mark.parametrize("key", ["skip", "open", "force", "enabled", "rules", "waive"])
def test_no_key_of_sluice_toml_opens_the_gate(split, key):
    split.edit("[model]", f"[gate]\n{key} = false\n\n[model]")
    split("train", "sft", "--yes", code=2)


# verbs and Python


@pytest.mark.parametrize("rule", sorted(HARD))
def test_no_hard_rule_can_be_waived(split, rule):
    split("waive", rule, "--reason", "I know what I am doing here", "--by", "x", code=2)
    body = {"rule": rule, "task": "tickets", "dataset": "tickets/train", "value": "99", "reason": "I know"}
    split.forge("waived", body)
    split("train", "sft", "--yes", code=3)
    assert any("waived" in name and rule in name for name in split.tampered())


def test_a_pass_that_was_written_or_pickled_opens_nothing(measured, trained_template, tmp_path):
    (passed,) = trained_template.facts().of("passed")
    measured.forge("passed", passed.body)
    (measured.project.store / "passed.pickle").write_bytes(pickle.dumps(passed))
    measured.refuses("gradable")
    assert any(name.startswith("passed") for name in measured.tampered())


def test_the_spine_judges_by_itself(measured):
    """Calling the recipe's door directly, with a report that says open, trains nothing."""
    from sluice.train.recipes.config import SftConfig
    from sluice.train.recipes.spine import Order, run

    with pytest.raises(Refused) as refused:
        run(measured.project, Order("tickets/train", "sft", SftConfig(), FORM, FORM), measured.model)
    assert not refused.value.result.open
    assert measured.adapters() == []
    assert not measured.facts().of("passed")


def test_the_spine_hashes_the_model_itself(measured):
    """One weight changed in place, with size, time and inode kept: a cache of hashes is not believed."""
    measured.waive()
    base = Path(measured.project.config.model.base)
    other = measured.root / "other"
    shutil.copytree(base, other)
    measured.edit(str(base), str(other))
    assert measured.gate()["prompt-baseline"]["status"] == "ok", "the same bytes are the same model"
    weights = other / "model.safetensors"
    stat = weights.stat()
    with open(weights, "r+b") as file:
        file.seek(-2, os.SEEK_END)
        byte = file.read(1)
        file.seek(-2, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    ended = measured("train", "sft", "--yes", code=3)
    assert "prompt-baseline" in ended.error["message"]
    assert measured.adapters() == []


def test_rows_handed_in_are_held_against_the_version(measured):
    """The library's collect takes rows; whoever hands others in gets no pass for the version's name."""
    from sluice.train.evidence import collect
    from sluice.train.gate import evaluate
    from sluice.train.policy import Policy

    measured.waive()
    row = Example(input={"input": measured.eval_text()}, target="billing")
    evidence = collect(measured.project, measured.model, FORM, rows=[row])
    report = evaluate(evidence, Policy())
    assert not report.open
    assert report.rule("no-leakage").status == "refused"
    swapped = replace(evidence, leaks=(), text_leaks=(), train=evidence.train[:0])
    assert not evaluate(swapped, Policy()).open


# training data


def test_a_rows_text_edited_in_the_parquet_is_found(measured):
    import polars as pl

    measured.waive()
    from sluice.curate.dataset import open_dataset

    file = open_dataset(measured.project, "tickets/train").files[0]
    frame = pl.read_parquet(file)
    changed = frame.with_columns(pl.lit("other").alias("target"))
    changed.write_parquet(file)
    ended = measured("train", "sft", "--yes", code=None)
    assert ended.code in (1, 3), ended.result
    assert measured.adapters() == []
    assert any(name.startswith("tickets/train") for name in measured.tampered())


def test_a_versions_manifest_edited_to_fit_other_rows_is_found(measured):
    import polars as pl

    from sluice.core.files import file_sha256
    from sluice.curate.dataset import open_dataset, rows_frame

    measured.waive()
    version = open_dataset(measured.project, "tickets/train")
    file = version.files[0]
    leaky = [Example(input={"input": measured.eval_text(i)}, target="billing") for i in range(24)]
    frame = rows_frame(list(leaky))
    frame.write_parquet(file)
    assert pl.read_parquet(file).height == 24
    manifest = measured.project.data / version.hash / "manifest.json"
    body = json.loads(manifest.read_text())
    body["rows"] = 24
    body["files"][0] |= {"sha256": file_sha256(file), "rows": 24}
    manifest.write_text(json.dumps(body))
    ended = measured("train", "sft", "--yes", code=None)
    assert ended.code in (1, 3)
    assert measured.adapters() == []
    assert any(name.startswith("tickets/train") for name in measured.tampered())


@pytest.mark.parametrize("how", ["equal", "near", "inside", "capitals", "in the target"])
def test_an_eval_row_in_the_training_rows_refuses(measured, how):
    text = measured.eval_text()
    filler = "and so we went on and on about nothing much at all until the evening came and we all went home again"
    hidden = {
        "equal": text,
        "near": text + " ba",
        "inside": f"{filler} {text} {filler}",
        "capitals": text.upper() + "!",
        "in the target": "what did the customer write to us on that day, word by word, please",
    }[how]
    target = text if how == "in the target" else "billing"
    measured.add_rows("tickets/train", [hidden], target)
    measured("baseline", code=None)
    found = measured.refuses("no-leakage")
    assert found["fix"] == "sluice decontaminate tickets/train"


def test_an_eval_row_in_dev_refuses(measured):
    measured.add_rows("tickets/dev", [measured.eval_text()])
    assert measured.refuses("no-leakage")["fix"] == "sluice decontaminate tickets/dev"
    measured("eval", "base", code=3)  # and dev that holds an eval row is not measured on


@pytest.mark.parametrize("place", ["baseline prompt", "train prompt", "rubric", "schema", "description"])
def test_an_eval_row_in_a_text_around_the_rows_refuses(measured, place):
    text = measured.eval_text()
    root = measured.root
    if place in ("baseline prompt", "train prompt"):
        (root / "hint.md").write_text(f"Name the desk. For example:\n{text}\nbilling\n\n{{{{ input }}}}\n")
        key = 'baseline = ["hint.md"]' if place.startswith("baseline") else 'train = "hint.md"'
        measured.edit("[model]", f"[prompts]\n{key}\n\n[model]")
    elif place == "rubric":
        (root / "rubric.md").write_text(f"Right, as in: {text}\n")
    elif place == "schema":
        (root / "schema.json").write_text(json.dumps({"type": "string", "examples": [text]}))
        measured.edit("openings = 1", 'openings = 1\nschema = "schema.json"')
    else:
        measured.edit('description = "Name the desk."', f'description = "Name the desk. {text}"')
    measured("baseline", code=3)
    assert measured.gate()["no-leakage"]["status"] == "refused"
    measured("train", "sft", "--yes", code=3)
    assert measured.adapters() == []


def test_an_eval_row_among_the_few_shot_examples_refuses(measured):
    """All training rows are eval rows: whichever are drawn as examples, the prompt holds one."""
    measured.add_rows("tickets/train", [measured.eval_text(i) for i in range(24)])
    ended = measured("baseline", code=3)
    assert "holds an eval row" in ended.error["message"]
    details = measured("gate", "--rows", "no-leakage", code=3).result
    leaks = next(r for r in details["rules"] if r["rule"] == "no-leakage")["details"]
    assert any("few-shot" in line for line in leaks)


# the frozen set


def test_an_edited_eval_row_is_found(measured):
    file = measured.eval_folder() / "rows.jsonl"
    file.write_text(
        file.read_text()
        .replace('"target": "billing"', '"target": "delivery"', 1)
        .replace('"target":"billing"', '"target":"delivery"', 1)
    )
    measured.refuses("eval-set-frozen", "tampered")
    assert any(name.startswith("evals/") for name in measured.tampered())


@pytest.mark.parametrize("rename", [False, True])
def test_an_edited_eval_row_with_its_manifest_rewritten_is_found(measured, rename):
    folder = measured.eval_folder()
    manifest = SetManifest.model_validate_json((folder / "manifest.json").read_bytes())
    rows = [Example(input=json.loads(r["input"]), target="billing") for r in measured.eval_rows()]
    rows.sort(key=lambda r: r.row)
    data = rows_bytes(list(rows), {})
    import hashlib

    forged = manifest.model_copy(
        update={
            "rows": tuple(r.row for r in rows),
            "inputs": tuple(r.input_hash for r in rows),
            "rows_sha256": hashlib.sha256(data).hexdigest(),
        }
    )
    (folder / "rows.jsonl").write_bytes(data)
    (folder / "manifest.json").write_bytes(forged.to_bytes())
    if rename:
        folder.rename(folder.with_name(f"tickets-{forged.sha256[:8]}"))
    found = measured.refuses("eval-set-frozen")
    assert found["word"] == ("absent" if rename else "tampered")
    if not rename:
        assert any(name.startswith("evals/") for name in measured.tampered())


def test_a_forged_freeze_entry_of_an_easier_set_is_found(measured):
    """The script writes folder and facts by itself, of rows whose answer is always the same."""
    easy = measured.copy(measured.root.parent / "easy")
    shutil.rmtree(easy.project.ledger)
    shutil.rmtree(easy.project.ledger_copy)
    shutil.rmtree(easy.project.evals)
    easy("sample", "tickets/dev", "22", "--to", "easy")
    easy("freeze", "easy")
    (frozen,) = easy.facts().of("frozen")
    (claimed,) = easy.facts().of("claimed")
    shutil.copytree(easy.eval_folder(), measured.project.evals / easy.eval_folder().name)
    measured.forge("frozen", frozen.body)
    measured.forge("claimed", claimed.body)
    found = measured.refuses("eval-set-frozen", "tampered")
    assert "no reason" in found["found"]


def test_twenty_paraphrases_are_no_eval_set(split):
    lines = [{"input": f"please tell me where my parcel with the kettle is{'!' * i}", "target": "x"} for i in range(25)]
    (split.root / "para.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    split("add", "para", "para.jsonl")
    ended = split("freeze", "para", "--as", "para", code=2)
    assert "unlike each other" in ended.error["message"]
    assert not split.project.evals.exists() or not list(split.project.evals.iterdir())


def test_an_eval_set_with_a_row_that_lacks_its_target_is_no_eval_set(split):
    texts = tiny_road.words(9, 25)
    lines = [{"input": t, "target": "x"} for t in texts[:-1]] + [{"input": texts[-1]}]
    (split.root / "some.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    split("add", "some", "some.jsonl")
    assert "target" in split("freeze", "some", "--as", "some", code=2).error["message"]


def test_the_eval_rows_under_another_name_are_refused(trained):
    texts = [json.loads(r["input"])["input"] for r in trained.eval_rows()]
    trained.add_rows("practice", texts)
    assert "belong to the eval set" in trained("eval", "sft-1", "--on", "practice", code=3).error["message"]
    assert (
        "belong to the eval set" in trained("freeze", "practice", "--as", "watch", "--guard", code=3).error["message"]
    )
    trained("eval", "sft-1", "--on", "tickets/eval", code=3)
    trained("eval", "sft-1", "--on", "tickets", code=3)
    trained("regress", "sft-1", "--on", "tickets", "--margin", "0.1", code=3)
    assert not [f for f in trained.facts().of("opened") if f.body["adapter"]]
