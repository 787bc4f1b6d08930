from __future__ import annotations

from pathlib import Path

import pytest

from sluice.core.errors import InputError
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.scaffold import InitAnswers, scaffold
from sluice.core.task import Config, parse_schema, read_config, read_schema

GOOD = """
[task]
name = "t"
data = "d"
description = "x"
[model]
base = "m"
[project]
id = "p-1"
"""


def read(tmp_path: Path, text: str | bytes) -> Config:
    file = tmp_path / "sluice.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_config(file)


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    config = read(tmp_path, "\ufeff" + GOOD)
    assert config.project_id == "p-1"
    assert config.task.metric == "exact"
    assert config.task.alpha == 0.05
    assert config.prompts.baseline == []


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    text = GOOD.replace(
        'description = "x"', 'description = "x"\nschema = "s.json"\nmargin = 0.05\ntarget = 1\nopenings = 3'
    )
    text += '[[graders]]\nname = "g"\nfile = "g.py"\nrange = [0, 1.5]\nneeds = ["target"]\n[cost]\nprompt = 1\n'
    config = read(tmp_path, text)
    assert config.task.output_schema == "s.json"
    assert config.task.target == 1.0
    assert config.graders[0].range == (0.0, 1.5)
    assert config.cost.prompt == 1.0


@pytest.mark.parametrize(
    "old, new, key, near",
    [
        ('name = "t"', 'name = "t"\nmetrik = "exact"', "task.metrik", "metric"),
        ('name = "t"', 'name = "t"\nshema = "s.json"', "task.shema", "schema"),
        ('base = "m"', 'base = "m"\nserv = "bf16"', "model.serv", "serve"),
        ("[project]", "[promts]\n[project]", "promts", "prompts"),
        ("[task]", "[tsak]", "tsak", "task"),
        ("[project]", '[[graders]]\nname = "g"\nfuncion = "f"\n[project]', "graders.0.funcion", "function"),
        ("[project]", "[gate]\nstrickt = true\n[project]", "gate.strickt", "strict"),
        ('name = "t"', 'name = "t"\nqqqq = 1', "task.qqqq", "margin"),
    ],
)
def test_an_unknown_key_names_the_near_one(tmp_path: Path, old: str, new: str, key: str, near: str) -> None:
    with pytest.raises(InputError) as problem:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert f"'{key}'" in problem.value.message
    assert near in (problem.value.remedy or "")
    assert problem.value.where == "sluice.toml"


@pytest.mark.parametrize(
    "line, key",
    [
        ("margin = true", "task.margin"),
        ('margin = "0.05"', "task.margin"),
        ("margin = 0", "task.margin"),
        ("margin = nan", "task.margin"),
        ("alpha = 1.5", "task.alpha"),
        ("alpha = 0.5", "task.alpha"),
        ("openings = 0", "task.openings"),
        ("openings = 2.0", "task.openings"),
        ("openings = true", "task.openings"),
        ('curate_only = "yes"', "task.curate_only"),
        ('claim = "bettr"', "task.claim"),
        ("rubric = 5", "task.rubric"),
        ("max_tokens = 3", "task.max_tokens"),
        ('group = ["a"]', "task.group"),
    ],
)
def test_a_value_of_the_wrong_type_names_the_key(tmp_path: Path, line: str, key: str) -> None:
    with pytest.raises(InputError) as problem:
        read(tmp_path, GOOD.replace('description = "x"', f'description = "x"\n{line}'))
    assert f"'{key}'" in problem.value.message
    assert problem.value.remedy


@pytest.mark.parametrize(
    "section, key",
    [
        ('[prompts]\nbaseline = "p.md"', "prompts.baseline"),
        ("[prompts]\nbaseline = [1]", "prompts.baseline.0"),
        ('[gate]\nstrict = "yes"', "gate.strict"),
        ('[[graders]]\nname = "g"\nrange = [0]', "graders.0.range"),
        ('[[graders]]\nname = "g"\nkind = "binery"', "graders.0.kind"),
        ('[graders]\nname = "g"', "graders"),
        ("[cost]\nprompt = inf", "cost.prompt"),
        ("gate = 5", "gate"),
    ],
)
def test_wrong_sections_name_the_key(tmp_path: Path, section: str, key: str) -> None:
    text = f"{section}\n{GOOD}" if "=" in section.split("\n")[0] else f"{GOOD}\n{section}"
    with pytest.raises(InputError) as problem:
        read(tmp_path, text)
    assert f"'{key}" in problem.value.message


@pytest.mark.parametrize("gone", ['name = "t"', 'base = "m"', 'id = "p-1"', '[project]\nid = "p-1"'])
def test_a_missing_key_is_named(tmp_path: Path, gone: str) -> None:
    with pytest.raises(InputError, match="is missing"):
        read(tmp_path, GOOD.replace(gone, ""))


@pytest.mark.parametrize(
    "text, word", [("[task\n", "TOML"), ("a = 1\na = 2", "TOML"), (b"a = '\xe4'", "UTF-8"), ("", "missing")]
)
def test_files_that_cannot_be_read(tmp_path: Path, text: str | bytes, word: str) -> None:
    with pytest.raises(InputError, match=word):
        read(tmp_path, text)


@pytest.mark.parametrize("lost", ["id", "section"])
def test_a_lost_project_id_can_be_written_again_as_the_remedy_says(tmp_path: Path, lost: str) -> None:
    start = InitAnswers(name="t", data="d", description="x", base="m", kind="json")
    identity = scaffold(tmp_path, start).project_id
    Ledger(Project(tmp_path)).write("frozen", {"set": "a"})
    file = tmp_path / "sluice.toml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("id =")]
    if lost == "section":
        kept = [line for line in kept if line != "[project]"]
    file.write_text("\n".join(kept))
    with pytest.raises(InputError, match="project") as problem:
        read_config(file)
    remedy = problem.value.remedy or ""
    line = remedy.removeprefix("write ").partition('" ')[0] + '"'
    assert identity in line  # the ledger's, so that its facts go on to count
    file.write_text("\n".join([*kept, *(["[project]"] if lost == "section" else []), line]))
    assert read_config(file).project_id == identity


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no sluice\.toml") as problem:
        read_config(tmp_path / "sluice.toml")
    assert problem.value.remedy == "sluice init"


@pytest.mark.parametrize(
    "text, word, where",
    [
        ("[]", "object", "schema.json"),
        ("3", "object", "schema.json"),
        ('"x"', "object", "schema.json"),
        ("{}", "everything", "schema.json"),
        ('{"title": "t", "$schema": "https://json-schema.org/draft/2020-12/schema"}', "everything", "schema.json"),
        ('{"type": "objekt"}', "objekt", "schema.json"),
        ('{"type": 5}', "type", "schema.json"),
        ('{"properties": 3}', "properties", "schema.json"),
        ('{"properties": {"a": {"type": "strin"}}}', "properties/a/type", "schema.json"),
        ('{"required": "a"}', "required", "schema.json"),
        ('{"pattern": "["}', "regex", "schema.json"),
        ('{"$schema": []}', "$schema", "schema.json"),
        ('{"type": "object", "type": "string"}', "'type'", "schema.json"),
        ('{"minimum": NaN}', "NaN", "schema.json"),
        ('{"$ref": "#/$defs/x"}', "#/$defs/x", "schema.json"),
        ('{"items": {"$ref": "#nowhere"}}', "#nowhere", "schema.json"),
        ('{"$ref": "https://example.org/s.json"}', "https://example.org/s.json", "schema.json"),
        ('{"type":\n  "object",\n}', "broken JSON", "schema.json:3:1"),
        ("", "broken JSON", "schema.json:1:1"),
        ("[" * 100_000, "deep", "schema.json"),
    ],
)
def test_a_schema_that_is_none_is_one_clear_error(text: str, word: str, where: str) -> None:
    with pytest.raises(InputError) as problem:
        parse_schema(text, where="schema.json")
    assert word in problem.value.message
    assert problem.value.where == where
    assert problem.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "string"}}}',
        '{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/x", "definitions": {"x": {}}}',
        '{"required": ["a"]}',
        '{"enum": [{"$ref": "#/not/a/reference"}]}',
        '{"properties": {"$ref": {"type": "string"}}}',
        '{"$id": "https://example.org/a", "$ref": "#x", "$defs": {"x": {"$anchor": "x", "type": "string"}}}',
    ],
)
def test_schemas_that_are_some(text: str) -> None:
    import json

    assert parse_schema(text, where="s") == json.loads(text)


def test_the_schema_of_the_task(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    assert read_schema(Project(tmp_path)) is None
    read(tmp_path, GOOD.replace('name = "t"', 'name = "t"\nschema = "s.json"'))
    with pytest.raises(InputError, match="does not exist"):
        read_schema(Project(tmp_path))
    (tmp_path / "s.json").write_text('{"type": "object"}')
    assert read_schema(Project(tmp_path)) == {"type": "object"}
