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
from sluice.core.evalset import read_set
from sluice.core.ledger import KINDS, Ledger, canonical_bytes, fact_hash
from sluice.core.project import Project
from sluice.core.prompt import parse_prompt, rendered_hash
from sluice.core.rows import COLUMNS, ROLES, from_record, input_hash
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


def test_the_page_names_every_key_of_the_files() -> None:
    from sluice.core.evalset import SetManifest
    from sluice.core.runs import Decoding, RunSpec
    from sluice.curate.dataset import DataFile, Manifest
    from sluice.curate.operation import DROPPED_EXTRA, EDGES, OCCURRENCES, NameEntry, Operation, Parent, Result

    words = set(re.findall(r"`([^`\n]+)`", DOC.read_text(encoding="utf-8")))
    records = (SetManifest, RunSpec, Decoding, StoredAnswer, DataFile, Manifest, NameEntry, Operation, Parent, Result)
    for kind in records:
        assert set(kind.model_fields) <= words, kind.__name__
    assert {*DROPPED_EXTRA, *EDGES, *OCCURRENCES} <= words
