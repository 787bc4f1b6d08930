"""A published folder is loaded by Hugging Face datasets, polars and mlcroissant, and says only what is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.card import card
from sluice.curate.dataset import open_dataset
from sluice.curate.export import export_to_folder
from sluice.curate.formats import FileStands, ReadOptions, read_files
from sluice.curate.operation import Outcome, commit
from sluice.curate.publish import folder as folder_module
from sluice.curate.publish import tables
from sluice.curate.publish.words import CardWords, how_to_state, read_words
from sluice.curate.sample import sample
from sluice.curate.splits.parts import split_dataset

TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "default": None}}}]
STATED = CardWords(
    title="The d", license="CC-BY-4.0", language=("en",), description="Things that broke.", creators=("A",)
)

WORDS = ["bike", "lamp", "saddle", "lock", "chain", "pedal", "bell", "tyre", "rim", "spoke", "frame", "fork"]


def call(**arguments: Any) -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": {"name": "find", "arguments": arguments}}


@pytest.fixture
def talks(project: Project, lines: Any, tmp_path: Path) -> Project:
    """Add a dataset `talks`: two chats whose calls have other arguments."""
    chats = [
        {"role": "user", "content": "Where is 7?"},
        {"role": "assistant", "content": "", "tool_calls": [call(number=7)]},
        {"role": "tool", "content": "here", "tool_call_id": "1"},
        {"role": "assistant", "content": "Here."},
    ]
    other = [
        {"role": "user", "content": "And Ana's?"},
        {"role": "assistant", "tool_calls": [call(who=["Ana"], x=None)]},
    ]
    records = [{"messages": chats, "tools": TOOLS}, {"messages": other, "tools": TOOLS}]
    add(project, "talks", [lines(tmp_path / "talks.jsonl", *records)], ReadOptions())
    return project


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "cache"


def load(folder: Path, cache: Path) -> Any:
    from datasets import load_dataset

    return load_dataset(str(folder), cache_dir=str(cache))


def test_parts_become_splits_that_datasets_loads(project: Project, tmp_path: Path, cache: Path):
    split_dataset(project, "d", eval=10, dev=6)
    result = export_to_folder(project, "d", tmp_path / "out", STATED)
    assert {s.split: s.rows for s in result.splits} == {"train": 44, "validation": 6, "test": 10}
    loaded = load(tmp_path / "out", cache)
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 44, "validation": 6, "test": 10}
    assert loaded["train"].column_names == ["body", "label", "customer"]
    kept = open_dataset(project, "d/train").rows()
    assert [(row["body"], row["label"]) for row in loaded["train"]] == [(r.input["body"], r.target) for r in kept]  # type: ignore


def test_chats_with_calls_of_uneven_arguments_come_back_as_they_were(talks: Project, tmp_path: Path, cache: Path):
    export_to_folder(talks, "talks", tmp_path / "out", STATED)
    rows = list(load(tmp_path / "out", cache)["train"])
    assert rows[0]["messages"][1]["tool_calls"] == [call(number=7)]
    assert rows[1]["messages"][1]["tool_calls"] == [call(who=["Ana"], x=None)]
    assert rows[0]["tools"] == TOOLS


def test_columns_of_any_type_and_name_are_loaded_as_they_were(tmp_path: Path, lines: Any, cache: Path):
    values: dict[str, Any] = {
        "n": 2**53 + 1,
        "big": 2**70,
        "x": 0.5,
        "yes": True,
        "tags": ["a", "b"],
        "deep": [[1], []],
        "mixed": "1",
        "object": {"a": None, "b": [1]},
        'größe: "of" it\n|': "m",
        "- no": "yes",
        "\x85\u2028😀": "odd",
        "none": None,
        "empty": [],
    }
    other = {"body": "y", "mixed": 1, "object": [1], "x": 1}
    project = Project(tmp_path)
    add(project, "d", [lines(tmp_path / "d.jsonl", {"body": "x", **values}, other)], ReadOptions(input="body"))
    result = export_to_folder(project, "d", tmp_path / "out", CardWords())
    assert result.inexact == {"big": "values became text"}
    rows = list(load(tmp_path / "out", cache)["train"])
    kept = {name: value for name, value in values.items() if name != "none"} | {"big": str(2**70)}
    assert {name: rows[0][name] for name in kept} == kept
    assert (rows[1]["mixed"], rows[1]["object"], rows[1]["x"], rows[1]["n"]) == (1, [1], 1.0, None)
    assert len(croissant_records(tmp_path / "out")) == 2


@pytest.mark.parametrize("name", ["d", "talks"])
def test_a_saved_dataset_is_loaded_and_is_the_same_rows(talks: Project, tmp_path: Path, name: str):
    from datasets import load_from_disk

    export_to_folder(talks, name, tmp_path / "out", STATED, format="hf-disk")
    loaded = load_from_disk(str(tmp_path / "out"))
    rows = open_dataset(talks, name).rows()
    assert list(loaded) == ["train"]
    assert len(loaded["train"]) == len(rows)
    options = ReadOptions() if name == "talks" else ReadOptions(input="body", target="label")
    again = [r.row for r in read_files([tmp_path / "out"], options, str).files[0][1].rows]
    assert [r.row for r in again] == [r.row for r in rows]


def test_shards_hold_all_rows_in_order(project: Project, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    import polars as pl

    monkeypatch.setattr(tables, "SHARD", 2000)
    result = export_to_folder(project, "d", tmp_path / "out", STATED)
    files = [file.path for file in result.splits[0].files]
    assert len(files) > 2
    assert files[1] == f"data/train-00001-of-{len(files):05}.parquet"
    read = pl.concat([pl.read_parquet(tmp_path / "out" / file) for file in files])
    assert read["body"].to_list() == [r.input["body"] for r in open_dataset(project, "d").rows()]  # type: ignore[index]
    assert load(tmp_path / "out", cache)["train"]["body"][:] == read["body"].to_list()
    assert len(croissant_records(tmp_path / "out")) == 60


def croissant_records(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    import mlcroissant

    found = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not found.metadata.issues.errors
    return list(found.records(split))


def test_croissant_is_valid_and_gives_the_rows(talks: Project, tmp_path: Path):
    export_to_folder(talks, "d", tmp_path / "out", STATED)
    records = croissant_records(tmp_path / "out")
    rows = open_dataset(talks, "d").rows()
    assert [r["train/body"].decode() for r in records] == [row.input["body"] for row in rows]  # type: ignore[index]
    told = json.loads((tmp_path / "out" / "croissant.json").read_text())
    assert told["license"] == "CC-BY-4.0"
    assert "datePublished" not in told
    export_to_folder(talks, "talks", tmp_path / "talks", STATED)
    said = [turn["train/messages/content"] for turn in croissant_records(tmp_path / "talks")[0]["train/messages"]]
    assert [text.decode() for text in said] == ["Where is 7?", "", "here", "Here."]


def test_a_folder_names_every_file_and_no_place_of_the_machine(project: Project, tmp_path: Path, lines: Any):
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    more = lines(elsewhere / "more.jsonl", {"body": "a very different one of its own", "label": "y"})
    add(project, "d", [more], ReadOptions(input="body", target="label"))
    result = export_to_folder(project, "d", tmp_path / "out", STATED)
    told = json.loads((tmp_path / "out" / "sluice.json").read_text())
    paths = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert {file["path"] for file in told["files"]} | {"sluice.json"} == paths
    assert told["splits"][0]["version"] == open_dataset(project, "d").hash == result.splits[0].version
    assert [s["name"] for s in told["sources"]] == ["d.jsonl", "more.jsonl"]
    for path in paths:
        if not path.endswith(".parquet"):
            assert str(tmp_path.parent) not in (tmp_path / "out" / path).read_text()


def test_the_same_version_gives_the_same_folder_and_others_are_kept(project: Project, tmp_path: Path, lines: Any):
    out = tmp_path / "out"
    first = export_to_folder(project, "d", out, STATED)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    assert export_to_folder(project, "d", out, STATED).sha256 == first.sha256
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    assert export_to_folder(project, "d", tmp_path / "again", STATED).sha256 == first.sha256
    with pytest.raises(FileStands):
        export_to_folder(project, "d", out, CardWords())
    assert export_to_folder(project, "d", out, CardWords(), replace=True).sha256 != first.sha256
    (out / "mine.txt").write_text("mine")
    for words in (STATED, CardWords()):
        with pytest.raises(InputError, match="no export"):
            export_to_folder(project, "d", out, words, replace=True)
    assert (out / "mine.txt").read_text() == "mine"
    with pytest.raises(InputError):
        export_to_folder(project, "d", tmp_path, STATED, replace=True)
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []


@pytest.mark.parametrize("at_once", [True, False])
def test_a_folder_is_replaced_as_a_whole(project: Project, tmp_path: Path, monkeypatch: Any, at_once: bool):
    if not at_once:
        monkeypatch.setattr(folder_module, "exchange", lambda one, other: False)
    export_to_folder(project, "d", tmp_path / "out", STATED, format="hf-disk")
    export_to_folder(project, "d", tmp_path / "out", STATED, replace=True)
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert names == {"data/train-00000-of-00001.parquet", "README.md", "croissant.json", "sluice.json"}
    assert {p.name for p in tmp_path.iterdir()} == {"d.jsonl", ".sluice", "out"}


def test_a_folder_that_rows_were_read_from_is_kept(project: Project, tmp_path: Path):
    export_to_folder(project, "d", tmp_path / "out", STATED)
    table = tmp_path / "out" / "data" / "train-00000-of-00001.parquet"
    add(project, "again", [table], ReadOptions(input="body", target="label"))
    with pytest.raises(InputError, match="read from"):
        export_to_folder(project, "again", tmp_path / "out", STATED, replace=True)
    assert table.exists()


def test_the_card_says_what_is_missing_and_no_text_of_a_row(project: Project, tmp_path: Path):
    bare = card(project, "d", CardWords())
    assert set(bare.not_stated) == {"license", "language", "description", "creators"}
    assert "--license" in bare.text
    assert "license:" not in bare.text.split("---")[1]
    assert not any(row.input["body"] in bare.text for row in open_dataset(project, "d").rows())  # type: ignore[index]
    assert "were not run" not in bare.text
    unchecked = card(project, "d", CardWords(), checks=False)
    assert "were not run" in unchecked.text
    assert "train: not looked for" in unchecked.text
    assert "none found" not in unchecked.text
    shown = card(project, "d", STATED, samples=2)
    assert shown.not_stated == ()
    assert sum(row.input["body"] in shown.text for row in open_dataset(project, "d").rows()) == 2  # type: ignore[index]
    export_to_folder(project, "d", tmp_path / "out", STATED, samples=2)
    assert (tmp_path / "out" / "README.md").read_text() == shown.text


def test_languages_are_guessed_apart_from_what_is_stated(tmp_path: Path, lines: Any):
    text = "The tracking page has shown nothing at all for {} weeks, and nobody answers my letters about it."
    records = [{"body": text.format(i), "label": "y"} for i in range(30)]
    project = Project(tmp_path)
    add(project, "d", [lines(tmp_path / "d.jsonl", *records)], ReadOptions(input="body", target="label"))
    told = card(project, "d", CardWords(language=("de",)))
    assert told.facts.splits[0].languages == {"en": 30}
    assert "en 30" in told.text
    assert "- language: de" in told.text


def test_the_yaml_is_what_datasets_itself_writes(talks: Project, tmp_path: Path, cache: Path):
    from huggingface_hub import metadata_load

    words = CardWords(title='of: "d", #1', license="My own", language=("en", "no"), tags=("yes", "1"))
    export_to_folder(talks, "talks", tmp_path / "out", words)
    front: Any = metadata_load(tmp_path / "out" / "README.md")
    assert (front["pretty_name"], front["license"], front["license_name"]) == ('of: "d", #1', "other", "My own")
    assert front["language"] == ["en", "no"]
    assert front["tags"] == ["yes", "1", "sluice"]
    loaded = load(tmp_path / "out", cache)["train"]
    assert front["dataset_info"]["features"] == loaded.features._to_yaml_list()
    assert front["dataset_info"]["splits"][0]["num_examples"] == len(loaded)


def test_words_come_from_a_file_and_options_go_above_them(project: Project):
    (project.root / "card.toml").write_text('license = "mit"\nlanguage = "de"\n')
    assert read_words(project, license=None, language=()) == CardWords(license="mit", language=("de",))
    assert read_words(project, license="cc0-1.0").license == "cc0-1.0"
    with pytest.raises(UsageError, match="English"):
        read_words(project, language=("English",))
    (project.root / "card.toml").write_text("licence = 'mit'\n")
    with pytest.raises(InputError, match="licence"):
        read_words(project)
    (project.root / "card.toml").write_text("license =\n")
    with pytest.raises(InputError, match="TOML"):
        read_words(project)


def test_rows_that_no_part_holds_are_counted_where_the_parts_are_published(project, lines, tmp_path):
    records = [{"input": f"question {i} on the {word} in the shed", "target": "x"} for i, word in enumerate(WORDS)]
    options = ReadOptions(input="input", target="target")
    add(project, "parted", [lines(tmp_path / "d.jsonl", *records[:10])], options)
    split_dataset(project, "parted", eval=2, dev=2)
    assert export_to_folder(project, "parted", tmp_path / "one", STATED, checks=False).in_no_part == 0
    add(project, "parted", [lines(tmp_path / "more.jsonl", *records[10:])], options)
    done = export_to_folder(project, "parted", tmp_path / "two", STATED, checks=False)
    assert (done.rows, done.in_no_part) == (10, len(WORDS) - 10)
    assert export_to_folder(project, "parted/train", tmp_path / "part", STATED, checks=False).in_no_part == 0


def test_a_dataset_of_one_part_keeps_its_name(project: Project):
    sample(project, "d", 2, to="one")
    whole = open_dataset(project, "one")
    commit(
        project,
        lambda: Outcome(
            verb="split",
            parameters={},
            parents=(whole.parent,),
            contents={"one/train": whole.frame()},
            rows_in=whole.manifest.rows,
        ),
    )
    assert card(project, "one", CardWords(), checks=False).facts.dataset == "one"
    assert card(project, "one/train", CardWords(), checks=False).facts.dataset == "one/train"
    assert card(project, "one@1", CardWords(), checks=False).facts.dataset == "one"


def test_only_what_is_missing_is_asked_for():
    assert how_to_state(["creators"]) == "card.toml: creators"
    assert how_to_state(["license", "creators"]) == "options --license; card.toml: creators"
    assert how_to_state(["language"]) == "options --language"
