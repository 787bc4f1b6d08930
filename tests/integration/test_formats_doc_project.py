"""docs/formats.md against a whole project on the tiny model: every file, every key, every hash.

The checks are made by support.formats_reader and by the page, with nothing of sluice; only the project is made by it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import tiny_road
from support.formats_reader import Reader, lines_of

import sluice

DOC = Path(sluice.__file__).resolve().parents[1] / "docs" / "formats.md"
pytestmark = pytest.mark.skipif(not DOC.is_file(), reason="the package is installed without its documentation")
CHAT = [
    {"role": "user", "content": "Where is parcel 7?"},
    {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "find", "arguments": {"n": 7.0}}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "in Gen\u0065\u0300ve"},
    {"role": "assistant", "content": "In Genève."},
]
MORE = {
    "chats.jsonl": [{"messages": CHAT}, {"messages": CHAT[:1]}],
    "odd.jsonl": [{"input": {"a": 1e2, "b": None, "é": [-0.0, 12345678901234567890]}, "target": {"x": 0.1}}],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, judged_template: Any) -> Path:
    """A trained and judged project to which all that else can be written was added."""
    road = judged_template.copy(tmp_path_factory.mktemp("formats") / "p")
    for name, rows in MORE.items():
        lines = [json.dumps(row) for row in rows] + (['{"input": NaN}'] if name == "odd.jsonl" else [])
        (road.root / name).write_text("".join(f"{line}\n" for line in lines))
        road("add", Path(name).stem, name)
    road("tag", "tickets@1", "first")
    road("sample", "tickets/train", "20")
    road("restore", "tickets/train", "--reason-was", "not-sampled")
    road("why", "tickets", road.eval_rows()[0]["row"])
    answers = [{"row": row["row"], "answer": "billing"} for row in road.eval_rows()]
    (road.root / "theirs.jsonl").write_text("".join(json.dumps(a) + "\n" for a in answers))
    road("baseline", "reference", "prod", "--answers", "theirs.jsonl", "--identity", "another model")
    words = ",".join(f"{i['number']}=w" for i in road("grade", "--list").result["items"])
    road("grade", "--by", "ana", "--words", words, code=None)
    other = road.copy(tmp_path_factory.mktemp("other") / "p")
    for seed, one in ((31, road), (32, other)):
        one.add_rows(f"later{seed}", tiny_road.words(seed, 24))
        one("freeze", f"later{seed}", "--as", f"later{seed}", "--reason", "frozen apart on purpose")
    for folder in ("evals", "ledger", ".sluice"):
        shutil.copytree(other.root / folder, road.root / folder, dirs_exist_ok=True)
    kept = next(p.name[-8:] for p in (road.root / "evals").iterdir() if p.name.startswith("later31"))
    road("freeze", "--keep", kept, "--reason", "the first of the two")
    road.add_rows("watch", tiny_road.words(33, 24))
    road("freeze", "watch", "--guard")
    shots = {
        s for r in road.project.runs.glob("*/run.json") for s in json.loads(r.read_bytes())["prompt"].get("shots", ())
    }
    row = next(r for r in trained_rows(road) if r not in shots)
    road("forget", "tickets", "--row", row, "--reason", "asked for by somebody", "--yes")
    road("forget", "odd", "--where", 'target={"x":0.1}', "--reason", "asked for by another", "--yes")
    (road.root / "people.jsonl").write_text('{"input": "I am a@b.example", "target": "x"}\n')
    road("add", "people", "people.jsonl")
    road("redact", "people")
    road("verify")
    return road.root


def trained_rows(road: Any) -> list[str]:
    """Return the rows that the adapter was trained on."""
    return json.loads((road.project.adapters / "sft-1" / "certificate.json").read_bytes())["rows"]


def page(heading: str) -> str:
    """Return the text under a heading, up to the next one."""
    found = re.search(rf"\n#+ {re.escape(heading)}\n(.*?)(?=\n##+ |\Z)", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"docs/formats.md has no heading {heading}"
    return found[1]


def named_in_order(text: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def named(text: str) -> set[str]:
    return set(named_in_order(text))


def keys_of(value: Any, free: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield every key at every depth, but those below `free`: maps from a name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of({} if key in free else inner, free)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner, free)


def test_every_hash_and_link_can_be_recomputed_from_the_page(project: Path, tiny_model: Path) -> None:
    reader = Reader(project, tiny_model)
    assert reader.problems == []
    kinds = {fact["kind"] for fact in reader.facts.values()}
    assert kinds == set(re.findall(r"\n- \*\*(\w+)\*\*:", page("Bodies")))
    assert {row["input_form"] for row in reader.rows.values()} == {"fields", "messages"}


def swap(old: str, new: str) -> Callable[[Path], object]:
    """Return an edit of a text file."""

    def edit(file: Path) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return edit


@pytest.mark.parametrize(
    ("place", "edit"),
    [
        ("ledger/*.json", swap('"account":"', '"account":"x')),
        ("evals/tickets-*/rows.jsonl", swap('"target":"', '"target":"x')),
        ("evals/tickets-*/manifest.json", swap('"guard": false', '"guard": true')),
        (".sluice/runs/dev-few-shot-*/answers.jsonl", swap('"text":"', '"text":"x')),
        (".sluice/runs/dev-few-shot-*/scores.jsonl", swap('"score":0.0', '"score":1.0')),
        (".sluice/runs/dev-few-shot-*/run.json", swap('"text":"Name', '"text":"name')),
        (".sluice/runs/tickets-prod-*/run.json", swap('"another model"', '"no model"')),
        (".sluice/adapters/sft-1/certificate.json", swap('"rank": 4', '"rank": 8')),
        (".sluice/adapters/sft-1/adapter_config.json", swap('"r": 4', '"r": 8')),
        (".sluice/training/sft-1/fit/log.jsonl", swap('"step": 1', '"step": 9')),
        (".sluice/names/tickets/1.json", swap('"version": "', '"version": "x')),
        (".sluice/operations/*/report.json", swap("{", "{ ")),
        ("rubric.md", swap("Right", "Wrong")),
        ("decisions/*.jsonl", swap('"item":"', '"item":"x')),
    ],
)
def test_the_reader_finds_what_was_edited(
    project: Path, tiny_model: Path, tmp_path: Path, place: str, edit: Callable[[Path], object]
) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "p"))
    edit(sorted(copy.glob(place))[0])
    assert Reader(copy, tiny_model).problems


def patterns() -> Iterator[re.Pattern[str]]:
    """Yield a pattern for each path of the table "Where things lie"."""
    kinds = {"<dataset>": "[^/]+(?:/(?:train|dev|eval))?", "<hash>": "[0-9a-f]{64}", "<version>": "[0-9a-f]{64}"}
    kinds |= {"<n>": "[0-9]+", "<step>": "[0-9]+"}
    for line in re.findall(r"^\| (`.*?) \|", page("Where things lie"), re.MULTILINE):
        paths = re.findall(r"`([^`]+)`", line)
        folder = paths[0].rpartition("/")[0]
        for path in paths:
            whole = path if "/" in path or not folder else f"{folder}/{path}"
            parts = re.split(r"(<[^>]+>|\*)", whole)
            text = "".join(kinds.get(p, "[^/]+") if p[:1] in ("<", "*") else re.escape(p) for p in parts)
            yield re.compile(text + (".+" if whole.endswith("/") else ""))


def test_every_file_is_on_the_page(project: Path) -> None:
    known = list(patterns())
    assert len(known) > 40
    operations = [json.loads(f.read_bytes()) for f in project.glob(".sluice/operations/*/operation.json")]
    sources = {s["file"] for o in operations if o["verb"] == "add" for s in o["parameters"]["files"]} | {"theirs.jsonl"}
    files = {p.relative_to(project).as_posix() for p in project.rglob("*") if p.is_file()}
    assert [f for f in sorted(files - sources) if not any(k.fullmatch(f) for k in known)] == []
    unused = [k.pattern for k in known if not any(k.fullmatch(f) for f in files)]
    assert len(unused) < len(known) / 2, unused


def test_every_key_of_a_fact_is_on_the_page(project: Path) -> None:
    column = re.findall(r"^\| (`.*?) \|", page("The question"), re.MULTILINE)
    items = dict(re.findall(r"\n- \*\*(\w+)\*\*:(.*?)(?=\n- |\n\n)", page("Bodies"), re.DOTALL))
    for file in (project / "ledger").iterdir():
        entry = json.loads(file.read_bytes())
        known = named(items[entry["kind"]]) | (named(page("The question")) if entry["kind"] == "claimed" else set())
        lacking = set(keys_of(entry["body"], frozenset({"rules", "parts"}))) - known
        assert entry["kind"] != "claimed" or set(entry["body"]["question"]) == named("".join(column))
        assert not lacking, (entry["kind"], lacking)
    rules = {
        rule for f in (project / "ledger").iterdir() for rule in json.loads(f.read_bytes())["body"].get("rules", [])
    }
    assert len(rules) == 7
    assert all(rule in items["passed"] for rule in rules)


@pytest.mark.parametrize(
    ("place", "heading"),
    [
        (".sluice/adapters/*/certificate.json", "Adapters"),
        (".sluice/runs/*/run.json", "Runs"),
        (".sluice/data/*/manifest.json", "Dataset versions"),
        ("ledger/*.json", "The ledger"),
        ("evals/*/rows.jsonl", "Records"),
    ],
)
def test_the_table_of_a_file_has_its_very_keys(project: Path, place: str, heading: str) -> None:
    said = [key for cell in re.findall(r"^\| (`.*?) \|", page(heading), re.MULTILINE) for key in named_in_order(cell)]
    for file in project.glob(place):
        found = list(lines_of(file)[0] if file.suffix == ".jsonl" else json.loads(file.read_bytes()))
        if heading == "Dataset versions":
            found = [key for key in found if key not in ("left", "forgotten")]  # told below the table
        assert found == (sorted(said) if heading == "The ledger" else said), file.name


def test_the_table_of_verbs_has_their_parameters_and_reports(project: Path) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", page("Operations"), re.MULTILINE))
    verbs: set[str] = set()
    for folder in (project / ".sluice" / "operations").iterdir():
        operation = json.loads((folder / "operation.json").read_bytes())
        parameters, report = map(named, rows[operation["verb"]].split("|"))
        verbs.add(operation["verb"])
        assert set(keys_of(operation["parameters"])) <= parameters, operation["verb"]
        if (folder / "report.json").is_file():
            found = json.loads((folder / "report.json").read_bytes())
            free = frozenset({"strata", "replaced", "values", "labels"})
            assert set(keys_of(found, free)) <= report, operation["verb"]
    assert verbs == {"add", "dedup", "split", "sample", "restore", "forget", "redact"}


@pytest.mark.parametrize(
    ("place", "headings", "free"),
    [
        (".sluice/adapters/*/certificate.json", "Adapters,Trainings,Runs", "files base_files checkpoints packages"),
        (".sluice/training/*/fit/*.json", "Trainings,Adapters", "base_files files"),
        (".sluice/training/*/fit/log.jsonl", "Trainings", ""),
        (".sluice/training/*/passed.json", "Trainings", ""),
        (".sluice/runs/*/run.json", "Runs", ""),
        (".sluice/runs/*/answers.jsonl", "Runs", ""),
        (".sluice/runs/*/closed.json", "Runs", ""),
        (".sluice/runs/*/scores.jsonl", "Scores", ""),
        (".sluice/operations/*/operation.json", "Operations", "files counts"),
        (".sluice/operations/*/report.json", "Operations", "strata replaced values labels"),
        (".sluice/privacy/pseudonyms.json", "Personal data", "next values"),
        (".sluice/operations/*/set_aside.jsonl", "Operations", ""),
        (".sluice/data/*/manifest.json", "Dataset versions", "kinds"),
        (".sluice/names/**/*.json", "Dataset versions", ""),
        (".sluice/tags/**/*.json", "Dataset versions", ""),
        (".sluice/verdicts/*.json", "Verdicts", ""),
        ("evals/*/manifest.json", "Frozen eval sets", ""),
        ("evals/*/rows.jsonl", "Records", ""),
        ("decisions/*.jsonl", "Decisions", ""),
    ],
)
def test_every_key_of_a_file_is_on_the_page(project: Path, place: str, headings: str, free: str) -> None:
    files = sorted(project.glob(place))
    assert files
    known = named("".join(map(page, headings.split(","))))
    for file in files:
        values = lines_of(file) if file.suffix == ".jsonl" else [json.loads(file.read_bytes())]
        lacking = set(keys_of(values, frozenset(free.split()))) - known
        assert not lacking, (file.name, lacking)
