"""Files that other tools, people and disks have broken: one clear error with a line, or the bad record set aside."""

from __future__ import annotations

import json

import pytest

from sluice.core.errors import SluiceError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.formats.records import ReadOptions
from sluice.curate.labels.exchange.importing import import_labels, recognise
from sluice.curate.labels.log import read_log
from sluice.curate.labels.question import ask

Q = ask("classify", labels=("x", "y"), written="")
CHOICE = {"from_name": "label", "type": "choices", "value": {"choices": ["x"]}}
GOOD = json.dumps({"data": {"body": "message 0"}, "annotations": [{"completed_by": 1, "result": [CHOICE]}]})
LINE = '{"text": "message 0", "accept": ["x"], "answer": "accept", "_annotator_id": "ana"}'
RECORD = '{"id": "a", "fields": {"body": "message 0"}, "responses": {"label": [{"value": "x", "user_id": "u"}]}}'
SCORE = '{"id": "a", "value": "x", "metadata": {"by": "ana", "body": "message 0"}}'


def task(annotation: object, data: object = None) -> str:
    return json.dumps({"data": data or {"body": "message 1"}, "annotations": [annotation]})


def result(**changed: object) -> dict[str, object]:
    return {"completed_by": 1, "result": [CHOICE], **changed}


REFUSED = {
    "cut off": ("x.json", f"[{GOOD},\n{GOOD[:60]}", ":2"),
    "no comma": ("x.json", f"[{GOOD}\n{GOOD}]", ":2"),
    "comma at the end": ("x.json", f"[{GOOD},\n]", ":2"),
    "more behind the list": ("x.json", f"[{GOOD}]\n[]", ":1"),
    "a key twice": ("x.json", '[{"data": 1,\n"data": 2}]', ":1"),
    "NaN": ("x.json", f'[{GOOD},\n{{"a": NaN}}]', ":2"),
    "too deep": ("x.json", "[" * 100_000, ":1"),
    "not UTF-8": ("x.json", b"[\n\xff]", ":2"),
    "empty": ("x.json", "", "empty"),
    "blanks": ("x.jsonl", "\n\n", "record"),
    "no labels in it": ("x.json", '[{"a": 1}]', "labels"),
    "a number": ("x.json", "7", "labels"),
    "no column of the answer": ("x.csv", "body,by\nmessage 0,ana\n", "label"),
    "nobody": ("x.csv", "body,label\nmessage 0,x\n", ":2"),
}
ASIDE = {
    "no data": ("x.json", f'[{GOOD},\n{{"annotations": []}}]', 2),
    "no object": ("x.json", f"[{GOOD},\n7]", 2),
    "no result": ("x.json", f"[{GOOD},\n{task({'completed_by': 1})}]", 2),
    "an annotation that is text": ("x.json", f"[{GOOD},\n{task('x')}]", 2),
    "a value that is none": (
        "x.json",
        f"[{GOOD},\n{task(result(result=[{'from_name': 'label', 'type': 'choices'}]))}]",
        2,
    ),
    "another type": (
        "x.json",
        f"[{GOOD},\n{task(result(result=[{'from_name': 'label', 'type': 'rating', 'value': {'rating': 3}}]))}]",
        2,
    ),
    "no time": ("x.json", f"[{GOOD},\n{task(result(updated_at='yesterday'))}]", 2),
    "a time to come": ("x.json", f"[{GOOD},\n{task(result(updated_at='2999-01-01T00:00:00Z'))}]", 2),
    "seconds below none": ("x.json", f"[{GOOD},\n{task(result(lead_time=-1))}]", 2),
    "choices that are an object": (
        "x.json",
        f"[{GOOD},\n{task(result(result=[{'from_name': 'label', 'type': 'choices', 'value': {'choices': {}}}]))}]",
        2,
    ),
    "data of another row": ("x.json", f"[{GOOD},\n{task(result(), {'body': 'elsewhere'})}]", 2),
    "a line cut off": ("x.jsonl", f"{LINE}\n{LINE[:30]}\n", 2),
    "bytes in a line": ("x.jsonl", LINE.encode() + b"\n\xff\xfe\n", 2),
    "half a pair": ("x.jsonl", f'{LINE}\n{{"text": "\\ud800"}}\n', 2),
    "answers otherwise": ("x.jsonl", f'{LINE}\n{{"text": "message 1", "answer": "maybe"}}\n', 2),
    "accepts no list": (
        "x.jsonl",
        f'{LINE}\n{{"text": "message 1", "answer": "accept", "accept": "x", "_annotator_id": "a"}}\n',
        2,
    ),
    "responses that are text": (
        "x.jsonl",
        f'{RECORD}\n{{"fields": {{"body": "b"}}, "responses": {{"label": "x"}}}}\n',
        2,
    ),
    "no fields": ("x.jsonl", f'{RECORD}\n{{"responses": {{}}}}\n', 2),
    "a score without value": ("x.jsonl", f'{SCORE}\n{{"id": "b"}}\n', 2),
    "a score of several": ("x.jsonl", f'{SCORE}\n{{"id": "b", "value": {{"p": 1}}, "metadata": {{"by": "ana"}}}}\n', 2),
    "cells that lack": ("x.csv", "body,label,by\nmessage 0,x,ana\nmessage 1,x\n", 3),
    "a row of elsewhere": ("x.csv", f"row,body,label,by\n,message 0,x,ana\n{'a' * 64},message 1,x,ana\n", 3),
    "somebody twice": ("x.csv", "body,label,by\nmessage 0,x,ana\nmessage 0,y,ana\n", 3),
}


@pytest.fixture
def project(tmp_path) -> Project:
    file = tmp_path / "t.jsonl"
    file.write_text("".join(json.dumps({"body": f"message {n}"}) + "\n" for n in range(3)))
    found = Project(tmp_path)
    add(found, "t", [file], ReadOptions(input="body"))
    return found


def write(project: Project, name: str, content: str | bytes):
    file = project.root / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize("case", REFUSED)
def test_one_clear_error(case, project):
    name, content, told = REFUSED[case]
    with pytest.raises(SluiceError) as caught:
        import_labels(project, "t", write(project, name, content), Q)
    assert told in str(caught.value)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    assert read_log(project).records == ()


@pytest.mark.parametrize("case", ASIDE)
def test_set_aside_with_its_line_and_the_others_taken(case, project):
    name, content, line = ASIDE[case]
    found = import_labels(project, "t", write(project, name, content), Q)
    assert [a.line for a in found.set_aside] == [line]
    assert found.set_aside[0].record in (2, 0)  # 0: what is no record of a table is not counted
    assert found.set_aside[0].reason
    assert found.new == 1


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_any_cut_of_a_list_is_named_and_none_is_taken_by_half(cut, project):
    whole = f"[{GOOD}\n]"
    file = write(project, "x.json", whole[: len(whole) - 1 - cut])
    with pytest.raises(SluiceError):
        import_labels(project, "t", file, Q, format="label-studio")
    assert read_log(project).records == ()


def test_a_format_may_be_named_against_the_looks(project):
    file = write(project, "x.jsonl", LINE + "\n")
    assert recognise(file).name == "prodigy"
    assert recognise(file, "csv").name == "csv"
    with pytest.raises(SluiceError, match="label-studio"):
        recognise(file, "label-studi")
