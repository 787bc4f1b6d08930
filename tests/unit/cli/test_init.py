"""init: what it writes can be read, nothing that exists is overwritten, and nobody is asked without a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import sys
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.app import run
from sluice.core.errors import InputError
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.scaffold import KINDS, InitAnswers, scaffold
from sluice.core.scaffold_text import config_text, toml_text
from sluice.core.task import Config, GraderConfig, Task, read_config, read_schema
from sluice.curate.adding.add import add
from sluice.curate.formats import ReadOptions

TEXT = st.text(st.characters(blacklist_categories=["Cs"]))
JSON = ["init", "--kind", "json", "--description", 'Say "it" in\none object: ünï \\ 😀']


def answers(**more) -> InitAnswers:
    known = {"name": "t", "data": "tickets", "description": "d", "base": "m", "kind": "json"}
    return InitAnswers.model_validate(known | more)


def result_of(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


@given(TEXT)
def test_any_text_is_read_back_from_its_toml(text):
    written = f"x = {toml_text(text)}"
    assert tomllib.loads(written)["x"] == text
    assert "\n" not in written


@given(TEXT, TEXT, st.lists(TEXT, min_size=2, max_size=4, unique=True))
@settings(max_examples=40)
def test_a_whole_toml_is_read_back(name, description, labels):
    task = {"name": name, "data": "d", "description": description, "rubric": "rubric.md"}
    text = config_text(task, metric="choice", base=name, identity="i", schema=None, labels=labels)
    config = Config.model_validate(tomllib.loads(text))
    assert (config.task.name, config.task.description, config.model.base) == (name, description, name)
    assert config.graders[0].choices == labels


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_makes_a_project_that_is_read(kind, tmp_path):
    found = scaffold(tmp_path, answers(kind=kind))
    project = Project(tmp_path)
    config = project.config
    assert config.task.curate_only is (kind == "curate")
    assert found.metric == config.task.metric
    assert config.project_id == found.project_id
    assert project.read_text("rubric.md", what="the rubric").strip()
    assert (read_schema(project) is not None) == (kind == "json")
    assert set(found.written) >= {"sluice.toml", "rubric.md", "prompts/", ".gitignore", ".gitattributes"}


def test_every_key_of_the_config_stands_in_the_file_and_every_commented_line_is_one(tmp_path):
    scaffold(tmp_path, answers(kind="text"))
    text = (tmp_path / "sluice.toml").read_text()
    names = {info.alias or key for key, info in Task.model_fields.items()}
    names |= set(GraderConfig.model_fields) | {
        "base",
        "serve",
        "chat_template",
        "baseline",
        "train",
        "strict",
        "prompt",
    }
    assert not [name for name in names if not re.search(rf"^(# )?{name} = ", text, re.MULTILINE)]
    live = {line.split(" = ")[0] for line in text.splitlines() if re.match(r"\w+ = ", line)}
    assert live == {"name", "data", "description", "rubric", "metric", "base", "id"}
    opened = re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.MULTILINE)
    opened = opened.replace('metric = "normalised"', 'metric = "polite"')
    Config.model_validate(tomllib.loads(opened))


@pytest.mark.parametrize("said,needs", [((), None), (("--needs", "none"), []), (("--needs", "tools"), ["tools"])])
def test_what_an_answer_takes_beside_its_input_is_kept_only_where_it_was_said(tmp_path, monkeypatch, said, needs):
    monkeypatch.chdir(tmp_path)
    assert run([*JSON, *said]) == 0
    assert read_config(tmp_path / "sluice.toml").task.needs == needs


def test_flags_alone_make_a_project_and_a_second_init_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run([*JSON, "--fields", "category,refund:boolean", "--data", "tickets"]) == 0
    assert "rubric.md" in capsys.readouterr().out
    config = read_config(tmp_path / "sluice.toml")
    assert config.task.description == JSON[-1]
    assert config.task.name == tmp_path.name
    assert config.task.metric == "fields_f1"
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert schema["properties"]["refund"]["type"] == ["boolean", "null"]
    before = (tmp_path / "sluice.toml").read_bytes()
    assert run([*JSON, "--json"]) == 2
    body = result_of(capsys)
    assert "sluice.toml" in (body["error"]["where"] or "")
    assert (tmp_path / "sluice.toml").read_bytes() == before


def test_the_only_dataset_that_is_there_becomes_the_task_s(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"body": "a", "label": "x"}\n')
    add(Project(tmp_path), "orders", ["rows.jsonl"], ReadOptions(input="body", target="label"))
    assert run(JSON) == 0
    drawn = capsys.readouterr().out
    assert read_config(tmp_path / "sluice.toml").task.data == "orders"
    assert "orders" in drawn.split("Next:")[0]  # it says so
    assert "sluice add" not in drawn


def test_of_several_datasets_none_is_chosen_and_they_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"body": "a", "label": "x"}\n')
    for name in ("orders", "parcels"):
        add(Project(tmp_path), name, ["rows.jsonl"], ReadOptions(input="body", target="label"))
    assert run([*JSON, "--name", "desk"]) == 0
    assert read_config(tmp_path / "sluice.toml").task.data == "desk"
    assert "orders, parcels" in capsys.readouterr().out


def test_the_library_refuses_too_before_it_writes_anything(tmp_path):
    (tmp_path / "sluice.toml").write_text("")
    with pytest.raises(InputError) as caught:
        scaffold(tmp_path, answers())
    assert caught.value.where == "sluice.toml"
    assert [p.name for p in tmp_path.iterdir()] == ["sluice.toml"]


@pytest.mark.parametrize("lacking,flag", [("--description", "--description"), ("--kind", "--kind")])
def test_without_a_terminal_the_missing_flag_is_named_and_nothing_written(lacking, flag, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given_ = {"--kind": "text", "--description": "d"}
    words = [w for k, v in given_.items() if k != lacking for w in (k, v)]
    for extra in ([], ["--yes"]):
        assert run(["init", *words, *extra, "--json"]) == 2
        assert flag in result_of(capsys)["error"]["remedy"]
    assert list(tmp_path.iterdir()) == []


def test_labels_make_the_grader_choice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["init", "--kind", "classification", "--description", "Name the desk."]
    assert run([*words, "--metric", "choice", "--json"]) == 2
    assert "--labels" in result_of(capsys)["error"]["remedy"]
    assert run([*words, "--labels", "billing, other", "--json"]) == 0
    config = Project(tmp_path).config
    assert config.task.metric == "choice"
    assert config.graders[0].choices == ["billing", "other"]
    from sluice.evalsuite.question import task_grader

    grader = task_grader(Project(tmp_path))
    assert grader.grade({}, "billing", "billing").score == 1.0


def test_an_unknown_metric_is_said_with_the_near_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run([*JSON, "--metric", "field_f1", "--json"]) == 2
    assert "fields_f1" in result_of(capsys)["error"]["remedy"]
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_kept_and_git_files_get_only_what_they_lack(tmp_path):
    (tmp_path / "rubric.md").write_text("mine\n")
    (tmp_path / ".gitignore").write_text("*.pyc\n.sluice/")
    (tmp_path / ".gitattributes").write_text("*.png binary")
    found = scaffold(tmp_path, answers())
    assert (tmp_path / "rubric.md").read_text() == "mine\n"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.sluice/"
    attributes = (tmp_path / ".gitattributes").read_text().splitlines()
    assert attributes[0] == "*.png binary"
    assert "ledger/** -text" in attributes
    assert found.extended == (".gitattributes",)
    assert {"rubric.md", ".gitignore"} <= set(found.kept)
    (tmp_path / "sluice.toml").unlink()
    scaffold(tmp_path, answers())
    assert (tmp_path / ".gitattributes").read_text().splitlines() == attributes


def test_own_files_are_used_where_they_lie_or_copied_and_never_over_another(tmp_path):
    inside, outside = tmp_path / "p" / "docs" / "right.md", tmp_path / "schema of ours.json"
    inside.parent.mkdir(parents=True)
    inside.write_text("right is right\n")
    outside.write_text('{"type": "object", "required": ["a"]}')
    scaffold(tmp_path / "p", answers(rubric=inside, schema_file=outside))
    config = Project(tmp_path / "p").config
    assert config.task.rubric == "docs/right.md"
    assert "docs/right.md -text" in (tmp_path / "p" / ".gitattributes").read_text()
    assert not (tmp_path / "p" / "rubric.md").exists()
    assert json.loads((tmp_path / "p" / "schema.json").read_text())["required"] == ["a"]
    other = tmp_path / "q"
    other.mkdir()
    (other / "schema.json").write_text('{"type": "array"}')
    with pytest.raises(InputError) as caught:
        scaffold(other, answers(schema_file=outside))
    assert caught.value.where == "schema.json"
    assert sorted(p.name for p in other.iterdir()) == ["schema.json"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": "My Tickets"},
        {"data": "tickets/train"},
        {"description": "  "},
        {"fields": ("a:text",)},
        {"fields": ("a", "b", "a:boolean")},
        {"kind": "text", "labels": ("a", "b")},
        {"labels": ("a",)},
        {"labels": ("a", "a")},
        {"rubric": Path("no-such-file.md")},
        {"description": "\ud800"},
    ],
)
def test_an_answer_that_cannot_be_writes_nothing(wrong, tmp_path):
    with pytest.raises(InputError) as caught:
        scaffold(tmp_path, InitAnswers.model_construct(**(answers().model_dump() | wrong)))
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_the_id_of_an_earlier_toml_is_kept_so_that_its_facts_count(tmp_path):
    first = scaffold(tmp_path, answers())
    Ledger(Project(tmp_path)).write("frozen", {"set": "a"})
    (tmp_path / "sluice.toml").unlink()
    again = scaffold(tmp_path, answers())
    assert again.project_id == first.project_id
    assert again.notes
    assert len(Ledger(Project(tmp_path)).read().facts) == 1


def test_on_a_terminal_it_asks_for_what_no_flag_says(tmp_path):
    argv = [sys.executable, "-m", "sluice", "init"]
    typed = ["", "tickets", "What is wanted, really", "json", "yes", "category,refund:boolean"]
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvpe(argv[0], argv, {**os.environ, "TERM": "dumb"})
    shown, asked, end = b"", 0, time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([handle], [], [], 0.2)[0]:
            try:
                piece = os.read(handle, 65536)
            except OSError:
                break
            shown += piece
            if not piece:
                break
            if asked < len(typed) and shown.rstrip(b" ").endswith(b":"):
                os.write(handle, (typed[asked] + "\n").encode())
                asked += 1
                shown += b"\n"
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(handle)
    assert code == 0, shown.decode()
    assert asked == len(typed)
    config = read_config(tmp_path / "sluice.toml")
    assert (config.task.name, config.task.data) == (tmp_path.name, "tickets")
    assert "refund" in (tmp_path / "schema.json").read_text()
