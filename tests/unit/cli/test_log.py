"""log: every fact in one line, what stands under another first, names in the place of hashes."""

from __future__ import annotations

import json

import pytest
from support.whole_project import whole_project

from sluice.cli.app import run
from sluice.core.files import write_synced
from sluice.core.ledger import Ledger, canonical_bytes, fact_hash
from sluice.core.project import Project
from sluice.core.story import story


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return whole_project(tmp_path_factory.mktemp("log"))[0]


def test_the_story_in_order_with_names(project):
    facts = Ledger(project).read().facts
    told = story(project)
    assert [line.hash for line in told.lines] == [f.hash for f in facts]
    at = {line.hash: i for i, line in enumerate(told.lines)}
    assert all(at[p] < at[f.hash] for f in facts for p in f.parents)
    texts = {line.kind: line.text for line in told.lines}
    assert "tickets: eval set of 30 rows" in texts["frozen"]
    assert "exact" in texts["claimed"]
    assert "tickets" in texts["opened"]
    assert "zero-shot" in texts["baseline"]
    assert "gradable" in texts["waived"]
    assert "sft-1" in texts["trained"]
    assert all("\n" not in line.text and len(line.text) < 200 for line in told.lines)
    assert next(line for line in told.lines if line.kind == "waived").account == "ana"


def test_an_opening_is_counted_of_k_and_a_second_candidate_too(project, tmp_path):
    import shutil

    shutil.copytree(project.root, tmp_path / "p")
    copy = Project(tmp_path / "p")
    facts = Ledger(copy).read()
    digest = facts.of("frozen")[0].body["set"]
    for spec, adapter in (("1" * 64, facts.of("trained")[0].body["adapter"]), ("2" * 64, "9" * 64)):
        Ledger(copy).write("opened", {"set": digest, "spec": spec, "role": "eval", "adapter": adapter})
    last = story(copy, 2)
    assert [line.text for line in last.lines] == [
        "opened tickets for sft-1: opening 1 of 1",
        "opened tickets for the adapter 99999999: opening 2 of 1",
    ]
    assert last.total == len(facts.facts) + 2


def test_a_changed_question_names_what_changed(project, tmp_path):
    import shutil

    shutil.copytree(project.root, tmp_path / "p")
    copy = Project(tmp_path / "p")
    claimed = Ledger(copy).read().of("claimed")[0].body
    question = claimed["question"] | {"margin": "0.050000", "claim": "not-worse"}
    Ledger(copy).write("claimed", {"set": claimed["set"], "question": question, "reason": "cheaper is enough"})
    text = story(copy, 1).lines[0].text
    assert "claim, margin" in text
    assert "cheaper is enough" in text


def test_unknown_kinds_and_odd_bodies_are_shown(project, tmp_path, monkeypatch, capsys):
    import shutil

    shutil.copytree(project.root, tmp_path / "p")
    copy = Project(tmp_path / "p")
    for kind, body in (("blessed", {"by": "a priest"}), ("claimed", {"question": 3}), ("baseline", {"dev": 1})):
        entry = {"format": 1, "project": copy.config.project_id, "kind": kind, "body": body, "parents": [], "time": "t"}
        data = canonical_bytes(entry | {"account": "a", "tool": "x"})
        write_synced(copy.ledger / f"{fact_hash(data)}.json", data)
    monkeypatch.chdir(copy.root)
    assert run(["log"]) == 0
    drawn = capsys.readouterr().out
    assert "blessed (unknown to this version) by a priest" in drawn
    assert drawn.count("\n") == len(Ledger(copy).read().facts)


def test_the_last_lines_and_json(project, monkeypatch, capsys):
    monkeypatch.chdir(project.root)
    assert run(["log", "-n", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert [line["kind"] for line in result["lines"]] == ["passed", "trained"]
    assert result["total"] == len(Ledger(project).read().facts)
    assert run(["log", "-n", "0"]) == 2
    capsys.readouterr()


def test_an_empty_ledger_says_so(tmp_path, monkeypatch, capsys):
    (tmp_path / ".sluice").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(["log"]) == 0
    assert "sluice status" in capsys.readouterr().out


def test_a_copy_of_an_adapter_renames_no_old_fact_and_a_part_is_named(project, tmp_path):
    import shutil

    shutil.copytree(project.root, tmp_path / "p")
    copy = Project(tmp_path / "p")
    shutil.copytree(copy.adapters / "sft-1", copy.adapters / "sft-2")
    assert [line.text for line in story(copy).lines] == [line.text for line in story(project).lines]
    asked = next(f for f in Ledger(copy).read().of("evaluated") if not f.body["set"])
    run_file = copy.runs / str(asked.body["run"]) / "run.json"
    run_file.write_text(json.dumps({**json.loads(run_file.read_bytes()), "on": "tickets/train"}))
    assert "answered on tickets/train" in next(line.text for line in story(copy).lines if line.hash == asked.hash)
