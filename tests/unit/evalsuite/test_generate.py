"""Answers of the fast path are those of plain batched generation, row by row."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_model import WORDS, build_tiny_model

from sluice.core.errors import SurroundingsError
from sluice.evalsuite.generate import Answer, generate, shared_length
from sluice.evalsuite.models.local import LocalModel, load
from sluice.evalsuite.models.store import resolve_model

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = build_tiny_model(tmp_path_factory.mktemp("tiny"))
    return load(resolve_model(str(folder), tmp_path_factory.mktemp("cache")))


def prompts(count: int, prefix_words: int, seed: int = 0) -> list[list[dict[str, str]]]:
    chance = random.Random(seed)
    prefix = " ".join(chance.choices(WORDS, k=prefix_words))
    return [
        [{"role": "user", "content": f"{prefix}\n{' '.join(chance.choices(WORDS, k=chance.randint(1, 30)))}"}]
        for _ in range(count)
    ]


def plain(model: LocalModel, asked: list[list[dict[str, str]]], new: int) -> list[str]:
    """transformers.generate over one padded batch."""
    import torch

    ids = [model.prompt_ids(messages) for messages in asked]
    longest = max(map(len, ids))
    pad = model.tokenizer.pad_token_id
    batch = torch.tensor([[pad] * (longest - len(row)) + row for row in ids])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in ids])
    with torch.inference_mode():
        out = model.base.generate(
            input_ids=batch,
            attention_mask=mask,
            max_new_tokens=new,
            do_sample=False,
            eos_token_id=sorted(model.stop_ids),
            pad_token_id=pad,
        )
    texts = []
    for row in out[:, longest:].tolist():
        end = next((place for place, token in enumerate(row) if token in model.stop_ids), len(row))
        texts.append(model.tokenizer.decode(row[:end], skip_special_tokens=True))
    return texts


@pytest.mark.parametrize("prefix_words", [0, 60])
def test_answers_equal_plain_batched_generation(model: LocalModel, prefix_words: int) -> None:
    asked = prompts(24, prefix_words)
    ids = [model.prompt_ids(messages) for messages in asked]
    assert (shared_length(ids) >= 64) == bool(prefix_words)
    answers = generate(model, asked, 24)
    assert [answer.text for answer in answers] == plain(model, asked, 24)
    assert len({answer.text for answer in answers}) > 4  # or equality would say little


def test_rows_that_end_leave_the_batch_and_the_others_go_on(model: LocalModel) -> None:
    asked = prompts(40, 60, seed=3)
    before = model.stop_ids
    # A random model rarely ends by itself: a token that some rows write early is declared to end a turn.
    model.stop_ids = frozenset({_written_by_some(model, asked)})
    try:
        answers = generate(model, asked, 24)
        assert {answer.stop for answer in answers} == {"end", "length"}
        assert [answer.text for answer in answers] == plain(model, asked, 24)
        assert all(answer.new_tokens == 24 for answer in answers if answer.stop == "length")
        assert min(answer.new_tokens for answer in answers) < 12
    finally:
        model.stop_ids = before


def _written_by_some(model: LocalModel, asked: list[list[dict[str, str]]]) -> int:
    """A token that between a fifth and four fifths of the rows write within their first ten."""
    import torch

    starts = []
    with torch.inference_mode():
        for messages in asked:
            ids = torch.tensor([model.prompt_ids(messages)])
            out = model.base.generate(input_ids=ids, max_new_tokens=10, do_sample=False, pad_token_id=2)
            starts.append(set(out[0, ids.shape[1] :].tolist()))
    tokens = sorted(set().union(*starts))
    return next(t for t in tokens if 0.2 < sum(t in start for start in starts) / len(starts) < 0.8)


def test_batches_of_any_size_and_order_answer_the_same(model: LocalModel) -> None:
    asked = prompts(13, 60, seed=5)
    expected = [a.text for a in generate(model, asked, 12)]
    assert [a.text for a in generate(model, asked, 12, batch=3)] == expected
    assert [a.text for a in generate(model, asked[::-1], 12)][::-1] == expected


def test_each_answer_is_handed_out_once_and_times_add_up(model: LocalModel) -> None:
    asked = prompts(9, 0)
    seen: dict[int, Answer] = {}
    steps: list[tuple[int, int]] = []

    def keep(index: int, answer: Answer) -> None:
        assert index not in seen
        seen[index] = answer

    answers = generate(model, asked, 8, on_answer=keep, progress=lambda _, done, total: steps.append((done, total)))
    assert [seen[i] for i in range(9)] == answers
    assert steps[-1] == (9, 9)
    assert all(
        a.seconds > 0 and a.prompt_tokens == len(model.prompt_ids(m)) for a, m in zip(answers, asked, strict=True)
    )


def test_a_full_context_stops_an_answer_and_says_so(model: LocalModel) -> None:
    asked = prompts(3, 20)
    before = model.context_length
    length = max(len(model.prompt_ids(m)) for m in asked)
    model.context_length = length + 5
    try:
        answers = generate(model, [*asked, [{"role": "user", "content": "parcel " * 200}]], 24)
    finally:
        model.context_length = before
    assert answers[-1].stop == "context"
    assert answers[-1].text == ""
    longest = max(range(3), key=lambda i: answers[i].prompt_tokens)
    assert answers[longest].stop == "context"
    assert answers[longest].new_tokens == 5


def test_no_prompts_no_answers(model: LocalModel) -> None:
    assert generate(model, [], 8) == []


def test_an_architecture_without_replaceable_attention_answers_through_transformers(model: LocalModel) -> None:
    asked = prompts(7, 60)
    expected = [a.text for a in generate(model, asked, 12)]
    kind = model.base.config.model_type
    type(model.base.config).model_type = "unknown-kind"
    try:
        assert [a.text for a in generate(model, asked, 12, batch=4)] == expected
    finally:
        type(model.base.config).model_type = kind


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=6))
def test_shared_length_is_the_longest_common_start(rows: list[list[int]]) -> None:
    shared = shared_length(rows)
    assert len({tuple(row[:shared]) for row in rows}) == 1
    assert shared < min(map(len, rows))
    if shared + 1 < min(map(len, rows)):
        assert len({tuple(row[: shared + 1]) for row in rows}) > 1


def adapter(model: LocalModel, folder: Path, scale: float) -> Path:
    """A LoRA adapter whose second matrices are `scale` times noise."""
    import torch
    from peft import LoraConfig, get_peft_model

    wrapped = get_peft_model(model.model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    generator = torch.Generator().manual_seed(1)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * scale
    wrapped.save_pretrained(str(folder))
    wrapped.unload()
    return folder


def test_an_adapter_is_shown_to_be_on_and_can_be_switched_off(model: LocalModel, tmp_path: Path) -> None:
    tuned = load(model.files, adapter=adapter(model, tmp_path / "a", 0.3))
    assert tuned.adapter_is_on() > 0.01
    asked = prompts(6, 60)
    with_it = [a.text for a in generate(tuned, asked, 12)]
    assert with_it == plain(tuned, asked, 12)
    with tuned.adapter_off():
        without = [a.text for a in generate(tuned, asked, 12)]
    assert without == [a.text for a in generate(model, asked, 12)] != with_it


def test_a_dead_adapter_is_refused_before_anything_is_scored(model: LocalModel, tmp_path: Path) -> None:
    dead = load(model.files, adapter=adapter(model, tmp_path / "a", 0.0))
    with pytest.raises(SurroundingsError, match="changes nothing"):
        dead.adapter_is_on()


def test_an_adapter_under_other_keys_is_refused(model: LocalModel, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = adapter(model, tmp_path / "a", 0.3)
    weights = load_file(folder / "adapter_model.safetensors")
    save_file({f"wrong.{name}": tensor for name, tensor in weights.items()}, folder / "adapter_model.safetensors")
    with pytest.raises(SurroundingsError):
        load(model.files, adapter=folder)


def test_an_adapter_of_another_base_is_refused(model: LocalModel, tmp_path: Path) -> None:
    folder = adapter(model, tmp_path / "a", 0.3)
    shallow = build_tiny_model(tmp_path / "shallow", layers=1)
    with pytest.raises(SurroundingsError):
        load(resolve_model(str(shallow), tmp_path / "cache"), adapter=folder)
