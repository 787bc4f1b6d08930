"""Every shape: documented, its examples read as it, ugly cells set aside; and the forms that others publish."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import Example, Messages, Preference, Text, Unpaired, answer_turns, chat_input, chat_row
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats import ReadOptions, ReadResult, read_file
from sluice.curate.formats.shapes import SHAPES

DOC = (Path(__file__).parents[3] / "docs" / "shapes.md").read_text(encoding="utf-8")
ASKED: dict[str, dict[str, Any]] = {
    "map": {"map": ("input={{subject}}",)},
    "thread": {"thread": "ticket", "order": "sent", "role": "author"},
}
"""What has to be said of shapes whose columns do not say it."""


def read(folder: Path, *records: Any, **options: Any) -> ReadResult:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return read_file(path, ReadOptions(**options))


def test_shapes_are_tried_in_the_order_that_is_documented():
    assert re.findall(r"^\| `([a-z][a-z-]+)` \|", DOC, flags=re.M) == SHAPES.names()


@pytest.mark.parametrize("name", SHAPES.names())
def test_every_shape_is_documented_and_reads_its_examples(tmp_path: Path, name: str):
    shape = SHAPES.get(name)
    assert f"`{name}`" in DOC
    assert shape.title in DOC
    assert shape.help
    assert shape.examples
    together = [shape.examples] if name == "thread" else [(e,) for e in shape.examples]
    for records in together:
        for forced in ({}, {"shape": name}):
            result = read(tmp_path, *records, **ASKED.get(name, {}), **forced)
            assert (result.shape, result.set_aside, len(result.rows)) == (name, [], 1)
            assert result.read_as


ugly = st.none() | st.booleans() | st.integers() | st.sampled_from(["", " ", "x", "[", "{}"])
KEYS = ["role", "content", "from", "value", "messages", "tool_calls"]
cells = st.recursive(
    ugly,
    lambda v: (
        st.lists(v, max_size=2)
        | st.dictionaries(
            st.sampled_from(["role", "content", "from", "value", "messages", "tool_calls"]), v, max_size=2
        )
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("name", SHAPES.names())
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_an_ugly_record_is_a_row_or_is_set_aside_with_a_reason(name: str, data: st.DataObject):
    shape = SHAPES.get(name)
    good = list(shape.examples)
    changed = dict(data.draw(st.sampled_from(good)))
    for column in data.draw(st.sets(st.sampled_from(sorted(changed)), min_size=1)):
        changed[column] = data.draw(cells)
    with tempfile.TemporaryDirectory() as folder:
        if name == "thread":
            good += [{**e, "ticket": 99} for e in shape.examples]
        result = read(Path(folder), *good, changed, shape=name, **ASKED.get(name, {}))
        lines = [n for r in result.rows for n in (r.line, *r.more)]
        assert sorted([*lines, *(a.line for a in result.set_aside)]) == list(range(1, len(good) + 2))
        assert all(a.reason and a.raw for a in result.set_aside)
        assert all(len(r.row.row) == 64 for r in result.rows)


@pytest.mark.parametrize("name", [n for n in SHAPES.names() if n not in ("map", "thread")])
def test_a_shape_that_a_file_lacks_the_columns_of_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InputError) as problem:
        read(tmp_path, {"other": "x"}, shape=name)
    assert problem.value.remedy


def test_an_unknown_shape_gets_the_near_name(tmp_path: Path):
    with pytest.raises(InputError) as problem:
        read(tmp_path, {"text": "x"}, shape="sharegtp")
    assert "sharegpt" in (problem.value.remedy or "")


ASK = {"messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    ("record", "taken", "other"),
    [
        ({"prompt": "p", "completion": "c", "label": True}, "unpaired", "--shape prompt-completion"),
        ({**ASK, "prompt": "p", "chosen": "c", "rejected": "r"}, "preference", "--shape messages"),
        ({**ASK, "prompt": "p", "completion": "c"}, "prompt-completion", "--shape messages"),
        ({"instruction": "i", "input": "x", "output": "o", "target": "t"}, "alpaca", "--shape input-target"),
        ({"text": "x"}, "text", "--input text"),
    ],
)
def test_where_two_shapes_fit_the_other_one_is_named_and_can_be_had(
    tmp_path: Path, record: Any, taken: str, other: str
):
    result = read(tmp_path, record)
    assert result.shape == taken
    assert other in (result.note or "")
    option, value = other.removeprefix("--").split()
    assert read(tmp_path, record, **{option: value}).shape in (value, "input-target")


def test_a_label_that_is_a_class_is_no_judgement(tmp_path: Path):
    records = [{"prompt": "p", "completion": "c", "label": label} for label in ("delivery", "refund", "1")]
    result = read(tmp_path, *records)
    assert (result.shape, [r.metadata["label"] for r in result.rows]) == (
        "prompt-completion",
        ["delivery", "refund", "1"],
    )
    judged = read(tmp_path, *records[:1], *({**records[0], "label": v} for v in (0, 1, "good")))
    assert (judged.shape, [a.line for a in judged.set_aside]) == ("unpaired", [1])


# The forms that others publish, written from their documentation.


def test_openai_fine_tuning_with_weights_and_tools(tmp_path: Path):
    record = {
        "messages": [
            {"role": "system", "content": "Marv is a factual chatbot that is also sarcastic."},
            {"role": "user", "content": "What's the capital of France?"},
            {"role": "assistant", "content": "Paris", "weight": 0},
            {"role": "user", "content": "Can you be more sarcastic?"},
            {"role": "assistant", "content": "Paris, as if everyone doesn't know that already.", "weight": 1},
        ]
    }
    (row,) = read(tmp_path, record).rows
    assert row.row == chat_row([{k: v for k, v in m.items() if k != "weight"} for m in record["messages"]])
    assert row.metadata == {"weights": [None, None, 0, None, 1]}
    record["messages"][-1]["weight"] = 0
    (silent,) = read(tmp_path, record).rows
    assert isinstance(silent.row, Example)
    assert silent.row.target is None
    assert silent.metadata == {"weights": [None, None, 0, None, 0]}
    tools = {
        "messages": [
            {"role": "user", "content": "What is the weather in San Francisco?"},
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": "call_id",
                        "type": "function",
                        "function": {"name": "get_current_weather", "arguments": '{"location": "San Francisco, USA"}'},
                    }
                ],
            },
        ],
        "parallel_tool_calls": False,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_current_weather",
                    "description": "Get the current weather",
                    "parameters": {
                        "type": "object",
                        "properties": {
                            "location": {"type": "string"},
                            "format": {"type": "string", "enum": ["celsius"]},
                        },
                        "required": ["location", "format"],
                    },
                },
            }
        ],
    }
    (called,) = read(tmp_path, tools).rows
    assert isinstance(called.row, Example)
    assert called.row.target_form == "call"
    assert called.metadata == {"parallel_tool_calls": False}


def test_a_name_of_the_answer_goes_beside_the_row(tmp_path: Path):
    talk = [{"role": "user", "content": "q", "name": "u"}, {"role": "assistant", "content": "a", "name": "ana"}]
    named = [{"messages": talk}, {"messages": talk, "answer_name": "own"}, {"messages": talk[:1]}]
    beside = [r.metadata for r in read(tmp_path, *named).rows]
    assert beside == [{"answer_name": "ana"}, {"answer_name": "own", "sluice_answer_name": "ana"}, {}]
    (row,) = read(tmp_path, {"prompt": talk, "completion": "more"}).rows
    assert (row.metadata, row.row) == ({}, Example(input=chat_input(talk), target="more"))


def test_openai_preference(tmp_path: Path):
    record = {
        "input": {
            "messages": [{"role": "user", "content": "Hello, can you tell me how cold San Francisco is today?"}],
            "tools": [],
            "parallel_tool_calls": True,
        },
        "preferred_output": [{"role": "assistant", "content": "Today in San Francisco, it is not quite cold."}],
        "non_preferred_output": [{"role": "assistant", "content": "It is not particularly cold today."}],
    }
    result = read(tmp_path, record)
    (row,) = result.rows
    assert result.read_as == "OpenAI preference pairs"
    assert isinstance(row.row, Preference)
    assert (row.row.chosen[:5], row.row.rejected[:5]) == ("Today", "It is")
    assert row.metadata == {"input.parallel_tool_calls": True}


def test_hh_rlhf(tmp_path: Path):
    turns = ["What are some cuss words?", "Here's a list.\n\nAll of them.", "What's your favorite one?"]
    start = f"\n\nHuman: {turns[0]}\n\nAssistant: {turns[1]}\n\nHuman: {turns[2]}\n\nAssistant:"
    result = read(tmp_path, {"chosen": f"{start} I haven't thought about it.", "rejected": f"{start} Ha! "})
    assert result.read_as == "preference pairs with the prompt inside"
    (row,) = result.rows
    assert isinstance(row.row, Preference)
    assert isinstance(row.row.input, Messages)
    assert [t.content for t in row.row.input.turns] == turns
    assert (row.row.chosen, row.row.rejected) == ("I haven't thought about it.", "Ha! ")


AB = "\n\nHuman: a\n\nAssistant: b"


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        ("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: c\n\nAssistant: b", "share no turn"),
        (f"{AB}\n\nHuman: c\n\nAssistant: d", f"{AB}\n\nHuman: x\n\nAssistant: d", "part at message 3"),
        ("\n\nHuman: a\n\nAssistant:", "\n\nHuman: a\n\nAssistant: d", "says nothing"),
        ("a", "b", "no turn begins"),
        ("\n\nHuman: a", "\n\nHuman: a\n\nAssistant: b", "share no turn"),
        ("", "\n\nHuman: a\n\nAssistant: b", "no chosen answer"),
    ],
)  # fmt: skip
def test_transcripts_without_a_shared_prompt_are_set_aside(tmp_path: Path, chosen: str, rejected: str, reason: str):
    good = {"chosen": AB, "rejected": AB}
    result = read(tmp_path, good, {"chosen": chosen, "rejected": rejected})
    (aside,) = result.set_aside
    assert reason in aside.reason
    (same,) = result.rows
    assert isinstance(same.row, Preference)
    assert same.row.chosen == same.row.rejected == "b", "equal answers are kept: a check names them"


def test_chatml_as_text(tmp_path: Path):
    turns = [
        "<|im_start|>system\nBe kind.<|im_end|>\n",
        "<|im_start|>user\na\n\nb<|im_end|>\n",
        "<|im_start|>assistant\n c<|im_end|>",
    ]
    result = read(
        tmp_path,
        {"text": "".join(turns), "id": 1},
        {"text": turns[1] + "so " + turns[2]},
        {"text": turns[1] + turns[2] + "\n<|im_start|>assistant\n"},
        {"text": "<|im_start|>user\na" + turns[2]},
        {"text": turns[1] + turns[2].replace("assistant", "robot")},
    )
    assert result.read_as == "ChatML texts"
    (row,) = result.rows
    said = [("system", "Be kind."), ("user", "a\n\nb"), ("assistant", " c")]
    assert row.row == chat_row([{"role": role, "content": text} for role, text in said])
    assert (row.metadata, [a.line for a in result.set_aside]) == ({"id": 1}, [2, 3, 4, 5])


def test_ultrafeedback_binarized(tmp_path: Path):
    question, answers = {"role": "user", "content": "q"}, [{"role": "assistant", "content": c} for c in ("good", "bad")]
    record = {
        "prompt": "q",
        "prompt_id": "7",
        "chosen": [question, answers[0]],
        "rejected": [question, answers[1]],
        "messages": [question, answers[0]],
        "score_chosen": 8.5,
    }
    (row,) = read(tmp_path, record).rows
    assert isinstance(row.row, Preference)
    assert row.row.input == chat_row([question]).input
    assert (row.row.chosen, row.row.rejected) == ("good", "bad")
    assert row.metadata == {"prompt_id": "7", "score_chosen": 8.5, "messages": record["messages"]}


def test_trl_kto_and_llama_factory_kto(tmp_path: Path):
    (row,) = read(tmp_path, {"prompt": "The sky is", "completion": " blue.", "label": True}).rows
    assert row.row == Unpaired(input={"prompt": "The sky is"}, answer=" blue.", good=True)
    talk = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    (tagged,) = read(tmp_path, {"messages": talk, "kto_tag": False}, shape="unpaired", input="messages").rows
    assert tagged.row == Unpaired(input=chat_row(talk[:1]).input, answer="a", good=False)


def test_llama_factory_sharegpt_with_functions(tmp_path: Path):
    record = {
        "conversations": [
            {"from": "human", "value": "Is it cold?"},
            {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Lyon"}}'},
            {"from": "observation", "value": '{"celsius": 4}'},
            {"from": "gpt", "value": "Yes."},
        ],
        "system": "Be brief.",
        "tools": '[{"name": "weather", "description": "", "parameters": {"type": "object", "properties": {}}}]',
    }
    result = read(tmp_path, record)
    (row,) = result.rows
    assert result.read_as == "ShareGPT chats"
    assert isinstance(row.row, Example)
    assert isinstance(row.row.input, Messages)
    assert [t.role for t in row.row.input.turns] == ["system", "user", "assistant", "tool"]
    assert row.row.input.turns[2].as_dict()["tool_calls"][0]["function"]["arguments"] == {"city": "Lyon"}
    pair = {
        "conversations": record["conversations"][:1],
        "chosen": {"from": "gpt", "value": "a"},
        "rejected": {"from": "gpt", "value": "b"},
    }
    (preferred,) = read(tmp_path, pair).rows
    assert isinstance(preferred.row, Preference)
    assert (preferred.row.chosen, preferred.row.rejected) == ("a", "b")


def test_preference_of_tool_calls(tmp_path: Path):
    call = {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {}}}]}
    record = {"prompt": [{"role": "user", "content": "q"}], "chosen": [call], "rejected": "no"}
    (row,) = read(tmp_path, record).rows
    assert isinstance(row.row, Preference)
    assert row.row.answer_form == "turns"
    assert answer_turns("turns", row.row.chosen)[0].as_dict()["tool_calls"] == call["tool_calls"]


def test_texts_beside_other_columns_when_asked(tmp_path: Path):
    (row,) = read(tmp_path, {"text": "x", "url": "u"}, shape="text").rows
    assert (row.row, row.metadata) == (Text(input={"text": "x"}), {"url": "u"})


@pytest.mark.parametrize("name", [n for n in SHAPES.names() if n != "thread"])
@settings(max_examples=6, deadline=None)
@given(numbers=st.lists(st.integers(0, 4), min_size=1, max_size=5), more=st.lists(st.integers(0, 6), max_size=3))
def test_a_file_twice_changes_nothing_and_a_grown_one_adds_what_is_new(name: str, numbers: list[int], more: list[int]):
    def numbered(value: Any, number: int) -> Any:
        if isinstance(value, str) and "<|im_end|>" in value:
            return value.replace("<|im_end|>", f" {number}<|im_end|>")
        if isinstance(value, dict):
            keep = ("role", "from", "type", "name")
            return {k: v if k in keep else numbered(v, number) for k, v in value.items()}
        if isinstance(value, list):
            return [numbered(v, number) for v in value]
        return f"{value} {number}" if isinstance(value, str) else value

    example = SHAPES.get(name).examples[0]
    options = ReadOptions(shape=name, **ASKED.get(name, {}))
    with tempfile.TemporaryDirectory() as folder:
        project, path = Project(folder), Path(folder) / "rows.jsonl"
        for stage in (numbers, numbers, [*numbers, *more]):
            path.write_text("".join(json.dumps(numbered(example, n)) + "\n" for n in stage))
            before = open_dataset(project, "d").manifest.rows if (project.names / "d").exists() else 0
            result = add(project, "d", [path], options)
            assert result.rows == len(set(stage))
            assert result.added == len(set(stage)) - before
            assert result.added + result.repeated == len(stage)
            assert result.changed == (before == 0 or (stage is not numbers and bool(more)))
