"""The worked examples of docs/formats.md, computed twice: by hashlib from what the page says, and by the library."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import sluice
from sluice.core.canonical import canonical, parse_exact
from sluice.core.chats import ROLES
from sluice.core.evalset import read_set
from sluice.core.ledger import KINDS, Ledger, canonical_bytes, fact_hash
from sluice.core.project import Project
from sluice.core.prompt import Block, Prompt, parse_prompt, rendered_hash
from sluice.core.rows import COLUMNS, from_record, input_hash
from sluice.core.rows import KINDS as ROW_KINDS
from sluice.core.runs import StoredAnswer, answers_hash, rows_hash

DOC = Path(sluice.__file__).resolve().parents[1] / "docs" / "formats.md"
pytestmark = pytest.mark.skipif(not DOC.is_file(), reason="the package is installed without its documentation")


def example(name: str) -> Any:
    text = DOC.read_text(encoding="utf-8")
    found = re.search(rf"<!-- example: {name} -->\n```json\n(.*?)\n```", text, re.DOTALL)
    assert found, f"docs/formats.md has no example {name}"
    return json.loads(found[1])


def sha(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def record(row: dict[str, Any], groups: list[str]) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(COLUMNS)
    return empty | {
        "row": row["row"],
        "input_hash": row["input_hash"],
        "kind": "example",
        "input_form": row["input_form"],
        "input": row["record_input"],
        "target_form": "text",
        "target": row["target"],
        "groups": groups,
    }


def test_canonical_form() -> None:
    for text, expected in example("canonical"):
        assert canonical(parse_exact(text), drop_null=True) == expected


def test_rows() -> None:
    for said in example("rows"):
        assert sha("sluice/input/1", said["I"]) == said["input_hash"]
        assert sha("sluice/row/1", said["I"], said["L"]) == said["row"]
        row = from_record(record(said, []))
        assert (row.row, row.input_hash) == (said["row"], said["input_hash"])
        assert input_hash(row.input) == said["input_hash"]


def test_version() -> None:
    from sluice.curate.dataset import rows_frame, version_hash

    said, rows = example("version"), example("rows")
    assert hashlib.sha256("".join(f"{line}\n" for line in said["lines"]).encode()).hexdigest() == said["version"]
    frame = rows_frame([from_record(record(r, [])) for r in rows], {rows[0]["row"]: ["acme"]})
    assert version_hash(frame) == said["version"]
    assert version_hash(frame.reverse()) == said["version"]


def test_prompt() -> None:
    said = example("prompt")
    compact = json.dumps(said["blocks"], ensure_ascii=False, separators=(",", ":"))
    assert sha("sluice/prompt/1", compact) == said["prompt_sha256"]
    prompt = parse_prompt("p.md", said["file"])
    assert prompt.sha256 == said["prompt_sha256"]
    content = json.loads(example("rows")[0]["record_input"])
    assert prompt.render(content) == said["rendered"]
    assert rendered_hash([prompt.render(content)]) == said["rendered_sha256"]


def test_answers() -> None:
    said = example("answers")
    assert sha("sluice/answers/1", *said["lines"]) == said["answers"]
    keys = ("row", "input", "repeat", "text", "stop", "error")
    answers = [StoredAnswer(**dict(zip(keys, json.loads(line), strict=True)), seconds=1.5) for line in said["lines"]]
    assert answers_hash(answers[::-1]) == said["answers"]
    assert rows_hash(a.row for a in answers) == said["rows_sha256"] == sha(*sorted(a.row for a in answers))


def test_scores() -> None:
    from sluice.evalsuite.graders import Aggregate, Grade, GraderSpec
    from sluice.evalsuite.scoring import Scores
    from sluice.evalsuite.stats.rates import wilson

    said = example("scores")
    assert sha("sluice/scores/1", *said["lines"]) == said["scores"]
    rows = tuple(line.split()[0] for line in said["lines"])
    grades = (Grade(score=1 / 3, answer_class="cut"), Grade(score=None, answer_class="error"))
    spec, total = GraderSpec(name="own", kind="graded", reading="", doc=""), Aggregate.model_construct()
    none: dict[str, Any] = dict.fromkeys(("cut", "prompt_tokens", "new_tokens", "seconds"), 0)
    scores = Scores(
        rows=rows[::-1], inputs=rows, grades=grades[::-1], spec=spec, total=total, rate=wilson(0, 2), **none
    )
    assert scores.sha256 == said["scores"]


def test_question_and_grader() -> None:
    from sluice.core.task import GraderConfig
    from sluice.evalsuite.graders import GRADERS, grader_hash
    from sluice.evalsuite.question import Question

    said = example("question")
    question = json.dumps(said["question"], sort_keys=True, separators=(",", ":"))
    assert sha("sluice/question/1", question) == said["sha256"] == Question(**said["question"]).sha256
    grader = json.dumps(said["grader"], sort_keys=True, separators=(",", ":"))
    assert sha("sluice/grader/1", grader) == said["question"]["grader"]
    assert grader_hash(GraderConfig(name="exact"), None) == said["question"]["grader"]
    entries = {name: GRADERS.get(name) for name in GRADERS.names()}
    assert {name for name, entry in entries.items() if "schema" in entry.uses} == {"choice", "json_schema", "fields_f1"}
    assert {entry.version for entry in entries.values()} == {1}


def test_grader_of_the_project(tmp_path: Path) -> None:
    from sluice.core.task import GraderConfig
    from sluice.evalsuite.graders import grader_hash

    texts = {"graders/own.py": "from tools import a\n", "tools/__init__.py": "", "tools/a.py": "import tools_b\n"}
    texts |= {"tools_b.py": "import json\n", "unused.py": "import json\n"}
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    declared = {"name": "own", "file": "graders/own.py", "function": "grade", "kind": "graded", "range": [0, 5]}
    declared |= {"right_at": 4.5, "needs": ["target"], "direction": "higher", "choices": []}
    files = [[name, sha(text)] for name, text in sorted(texts.items()) if name != "unused.py"]
    canonical_text = json.dumps({"declared": declared, "files": files}, sort_keys=True, separators=(",", ":"))
    found = grader_hash(GraderConfig.model_validate(declared), tmp_path)
    assert found == sha("sluice/grader/1", canonical_text)


def test_adapter_and_base(tmp_path: Path) -> None:
    from sluice.evalsuite.models.identity import ModelFiles, identify
    from sluice.train.certificate import adapter_hash

    said = example("adapter")
    lines = [f"{name} {digest}\n" for name, digest in sorted(said["files"].items())]
    assert sha("sluice/adapter/1", "".join(lines)) == said["adapter"] == adapter_hash(said["files"])
    lines = [f"{name}\0{digest}\n" for name, digest in sorted(said["base_files"].items())]
    assert sha("".join(lines)) == said["base_sha256"]
    for name in said["base_files"]:
        (tmp_path / name).write_text(name)
    found = identify(ModelFiles("m", tmp_path))
    assert set(found.files) == set(said["base_files"])
    assert found.sha256 == sha("".join(f"{name}\0{sha(name)}\n" for name in sorted(found.files)))


def test_ngrams() -> None:
    from sluice.curate.similar.similarity import is_short, ngrams, normalise

    def finish(h: int) -> int:
        h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        h = (h ^ h >> 27) * 0x94D049BB133111EB % 2**64
        return h ^ h >> 31

    def mixed(numbers: list[int], h: int) -> str:
        for n in numbers:
            h = (h * 0x9E3779B97F4A7C15 + n + 1) % 2**64
        return f"{finish(h):016x}"

    def word(text: str) -> int:
        h = 0xCBF29CE484222325
        for byte in text.encode():
            h = (h ^ byte) * 0x100000001B3 % 2**64
        return finish(h) if text else 0

    for said in example("ngrams"):
        text = said["normalised"]
        assert normalise(said["text"]) == text
        assert is_short((text,))
        units = [word(w) for w in text.split(" ")] if said["sort"] == "word" else [*map(ord, f" {text} ".ljust(5))]
        width = 3 if said["sort"] == "word" else 5
        assert sorted(mixed(units[i : i + width], width) for i in range(len(units) - width + 1)) == said["ngrams"]
        assert sorted(f"{h:016x}" for h in ngrams(said["text"], said["sort"])) == said["ngrams"]


def test_set(tmp_path: Path) -> None:
    said = example("set")
    for name in ("rows.jsonl", "manifest.json"):
        (tmp_path / name).write_bytes(said[name].encode())
    assert sha("sluice/evalset/1", said["manifest.json"]) == said["set"]
    found = read_set(tmp_path)
    assert found.sha256 == said["set"]
    assert found.manifest.version == example("version")["version"]
    assert [r.row for r in found.rows] == [example("rows")[0]["row"]]


def test_ledger(tmp_path: Path) -> None:
    said = example("ledger")
    assert sha("sluice/ledger/1", said["bytes"]) + ".json" == said["name"]
    data = said["bytes"].encode()
    assert canonical_bytes(json.loads(data)) == data
    assert fact_hash(data) + ".json" == said["name"]
    (tmp_path / "ledger").mkdir()
    (tmp_path / ".sluice").mkdir()
    (tmp_path / "ledger" / said["name"]).write_bytes(data)
    facts = Ledger(Project(tmp_path)).read()
    assert facts.problems == ()
    assert [f.body["set"] for f in facts.of("frozen")] == [example("set")["set"]]


def test_the_page_names_every_kind_role_and_column() -> None:
    words = set(re.findall(r"\w+", DOC.read_text(encoding="utf-8")))
    assert {*KINDS, *ROW_KINDS, *ROLES, *COLUMNS} <= words


def test_the_page_names_every_prefix_of_a_hash() -> None:
    package = Path(sluice.__file__).parent
    sources = [f for part in ("core", "curate", "evalsuite", "train") for f in (package / part).rglob("*.py")]
    used = {prefix for file in sources for prefix in re.findall(r"\bsluice/[a-z]+/\d+\b", file.read_text("utf-8"))}
    assert len(used) > 10
    assert used == set(re.findall(r"\bsluice/[a-z]+/\d+\b", DOC.read_text(encoding="utf-8")))


def test_the_page_names_every_key_of_the_files() -> None:
    from sluice.core.evalset import SetManifest
    from sluice.core.runs import Decoding, RunSpec
    from sluice.core.task import (
        CheckConfig,
        Checks,
        Config,
        Cost,
        Gate,
        GraderConfig,
        Model,
        ProjectSection,
        Prompts,
        Task,
    )
    from sluice.curate.adding.add import FileRead, SetAsideLine
    from sluice.curate.dataset import DataFile, Manifest
    from sluice.curate.operation import DROPPED_EXTRA, EDGES, OCCURRENCES, NameEntry, Operation, Parent, Result
    from sluice.curate.similar.similarity import Boilerplate
    from sluice.evalsuite.question import Question
    from sluice.train.certificate import Certificate
    from sluice.train.recipes.config import FitResult, SftConfig

    words = set(re.findall(r"`([^`\n]+)`", DOC.read_text(encoding="utf-8")))
    records = (SetManifest, RunSpec, Decoding, StoredAnswer, DataFile, Manifest, NameEntry, Operation, Parent, Result)
    records += (FileRead, SetAsideLine, Boilerplate, Question, Certificate, SftConfig, FitResult, Prompt, Block)
    records += (Task, Model, Prompts, GraderConfig, Gate, CheckConfig, Checks, Cost, ProjectSection)
    for kind in records:
        fields = {field.alias or name for name, field in kind.model_fields.items()}
        assert fields <= words, (kind.__name__, fields - words)
    assert {f"[{name}]" for name in Config.model_fields} - {"[graders]"} <= words
    assert {*DROPPED_EXTRA, *EDGES, *OCCURRENCES} <= words
