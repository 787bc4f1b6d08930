"""Which files the words of a command mean: folders, patterns, saved datasets, ids of the hub, stdin."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run
from sluice.core.errors import BadPath, InputError, SurroundingsError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.formats import Entry, ReadOptions
from sluice.curate.formats.gather import gather
from sluice.curate.formats.hub import Hub, choose_files, hub_entries
from tests.support.malformed import arrow, table

BODY = ReadOptions(input="body")
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, text: str = "") -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text or json.dumps({"body": path}) + "\n")


def names(*words: str) -> list[str]:
    return [str(e.path) for e in gather(words).entries]


def test_a_folder_is_its_files_of_known_forms_sorted_and_what_is_passed_over_is_named(here: Path):
    for file in ("raw/b.jsonl", "raw/a.csv.gz", "raw/deep/c.parquet", "raw/notes.txt", "raw/x.bin", "raw/old.xls"):
        put(file)
    put("raw/.hidden.jsonl")
    put("raw/.git/config.json")
    put("raw/dataset_info.json")
    (here / "raw/gone.jsonl").symlink_to("nowhere")
    found = gather(["raw"])
    assert [str(e.path) for e in found.entries] == ["raw/a.csv.gz", "raw/b.jsonl", "raw/deep/c.parquet"]
    passed = {p.file: p.reason for p in found.passed_over}
    assert set(passed) == {"raw/notes.txt", "raw/x.bin", "raw/old.xls", "raw/dataset_info.json", "raw/gone.jsonl"}
    assert all(passed.values())


def test_a_folder_of_texts_is_its_texts(here: Path):
    put("corpus/2.txt")
    put("corpus/1.md")
    assert names("corpus") == ["corpus/1.md", "corpus/2.txt"]
    put("empty/x.bin")
    with pytest.raises(BadPath, match=r"x\.bin"):
        gather(["empty"])


def test_a_pattern_is_expanded_sorted_and_a_file_of_that_name_is_itself(here: Path):
    for file in ("raw/b.jsonl", "raw/a.jsonl", "raw/deep/c.jsonl", "raw/x[1].jsonl"):
        put(file)
    assert names("raw/*.jsonl") == ["raw/a.jsonl", "raw/b.jsonl", "raw/x[1].jsonl"]
    assert names("raw/**/*.jsonl")[-1] == "raw/x[1].jsonl"
    assert "raw/deep/c.jsonl" in names("raw/**/*.jsonl")
    assert names("raw/x[1].jsonl") == ["raw/x[1].jsonl"]
    assert [p.file for p in gather(["raw/*"]).passed_over] == ["raw/deep"]
    for pattern, says in (("raw/*.csv", "nothing matches"), ("raw/d*p", "only folders")):
        with pytest.raises(BadPath, match=says):
            gather([pattern])


def test_a_file_named_twice_is_read_once(here: Path):
    put("raw/a.jsonl")
    (here / "same.jsonl").symlink_to("raw/a.jsonl")
    assert names("raw/a.jsonl", "./raw/a.jsonl", "raw", "same.jsonl", "raw/*") == ["raw/a.jsonl"]


def saved(folder: str, parts: int = 2, **state: Any) -> None:
    put(f"{folder}/dataset_info.json", "{}")
    files = [{"filename": f"data-{i:05}-of-{parts:05}.arrow"} for i in range(parts)]
    put(f"{folder}/state.json", json.dumps({"_data_files": files, "_split": None, **state}))
    for number, file in enumerate(files):
        content = table(body=[f"{folder} {number} {i}" for i in range(3)])
        (Path(folder) / file["filename"]).write_bytes(arrow(content, stream=True))


def test_a_saved_dataset_is_its_arrow_files_in_the_order_of_its_state(here: Path):
    saved("ds")
    put("ds/cache-1.arrow")
    result = add(Project(here), "d", ["ds"], BODY)
    assert [(f.file, f.format, f.rows) for f in result.files] == [
        ("ds/data-00000-of-00002.arrow", "arrow", 3),
        ("ds/data-00001-of-00002.arrow", "arrow", 3),
    ]
    put("all/more.jsonl")
    saved("all/ds")
    assert len(names("all")) == 3


def test_a_dataset_dict_is_never_poured_together(here: Path):
    saved("dd/train")
    saved("dd/test")
    put("dd/dataset_dict.json", '{"splits": ["train", "test"]}')
    with pytest.raises(InputError, match="train, test") as caught:
        gather(["dd"])
    assert "dd/train" in (caught.value.remedy or "")
    assert len(names("dd/test")) == 2
    put("dd/dataset_dict.json", '{"splits": ["train"]}')
    assert len(names("dd")) == 2


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"_indices_files": [{"filename": "i.arrow"}]}, "indices"),
        ({"_data_files": [{"filename": "../other.arrow"}]}, "not in this folder"),
        ({"_data_files": [{"filename": "gone.arrow"}]}, "missing"),
        ({"_data_files": "all"}, "lists no data files"),
        ({"_data_files": []}, "without files"),
    ],
)
def test_a_saved_dataset_that_is_not_whole_is_refused(here: Path, state: dict[str, Any], says: str):
    saved("ds", **state)
    with pytest.raises(InputError, match=says) as caught:
        gather(["ds"])
    assert caught.value.remedy


def hub(files: list[str], folder: Path) -> tuple[Hub, list[tuple[str, ...]]]:
    """Return a hub with these files, and what is asked of it."""
    asked: list[tuple[str, ...]] = []

    def listed(repo: str, revision: str | None) -> tuple[str, list[str]]:
        asked.append((repo, revision or ""))
        return SHA, files

    def fetch(repo: str, commit: str, file: str) -> Path:
        asked.append((repo, commit, file))
        put(str(folder / file))
        return folder / file

    return Hub(listed, fetch), asked


def test_an_id_of_the_hub_is_its_data_files_at_one_commit(here: Path):
    fake, asked = hub(["README.md", "data/train-0.jsonl", "data/train-1.jsonl", ".gitattributes"], here / "cache")
    entries = hub_entries("hf://owner/name@v1%2Fx", hub=fake)
    assert [e.name for e in entries] == [f"hf://owner/name@{SHA}/data/train-{i}.jsonl" for i in (0, 1)]
    fetched = [("owner/name", SHA, f"data/train-{i}.jsonl") for i in (0, 1)]
    assert asked == [("owner/name", "v1/x"), *fetched]
    result = add(Project(here), "d", entries, BODY)
    assert [f.file for f in result.files] == [e.name for e in entries]
    again = add(Project(here), "d", hub_entries("hf://datasets/owner/name/train", hub=fake), BODY)
    assert not again.changed


FILES = ["README.md", "en/train.parquet", "en/test.parquet", "de/train.parquet", "de/test.parquet"]


@pytest.mark.parametrize(
    ("files", "rest", "chosen"),
    [
        (["train.jsonl"], "", ["train.jsonl"]),
        (["a.csv", "b.csv"], "", ["a.csv", "b.csv"]),
        (["train.jsonl", "test.jsonl"], "test", ["test.jsonl"]),
        (["data/train-00-of-02.parquet", "data/test-00.parquet"], "train", ["data/train-00-of-02.parquet"]),
        (["train/x.json.gz", "valid/y.json.gz"], "valid", ["valid/y.json.gz"]),
        (FILES, "en/test", ["en/test.parquet"]),
        (FILES, "de/train.parquet", ["de/train.parquet"]),
        (["a.txt", "b.csv"], "a.txt", ["a.txt"]),
    ],
)
def test_which_files_of_a_repository_are_meant(files: list[str], rest: str, chosen: list[str]):
    assert choose_files(files, rest, f"hf://o/n/{rest}") == chosen


@pytest.mark.parametrize(
    ("files", "rest", "says", "remedy"),
    [
        (["train.jsonl", "test.jsonl"], "", "splits test, train", "hf://o/n/test"),
        (FILES, "", "subsets de, en", "hf://o/n/de"),
        (FILES, "en", "splits test, train", ""),
        (["train.jsonl", "other.jsonl"], "", "and others", "other.jsonl"),
        (["n.py", "README.md"], "", "a script", "convert"),
        (["README.md", "model.safetensors"], "", "no file of a form", ""),
        (["train.jsonl"], "tset", "no file, folder or split", "train.jsonl"),
    ],
)
def test_what_could_be_several_things_is_refused(files: list[str], rest: str, says: str, remedy: str):
    with pytest.raises(InputError, match=says) as caught:
        choose_files(files, rest, f"hf://o/n/{rest}".rstrip("/"))
    assert remedy in (caught.value.remedy or "")


def test_a_word_that_is_no_id_and_a_hub_out_of_reach(here: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="no id"):
        gather(["hf://squad"])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(here / "cache"))
    with pytest.raises(SurroundingsError, match="cannot be reached") as caught:
        gather(["hf://o/n"])
    assert caught.value.exit_code == 5


def test_a_hub_that_does_not_answer_is_the_surroundings(here: Path):
    """A real connection, refused: what the client raises then is no OSError."""
    code = "from sluice.cli.app import run; raise SystemExit(run(['add', 'd', 'hf://o/n', '--json']))"
    env = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_HOME": str(here)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "cannot be reached" in json.loads(done.stdout)["error"]["message"]


def test_without_a_network_the_local_cache_answers(here: Path, monkeypatch: pytest.MonkeyPatch):
    repo = "cache/datasets--o--n"
    put(f"{repo}/snapshots/{SHA}/data/train.jsonl")
    put(f"{repo}/refs/main", SHA)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(here / "cache"))
    (entry,) = gather(["hf://o/n"]).entries
    assert entry.name == f"hf://o/n@{SHA}/data/train.jsonl"
    assert entry.path.read_text()


class Piped:
    """What stands in for stdin."""

    def __init__(self, data: bytes, terminal: bool = False):
        self.buffer = io.BytesIO(data)
        self.isatty: Callable[[], bool] = lambda: terminal


@pytest.mark.parametrize(
    ("data", "options", "form"),
    [
        (b'{"body": "x"}\n', [], "jsonl"),
        (b'[{"body": "x"}]', [], "json"),
        (b"body,n\nx,1\ny,2\n", [], "csv"),
        (arrow(table(body=["x"])), [], "arrow"),
        (b"body\nx\n", ["--format", "csv"], "csv"),
    ],
)
def test_stdin_is_told_by_content_or_named(here, monkeypatch, capsys, data: bytes, options: list[str], form: str):
    for verb in (["add", "d"], ["audit"]):
        monkeypatch.setattr("sys.stdin", Piped(data))
        assert run([*verb, "-", "--input", "body", *options, "--json"]) == 0
        result = json.loads(capsys.readouterr().out)["result"]
        assert result["files"][0]["format"] == form if "files" in result else result["of"] == "stdin"
    assert result["report"]["rows"] >= 1


def test_stdin_without_a_pipe_or_a_form(here, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", Piped(b"", terminal=True))
    assert run(["add", "d", "-", "--json"]) == 2
    assert "piped" in json.loads(capsys.readouterr().out)["error"]["message"]
    monkeypatch.setattr("sys.stdin", Piped(b"some prose, and more"))
    assert run(["audit", "-", "--json"]) == 2
    assert "--format" in json.loads(capsys.readouterr().out)["error"]["remedy"]


def test_an_entry_with_bytes_is_remembered_by_its_name(here: Path):
    result = add(Project(here), "d", [Entry(Path("stdin"), name="stdin", data=b'{"body": "x"}\n')], BODY)
    assert [f.file for f in result.files] == ["stdin"]
