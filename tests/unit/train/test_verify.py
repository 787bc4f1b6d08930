"""verify: a whole project is intact, a clone without its store is absent, and every edited file is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from support import whole_project

from sluice.core.errors import Tampered
from sluice.core.files import write_synced
from sluice.core.ledger import Ledger, canonical_bytes, fact_hash
from sluice.core.project import Project
from sluice.curate.dataset import open_dataset, tag
from sluice.curate.leaks.eval_side import pinned_boilerplate
from sluice.evalsuite.models.identity import ModelFiles, identify
from sluice.train.policy import ADVICE, HARD, WAIVABLE
from sluice.train.verify import Verification, verify


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, ModelFiles]:
    root = tmp_path_factory.mktemp("whole")
    project, files = whole_project.whole_project(root)
    tag(project, "tickets@1", "gold")
    return project.root, files


@pytest.fixture
def project(whole, tmp_path) -> Project:
    shutil.copytree(whole[0], tmp_path / "project")
    return Project(tmp_path / "project")


def checked(project: Project) -> Verification:
    return verify(project, cache_dir=project.root / "cache")


def named(found: Verification, word: str) -> set[str]:
    return {f.name for f in found.findings if f.word == word}


def edit_json(file: Path, change: Callable[[dict], None]) -> None:
    body = json.loads(file.read_bytes())
    change(body)
    file.write_text(json.dumps(body))


def replace(file: Path, old: str, new: str, count: int = 1) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, count))


def one(project: Project, pattern: str) -> Path:
    return sorted(project.root.glob(pattern))[0]


def test_a_whole_project_is_intact(project):
    found = checked(project)
    assert [f for f in found.findings if f.word != "intact"] == []
    assert set(found.counts()) == {
        "ledger", "fact", "eval set", "version", "operation", "tag", "run", "adapter", "model"
    }  # fmt: skip
    assert found.word == "intact"


def test_a_clone_without_the_store_is_absent_and_no_alarm(project):
    shutil.rmtree(project.store)
    found = checked(project)
    assert found.of("tampered") == []
    assert found.word == "absent"
    assert len(found.of("absent", "run")) == 2
    assert found.of("intact", "eval set")
    assert found.of("absent", "adapter")


def test_a_project_without_a_ledger_or_toml_is_checked_too(tmp_path):
    project = whole_project.start(tmp_path)
    project.config_file.unlink()
    found = checked(Project(tmp_path))
    assert {f.word for f in found.findings} == {"intact"}
    assert {f.sort for f in found.findings} == {"version", "operation"}


def append_answer_text(project: Project) -> None:
    file = one(project, ".sluice/runs/dev-*/answers.jsonl")
    lines = file.read_text().splitlines()
    body = json.loads(lines[0])
    body["text"] = "billing" if body["text"] != "billing" else "other"
    file.write_text("\n".join([json.dumps(body), *lines[1:]]) + "\n")


def parquet_other_rows(project: Project) -> None:
    file = one(project, ".sluice/data/*/rows-0.parquet")
    frame = pl.read_parquet(file)
    frame.head(frame.height - 1).write_parquet(file)


def adapter_bytes(project: Project) -> None:
    (project.adapters / "sft-1" / "adapter_model.safetensors").write_bytes(b"others")


def ledger_file(project: Project) -> None:
    fact = Ledger(project).read().of("evaluated")[0]
    replace(project.ledger / f"{fact.hash}.json", '"cut":0', '"cut":1')


def freeze_rows(project: Project) -> None:
    replace(one(project, "evals/*/rows.jsonl"), "billing", "delivery")


def freeze_manifest(project: Project) -> None:
    edit_json(one(project, "evals/*/manifest.json"), lambda b: b.update(dataset="other/eval"))


TAMPERINGS: dict[str, tuple[Callable[[Project], object], str]] = {
    "a ledger entry": (ledger_file, "ledger/"),
    "rows of an eval set": (freeze_rows, "evals/tickets-"),
    "manifest of an eval set": (freeze_manifest, "evals/tickets-"),
    "a stored answer": (append_answer_text, ".sluice/runs/dev-"),
    "the prompt of a run": (
        lambda p: replace(one(p, ".sluice/runs/dev-*/run.json"), "Name the desk.", "Name it well."),
        ".sluice/runs/dev-",
    ),
    "the question of a run": (
        lambda p: replace(one(p, ".sluice/runs/dev-*/run.json"), '"max_new_tokens":96', '"max_new_tokens":9'),
        ".sluice/runs/dev-",
    ),
    "the seal of a run": (
        lambda p: edit_json(one(p, ".sluice/runs/tickets-*/closed.json"), lambda b: b.update(answers="0" * 64)),
        ".sluice/runs/tickets-",
    ),
    "the log of scores": (
        lambda p: replace(one(p, ".sluice/runs/tickets-*/scores.jsonl"), '"score":0.0', '"score":1.0'),
        ".sluice/runs/tickets-",
    ),
    "Parquet of a version": (parquet_other_rows, "tickets"),
    "manifest of a version": (
        lambda p: edit_json(p.data / open_dataset(p, "tickets").hash / "manifest.json", lambda b: b.update(rows=7)),
        "tickets@1",
    ),
    "a name": (
        lambda p: edit_json(p.names / "tickets" / "1.json", lambda b: b.update(version="0" * 64)),
        "tickets@1",
    ),
    "an operation": (
        lambda p: edit_json(
            p.operations / open_dataset(p, "tickets/dev").entry.operation / "operation.json",
            lambda b: b.update(results=b["results"][:1]),
        ),
        "tickets/",
    ),
    "an operation's rows": (
        lambda p: one(p, ".sluice/operations/*/occurrences.parquet").write_bytes(b"no parquet"),
        "",
    ),
    "an operation's report": (
        lambda p: replace(
            p.operations / open_dataset(p, "tickets/dev").entry.operation / "report.json", "boilerplate", "boilerplate "
        ),
        "",
    ),
    "a tag": (
        lambda p: edit_json(one(p, ".sluice/tags/tickets/*.json"), lambda b: b.update(version="1")),
        "tickets:gold",
    ),
    "an adapter": (adapter_bytes, ".sluice/adapters/sft-1"),
    "a certificate": (
        lambda p: edit_json(p.adapters / "sft-1" / "certificate.json", lambda b: b.update(waivers=[])),
        ".sluice/adapters/sft-1",
    ),
    "a card": (
        lambda p: replace(p.adapters / "sft-1" / "README.md", "Waived: gradable", "Waived: nothing"),
        ".sluice/adapters/sft-1",
    ),
    "the log of a training": (
        lambda p: replace(p.store / "training" / "sft-1" / "fit" / "log.jsonl", "2.0", "1.0"),
        ".sluice/training/sft-1/fit/log.jsonl",
    ),
    "a checkpoint": (
        lambda p: (p.store / "training/sft-1/fit/checkpoint-4/state.bin").write_bytes(b"others"),
        ".sluice/training/sft-1/fit/checkpoint-4",
    ),
}


@pytest.mark.parametrize("what", list(TAMPERINGS))
def test_an_edited_file_is_tampered_by_name(project, what):
    edit, name = TAMPERINGS[what]
    edit(project)
    found = checked(project)
    assert found.word == "tampered"
    assert any(n.startswith(name) for n in named(found, "tampered")), found.of("tampered")
    assert all(f.reason for f in found.of("tampered"))


@pytest.mark.parametrize(
    "pattern,name",
    [
        (".sluice/data/*", ""),
        (".sluice/operations/*", ""),
        (".sluice/runs/dev-*", ".sluice/runs/dev-"),
        (".sluice/adapters/sft-1", "adapter "),
        (".sluice/training/sft-1/fit/checkpoint-4", ".sluice/training/sft-1"),
        (".sluice/training/sft-1", ".sluice/training/sft-1"),
        ("evals/*", "evals/tickets-"),
    ],
)
def test_a_folder_that_is_gone_is_absent_and_never_tampered(project, pattern, name):
    shutil.rmtree(one(project, pattern))
    found = checked(project)
    assert found.of("tampered") == []
    assert any(n.startswith(name) for n in named(found, "absent"))


def test_an_operation_whose_record_of_rows_is_gone_is_absent(project):
    one(project, ".sluice/operations/*/occurrences.parquet").unlink()
    found = checked(project)
    assert found.of("tampered") == []
    assert any("occurrences.parquet" in f.reason for f in found.of("absent", "operation"))


def test_an_edited_list_of_boilerplate_is_not_frozen(project):
    part = open_dataset(project, "tickets/eval")
    pinned_boilerplate(part)
    replace(project.operations / part.entry.operation / "report.json", "boilerplate", "boilerplate ")
    with pytest.raises(Tampered, match="does not hold what was written"):
        pinned_boilerplate(part)


def test_a_model_with_other_bytes_is_tampered_and_a_missing_one_absent(tmp_path):
    project, files = whole_project.whole_project(tmp_path)
    (files.folder / "model.safetensors").write_bytes(b"other weights")
    assert named(checked(project), "tampered") == {str(files.folder)}
    assert "model.safetensors" in checked(project).of("tampered")[0].reason
    shutil.rmtree(files.folder)
    found = checked(project)
    assert found.of("tampered") == []
    assert named(found, "absent") == {str(files.folder)}


def test_another_metric_leaves_answers_intact_but_scores_absent(project):
    replace(project.config_file, '"exact"', '"normalised"')
    found = checked(Project(project.root))
    assert found.of("tampered") == []
    assert len(found.of("absent", "run")) == 2
    assert "another" in found.of("absent", "run")[0].reason


# -- forged facts: bytes that anybody can write and hash -------------------------------------------------------------


STRICT = {**dict.fromkeys((*HARD, *WAIVABLE, *ADVICE), "ok"), "gradable": "waived"}
"""What a pass under `[gate] strict` says of the rules."""


def forge(project: Project, kind: str, body: dict, parents: list[str]) -> str:
    """Write a well-formed fact with any parents into both places, as a person with an editor could."""
    entry = {
        "format": 1,
        "project": project.config.project_id,
        "kind": kind,
        "body": body,
        "parents": sorted(parents),
        "time": "2026-01-01T00:00:00Z",
        "account": "eve",
        "tool": "sluice 0.1.0",
    }
    data = canonical_bytes(entry)
    digest = fact_hash(data)
    for place in (project.ledger, project.ledger_copy):
        write_synced(place / f"{digest}.json", data)
    return digest


def says(found: Verification, kind: str, digest: str) -> str | None:
    """The reason why a fact was named as tampered."""
    return next((f.reason for f in found.of("tampered", "fact") if f.name == f"{kind} {digest[:10]}"), None)


def test_a_pass_that_stands_on_nothing_is_found(whole, project):
    body = whole_project.passed_body(project, whole[1])
    digest = forge(project, "passed", body, [])
    assert "freeze entry" in (says(checked(project), "passed", digest) or "")
    facts = Ledger(project).read()
    only_frozen = forge(project, "passed", body, [facts.of("claimed")[0].hash])
    assert "baseline" in (says(checked(project), "passed", only_frozen) or "")


@pytest.mark.parametrize(
    "change,reason",
    [
        ({"rules": {"eval-set-frozen": "ok"}}, "prompt-baseline"),
        ({"rows": "0" * 64}, "rows"),
        ({"dataset": "tickets/other"}, "waiver"),
        ({"set": "0" * 64}, "freeze entry"),
        ({"base": "0" * 64}, "baseline"),
        ({"rules": {**STRICT, "ladder": "advice"}}, "ladder"),
        ({"rules": {**STRICT, "label-agreement": "waived"}}, "label-agreement"),
    ],
)
def test_a_pass_with_other_claims_is_found(whole, project, change, reason):
    body = whole_project.passed_body(project, whole[1]) | change
    digest = forge(project, "passed", body, Ledger(project).read().heads())
    assert reason in (says(checked(project), "passed", digest) or "")


def test_a_pass_on_rows_that_repeat_eval_rows_is_found(whole, project):
    version = open_dataset(project, "tickets")
    rows = version.frame()["row"].to_list()
    body = whole_project.passed_body(project, whole[1])
    from sluice.core.runs import rows_hash

    body |= {"version": version.hash, "rows": rows_hash(rows), "n": len(rows)}
    digest = forge(project, "passed", body, Ledger(project).read().heads())
    assert "repeat an eval row" in (says(checked(project), "passed", digest) or "")


def test_a_pass_whose_grading_nobody_did_is_found(whole, project):
    body = whole_project.passed_body(project, whole[1])
    body["rules"]["gradable"] = "ok"
    digest = forge(project, "passed", body | {"waived": []}, Ledger(project).read().heads())
    assert "grading" in (says(checked(project), "passed", digest) or "")


def test_a_baseline_or_score_of_nothing_is_found(project):
    facts = Ledger(project).read()
    heads = facts.heads()
    real = facts.of("baseline")[0].body
    digest = forge(project, "baseline", real | {"eval": ["0" * 64]}, heads)
    assert "not on record" in (says(checked(project), "baseline", digest) or "")
    run = facts.of("evaluated", on="set")[0].body
    forge(project, "evaluated", run | {"mean": "0.990000"}, heads)
    assert any(f.name.endswith(run["run"]) for f in checked(project).of("tampered", "run"))


def test_an_evaluation_of_the_eval_set_that_never_opened_it_is_found(project):
    facts = Ledger(project).read()
    run = facts.of("evaluated", on="set")[0].body
    digest = forge(project, "evaluated", run | {"spec": "0" * 64}, [facts.of("claimed")[0].hash])
    assert "never opened" in (says(checked(project), "evaluated", digest) or "")


def test_a_training_without_its_pass_is_found(project):
    facts = Ledger(project).read()
    body = facts.of("trained")[0].body
    digest = forge(project, "trained", body | {"passed": "0" * 64}, facts.heads())
    assert "pass" in (says(checked(project), "trained", digest) or "")


def test_facts_of_odd_shape_are_named_and_stop_nothing(project):
    heads = Ledger(project).read().heads()
    for kind in ("frozen", "claimed", "opened", "evaluated", "baseline", "graded", "waived", "passed", "trained"):
        forge(project, kind, {"set": 7, "run": "../../x"}, heads)
    found = checked(project)
    kinds = {f.name.split()[0] for f in found.of("tampered", "fact")}
    assert kinds == {"frozen", "claimed", "opened", "evaluated", "baseline", "graded", "waived", "passed", "trained"}
    assert found.of("intact", "adapter")


def test_an_unknown_kind_is_shown_and_another_project_left_alone(project):
    forge(project, "blessed", {}, Ledger(project).read().heads())
    foreign = Project(project.root)
    entry = {"format": 1, "project": "other", "kind": "frozen", "body": {}, "parents": [], "time": "t", "account": "a"}
    data = canonical_bytes(entry | {"tool": "sluice"})
    write_synced(foreign.ledger / f"{fact_hash(data)}.json", data)
    found = checked(project)
    assert found.of("tampered") == []
    assert any("blessed" in note for note in found.notes)
    assert any("another project" in note for note in found.notes)


def test_what_a_fact_lacks_is_absent_where_its_past_is_absent(project):
    facts = Ledger(project).read()
    for place in (project.ledger, project.ledger_copy):
        (place / f"{facts.of('baseline')[0].hash}.json").unlink()
    found = checked(project)
    assert found.of("tampered", "fact") == []
    assert any(n.startswith("passed") for n in named(found, "absent"))


def test_the_identity_of_the_base_is_recomputed_not_read_from_a_cache(whole, project):
    cache = project.root / "cache"
    before = identify(whole[1], cache)
    edit_json(cache / "hashes.json", lambda b: b.update(dict.fromkeys(b, "0" * 64)))
    found = checked(project)
    assert found.of("intact", "model")
    assert identify(whole[1], cache).sha256 == before.sha256


def test_an_edited_prompt_is_found_even_where_the_rows_are_not_here(project):
    replace(one(project, ".sluice/runs/dev-*/run.json"), "Name the desk.", "Name it well.")
    shutil.rmtree(project.data)
    assert any(n.startswith(".sluice/runs/dev-") for n in named(checked(project), "tampered"))
