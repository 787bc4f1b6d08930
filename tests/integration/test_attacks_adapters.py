"""Attacks on the verdict: openings, the ledger, adapters and their certificates.

Made as a hurried user, a script or a coding agent would: each is refused by name, or found by `sluice verify` by name.
What is out of reach is said in docs/gate.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import tiny_road

from sluice.core.errors import InputError, Refused, SluiceError, Tampered
from sluice.core.runs import all_runs
from sluice.evalsuite.asking import Form

pytestmark = [pytest.mark.model]
FORM = Form("float32", None, "cpu", 1)


# openings


def test_another_adapter_is_refused_when_the_openings_are_spent(judged):
    judged.train("--seed", "5")
    before = {f.hash for f in judged.facts().facts}
    ended = judged("compare", "sft-2", "--final", "--yes", code=3)
    assert "openings" in ended.error["message"]
    judged("eval", "sft-2", "--on", "tickets", "--final", "--yes", code=3)
    assert {f.hash for f in judged.facts().facts} == before
    assert judged("compare", "sft-2").result["openable"] is False
    assert judged("compare", "sft-1").result["openable"] is True
    (said,) = (n for n in judged("gate", code=None).result["notices"] if "opening" in n)
    assert "no verdict" in said
    assert not [r for r in all_runs(judged.project) if r.spec.on == "tickets" and r.spec.adapter][1:]


def test_an_opening_that_claims_to_be_a_baselines_counts(judged):
    """`opened` written beforehand without an adapter does not make the next opening free."""
    judged.train("--seed", "5")
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    from sluice.evalsuite.asking import spec_for
    from sluice.evalsuite.baselines.bench import bench, reached_limit
    from sluice.train.adapters import open_adapter

    b = bench(judged.project, judged.model, FORM)
    adapter = open_adapter(judged.project, "sft-2")
    spec = spec_for(
        b.files,
        b.form,
        adapter.prompt,
        list(b.frozen.rows),
        role="eval",
        on="tickets",
        max_new_tokens=reached_limit(b, judged.facts()),
        adapter=adapter.sha256,
    )
    judged.forge("opened", {**opened.body, "spec": spec.sha256, "adapter": None, "role": "baseline"})
    assert "openings" in judged("compare", "sft-2", "--final", "--yes", code=3).error["message"]


def test_openings_thrown_out_of_the_ledger_still_count(judged):
    """The last facts are deleted from both places; the answers that lie here count."""
    judged.train("--seed", "5")
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    for fact in judged.facts().facts:
        if fact.hash == opened.hash or opened.hash in judged.facts().ancestors(fact.hash):
            for place in (judged.project.ledger, judged.project.ledger_copy):
                (place / f"{fact.hash}.json").unlink()
    judged("compare", "sft-2", "--final", "--yes", code=None)
    assert not [f for f in judged.facts().of("opened") if f.body.get("adapter")], "nothing was opened"


def test_a_new_set_of_the_same_rows_inherits_their_openings(judged):
    judged.train("--seed", "5")
    judged("freeze", "--as", "again", code=3)
    judged("freeze", "--as", "again", "--reason", "a fresh start, please")
    judged("baseline")
    ended = judged("compare", "sft-2", "--final", "--yes", code=3)
    assert "openings" in ended.error["message"]


def git(folder: Path, *words: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, "-C", str(folder), *words], env=environment, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed here")
def test_two_copies_that_opened_apart_are_judged_at_a_smaller_alpha(trained, tmp_path):
    from sluice.core.project import gitattributes_text, gitignore_text

    (trained.root / ".gitignore").write_text(gitignore_text())
    (trained.root / ".gitattributes").write_text(gitattributes_text())
    git(trained.root, "init", "-q")
    git(trained.root, "add", "-A")
    git(trained.root, "commit", "-qm", "one")
    other = trained.copy(tmp_path / "other")
    first = trained("compare", "sft-1", "--final", "--yes", code=None).result["comparison"]["verdict"]
    git(trained.root, "add", "-A")
    git(trained.root, "commit", "-qm", "opened here")
    other.train("--seed", "5")
    assert other.adapters() == ["sft-1", "sft-2"]
    other("compare", "sft-2", "--final", "--yes", code=None)
    git(other.root, "add", "-A")
    git(other.root, "commit", "-qm", "opened there")
    git(other.root, "pull", "-q", "--no-rebase", "--no-edit", str(trained.root), "main")
    judged = other("compare", "sft-2", "--final", "--yes", code=None)
    assert judged.code in (1, 4), judged.error
    verdict = judged.result["comparison"]["verdict"]
    assert (first["openings"], verdict["openings"]) == (1, 2)
    assert (first["level"], verdict["level"]) == (pytest.approx(0.95), pytest.approx(0.975))
    other.train("--seed", "6")
    other("compare", "sft-3", "--final", "--yes", code=3)


def test_a_fact_of_the_ledger_edited_is_found(judged):
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    for place in (judged.project.ledger, judged.project.ledger_copy):
        file = place / f"{opened.hash}.json"
        text = file.read_text()
        file.write_text(text.replace(opened.body["adapter"], "0" * 64))
    judged.refuses("eval-set-frozen", "tampered")
    assert any(opened.hash in line for line in judged.tampered())


def test_a_fact_removed_from_one_place_is_written_back(judged):
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    (judged.project.ledger / f"{opened.hash}.json").unlink()
    assert any("written back" in n for n in judged("gate", code=None).result["notices"])
    assert (judged.project.ledger / f"{opened.hash}.json").is_file()


def test_a_fact_removed_from_both_places_is_absent_and_refuses(judged):
    (frozen,) = judged.facts().of("frozen")
    (opened,) = (f for f in judged.facts().of("opened") if f.body["adapter"])
    for place in (judged.project.ledger, judged.project.ledger_copy):
        (place / f"{opened.hash}.json").unlink()
    found = judged.refuses("eval-set-frozen", "absent")
    assert opened.hash in found["found"]
    second = judged("compare", "sft-1", "--final", "--yes", code=None)
    assert second.code in (1, 3, 4)
    assert frozen.hash in {f.hash for f in judged.facts().facts}


def test_facts_of_another_project_do_not_count(split, measured_template):
    other = measured_template.copy(split.root.parent / "donor")
    other.edit('id = "p-tiny"', 'id = "p-other"')
    for place in (other.project.ledger, other.project.ledger_copy):
        shutil.rmtree(place)
    for folder in (other.project.evals, other.project.runs):
        shutil.rmtree(folder)
    other("freeze")
    other("baseline")
    other.waive()
    split("freeze")
    for name in ("ledger", ".sluice/ledger", ".sluice/runs"):
        shutil.copytree(other.root / name, split.root / name, dirs_exist_ok=True)
    split.refuses("prompt-baseline", "absent")
    assert split.gate()["gradable"]["status"] == "later"


def test_a_fact_under_another_name_is_found(measured):
    fact = measured.facts().facts[0]
    for place in (measured.project.ledger, measured.project.ledger_copy):
        shutil.copy(place / f"{fact.hash}.json", place / f"{'0' * 64}.json")
    measured.refuses("eval-set-frozen", "tampered")
    assert any("0" * 64 in line for line in measured.tampered())


# adapters


def swap(road, name: str = "sft-1") -> Path:
    return road.project.adapters / name / "adapter_model.safetensors"


def test_a_swapped_adapter_file_is_found(trained):
    data = bytearray(swap(trained).read_bytes())
    data[-1] ^= 1
    swap(trained).write_bytes(bytes(data))
    assert trained("compare", "sft-1", "--final", "--yes", code=3).error["code"] == "tampered"
    trained("eval", "sft-1", code=3)
    assert trained("adapters", code=1).result["adapters"][0]["word"] == "tampered"
    assert any("sft-1" in line for line in trained.tampered())


def test_a_copied_certificate_covers_no_other_adapter(trained):
    folder = trained.project.adapters / "sft-9"
    shutil.copytree(trained.project.adapters / "sft-1", folder)
    data = bytearray(swap(trained, "sft-9").read_bytes())
    data[-1] ^= 1
    swap(trained, "sft-9").write_bytes(bytes(data))
    trained("compare", "sft-9", "--final", "--yes", code=3)
    assert any("sft-9" in line for line in trained.tampered())


@pytest.mark.parametrize(
    "change",
    [
        {"waivers": []},
        {"rows": []},
        {"version": "0" * 64},
        {"set": "0" * 64},
        {"base_sha256": "0" * 64},
        {"prompt": {"name": "x", "blocks": [{"role": "user", "text": "{{ input }}", "template": True}], "shots": []}},
        {"passed": "0" * 64},
        {"max_new_tokens": 4096},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_edited_certificate_is_found(trained, change):
    file = trained.project.adapters / "sft-1" / "certificate.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    trained("compare", "sft-1", "--final", "--yes", code=3)
    assert any("sft-1" in line for line in trained.tampered())


def test_a_certificate_forged_with_its_facts_is_found(trained):
    """Other rows, a rewritten certificate, a `trained` fact for it: the pass does not fit."""
    from sluice.train.certificate import read_certificate, write_certificate

    folder = trained.project.adapters / "sft-1"
    certificate = read_certificate(folder)
    forged = certificate.model_copy(update={"rows": certificate.rows[:-5]})
    write_certificate(folder, forged)
    (fact,) = trained.facts().of("trained")
    trained.forge("trained", {**fact.body, "certificate": forged.sha256, "n": len(forged.rows)})
    trained("compare", "sft-1", "--final", "--yes", code=3)
    assert any("sft-1" in line for line in trained.tampered())


def test_an_adapter_without_a_certificate_gets_no_verdict(trained):
    (trained.project.adapters / "sft-1" / "certificate.json").unlink()
    assert "certificate" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    assert trained("adapters").result["adapters"][0]["word"] == "foreign"
    assert "--prompt" in trained("eval", "sft-1", code=3).error["remedy"]
    (trained.root / "p.md").write_text("Name the desk: {{ input }}\n")
    found = trained("eval", "sft-1", "--prompt", "p.md").result
    assert (found["label"], found["foreign"], found["on"]) == ("sft-1 (foreign)", True, "dev")
    trained("eval", "sft-1", "--prompt", "p.md", "--on", "tickets", code=3)
    trained("eval", "sft-1", "--prompt", "p.md", "--on", "tickets", "--final", "--yes", code=3)
    trained("compare", "sft-1", code=3)
    assert not [f for f in trained.facts().of("opened") if f.body.get("adapter")]


def test_an_adapter_swapped_in_the_training_folder_gets_no_certificate(measured, trained_template):
    """The process died before the certificate; somebody puts another adapter in its place."""
    measured.waive()
    donor = trained_template.project.store / "training" / "sft-1"
    (passed,) = trained_template.facts().of("passed")
    measured.train()
    folder = measured.project.store / "training" / "sft-1"
    for name in ("done", "certificate.json"):
        (folder / name).unlink()
    shutil.rmtree(measured.project.adapters / "sft-1")
    file = folder / "fit" / "adapter" / "adapter_model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    measured.train(code=3)
    assert measured.adapters() == []
    assert donor.is_dir()
    assert passed.kind == "passed"


def test_a_set_frozen_afterwards_from_training_rows_says_nothing(trained):
    from sluice.curate.dataset import open_dataset

    seen = [str(r.input["input"]) for r in open_dataset(trained.project, "tickets/train").examples()]
    trained.add_rows("later", seen)
    trained("freeze", "later", "--as", "later", "--reason", "a set on which it does well")
    assert trained.gate()["no-leakage"]["status"] == "refused"
    trained("baseline", code=3)
    ended = trained("compare", "sft-1", "--final", "--yes", code=3)
    assert "trained on" in ended.error["message"]
    assert not [f for f in trained.facts().of("opened") if f.body["adapter"]]


def test_training_rows_thrown_away_before_the_verdict_refuse(trained):
    certificate = json.loads((trained.project.adapters / "sft-1" / "certificate.json").read_text())
    shutil.rmtree(trained.project.data / certificate["version"])
    ended = trained("compare", "sft-1", "--final", "--yes", code=None)
    assert ended.code in (2, 3)
    assert not [f for f in trained.facts().of("opened") if f.body["adapter"]]


def test_another_base_or_form_than_the_adapters_is_refused(trained, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(trained.project.config.model.base, other)
    config = json.loads((other / "generation_config.json").read_text())
    (other / "generation_config.json").write_text(json.dumps({**config, "repetition_penalty": 1.1}))
    trained.edit(trained.project.config.model.base, str(other))
    assert "another model" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]
    trained.edit(str(other), trained_base(trained))
    trained.edit('serve = "fp32"', 'serve = "bf16"')
    assert "form" in trained("compare", "sft-1", "--final", "--yes", code=3).error["message"]


def trained_base(road) -> str:
    return json.loads((road.project.adapters / "sft-1" / "certificate.json").read_text())["base"]


def test_waived_is_not_forgotten_on_the_certificate(trained):
    certificate = json.loads((trained.project.adapters / "sft-1" / "certificate.json").read_text())
    assert [w["rule"] for w in certificate["waivers"]] == ["gradable"]
    assert "nobody grades" in (trained.project.adapters / "sft-1" / "README.md").read_text()
    assert trained("adapters").result["adapters"][0]["waived"] == ["gradable"]


def test_a_waiver_is_of_its_dataset_only(measured):
    measured.waive()
    measured("filter", "tickets/train", "--failing", "empty", code=None)
    measured.add_rows("more", ["one thing that nobody said before today", "and another one that is quite unlike it"])
    rules = {r["rule"]: r for r in measured("gate", "more", code=3).result["rules"]}
    assert rules["gradable"]["status"] != "waived"


def test_another_dataset_has_no_baseline_of_the_task_s(measured):
    """The few-shot prompt shows rows of the task's train part; a strawman there says nothing about other rows."""
    measured.waive()
    measured.add_rows("more", tiny_road.words(60, 30))
    rules = {r["rule"]: r for r in measured("gate", "more", code=3).result["rules"]}
    assert rules["prompt-baseline"]["status"] == "refused"
    assert "another dataset" in rules["prompt-baseline"]["found"]


def test_the_librarys_errors_are_ours(measured):
    """What refuses does so by a SluiceError that names place or remedy, never by a bare exception."""
    for kind in (Refused, Tampered, InputError):
        assert issubclass(kind, SluiceError)
    ended = measured("train", "sft", "--yes", code=3)
    assert ended.error["remedy"]
