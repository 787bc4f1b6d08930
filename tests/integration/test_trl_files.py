"""Files of the shape `trl` go into TRL's trainers as they are: loaded, tokenised and trained on for one step."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from support.rows import export_row
from support.tiny_model import build_tiny_model

from sluice.core.rows import AnyRow, Example, Preference, Text, Unpaired, chat_judged, chat_pair, chat_row
from sluice.curate.formats import write_rows

pytestmark = pytest.mark.model
TEMPLATE = (
    "{% for tool in tools or [] %}<tool>{{ tool.function.name }}</tool>{% endfor %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}"
    "{% for c in m.tool_calls or [] %}{{ c.function.name }}{% for k, v in c.function.arguments.items() %}"
    "[{{ k }}={{ v }}]{% endfor %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]


def call(**arguments: Any) -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": {"name": "find", "arguments": arguments}}


ASK = [{"role": "system", "content": "Help."}, {"role": "user", "content": "Where is my parcel?"}]
LOOKED = [
    *ASK,
    {"role": "assistant", "content": "", "tool_calls": [call(number=7)]},
    {"role": "tool", "content": "late", "tool_call_id": "1"},
]
ROWS: dict[str, list[AnyRow]] = {
    "fields": [Example(input={"prompt": f"Where is {i}?"}, target="late") for i in range(4)],
    "chats": [
        chat_row([*LOOKED, {"role": "assistant", "content": "It is late."}], TOOLS),
        chat_row([*ASK, {"role": "assistant", "content": "", "tool_calls": [call(who="me")]}], TOOLS),
    ],
    "pairs": [Preference(input={"prompt": f"Where is {i}?"}, chosen="late", rejected="no idea") for i in range(4)],
    "chat pairs": [
        chat_pair(
            LOOKED,
            [{"role": "assistant", "content": f"It is {i} days late."}],
            [{"role": "assistant", "content": "No idea."}],
            TOOLS,
        )
        for i in range(2)
    ],
    "judged": [Unpaired(input={"prompt": f"Where is {i}?"}, answer="late", good=i % 2 == 0) for i in range(4)],
    "judged chats": [
        chat_judged(ASK, [{"role": "assistant", "content": f"It is {i} days late."}], i % 2 == 0) for i in range(4)
    ],
    "texts": [Text(input={"text": f"The parcel {i} has not arrived."}) for i in range(4)],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("model"), chat_template=TEMPLATE)


def train(kind: str, data: Any, model: Path, out: Path) -> Any:
    """Return a trainer of the kind after one step."""
    trl: Any = importlib.import_module("trl")
    common: dict[str, Any] = {"output_dir": str(out), "max_steps": 1, "per_device_train_batch_size": 2, "use_cpu": True}
    common |= {"report_to": "none", "save_strategy": "no", "bf16": False, "max_length": 256, "disable_tqdm": True}
    if kind == "preference":
        trainer = trl.DPOTrainer(str(model), args=trl.DPOConfig(**common), train_dataset=data)
    elif kind == "unpaired":
        trainer = trl.KTOTrainer(str(model), args=trl.KTOConfig(**common), train_dataset=data)
    else:
        trainer = trl.SFTTrainer(str(model), args=trl.SFTConfig(**common), train_dataset=data)
    trainer.train()
    return trainer


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", list(ROWS))
def test_a_trainer_takes_the_file_as_it_is(name: str, form: str, model: Path, tmp_path: Path):
    from datasets import load_dataset

    rows = ROWS[name]
    file = tmp_path / f"train.{form}"
    write_rows([export_row(row) for row in rows], file, "trl")
    builder = "json" if form == "jsonl" else form
    data = load_dataset(builder, data_files=str(file), cache_dir=str(tmp_path / "cache"), split="train")
    trainer = train(rows[0].kind, data, model, tmp_path / "out")
    assert trainer.state.global_step == 1
    if name == "chats":
        told = [trainer.processing_class.decode(row["input_ids"]) for row in trainer.train_dataset]
        assert "<tool>find</tool>" in told[0]
        assert "find[number=7]" in told[0]
        assert "[who=" not in told[0]  # no row gets the arguments of another
        assert "find[who=me]" in told[1]
        learnt = [t for t in trainer.train_dataset[0]["labels"] if t >= 0]  # -100 where nothing is learnt
        assert trainer.processing_class.decode(learnt).strip().removesuffix("<|im_end|>") == "It is late."
