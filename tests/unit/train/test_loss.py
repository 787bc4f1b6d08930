"""The loss on completion tokens, the shared prefix, the fast LoRA layer: equal to the plain ones, gradients too."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_model import WORDS, build_tiny_model

from sluice.evalsuite.models.local import LocalModel, load
from sluice.evalsuite.models.store import resolve_model
from sluice.train.loss import can_share, completion_loss, fast_lora, packed_attention
from sluice.train.packing import batches_by_length, pack, split_rows
from sluice.train.render import Rendered, render

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = build_tiny_model(tmp_path_factory.mktemp("tiny"))
    return load(resolve_model(str(folder), tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def tuned(model: LocalModel) -> Iterator[Any]:
    """The model with LoRA layers whose second matrices are not zero."""
    import torch
    from peft import LoraConfig, get_peft_model

    wrapped: Any = get_peft_model(
        model.model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    generator = torch.Generator().manual_seed(1)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1
    yield wrapped
    wrapped.unload()


def rows_of(model: LocalModel, count: int, system: bool = True, seed: int = 0) -> list[Rendered]:
    chance = random.Random(seed)
    first = [{"role": "system", "content": "You are a helpful assistant."}] if system else []
    rows = []
    for _ in range(count):
        asked = " ".join(chance.choices(WORDS, k=chance.randint(2, 20)))
        answer = " ".join(chance.choices(WORDS, k=chance.randint(1, 6)))
        rows.append(render(model.tokenizer, [*first, {"role": "user", "content": asked}], answer, 512))
    return rows


def plain_loss(base: Any, rows: list[Rendered]) -> Any:
    """Cross-entropy over full logits of one padded batch with its attention mask, as a textbook has it."""
    import torch

    longest = max(len(row.ids) for row in rows)
    ids = torch.tensor([[*row.ids, *[2] * (longest - len(row.ids))] for row in rows])
    mask = torch.tensor([[1] * len(row.ids) + [0] * (longest - len(row.ids)) for row in rows])
    labels = torch.full_like(ids, -100)
    for place, row in enumerate(rows):
        for token in range(row.prompt_tokens, len(row.ids)):
            labels[place, token] = row.ids[token]
    logits = base(input_ids=ids, attention_mask=mask).logits
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")


def gradients(wrapped: Any, loss: Callable[[], Any]) -> tuple[float, dict[str, Any]]:
    wrapped.zero_grad()
    value = loss()
    value.backward()
    return float(value.detach()), {n: p.grad.clone() for n, p in wrapped.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("plain_attention", [False, True])
def test_loss_and_gradients_equal_the_plain_ones(
    model: LocalModel, tuned: Any, share: bool, fast: bool, plain_attention: bool, monkeypatch
) -> None:
    import contextlib

    import torch

    if not plain_attention:
        monkeypatch.setattr("sluice.train.loss._PLAIN_SCORES", 0)
    base, rows = tuned.get_base_model(), rows_of(model, 8)
    assert can_share(base)
    expected, their_grads = gradients(tuned, lambda: plain_loss(base, rows))
    part = pack(rows, 2, share)
    assert bool(part.prefix) == share
    with fast_lora(tuned) if fast else contextlib.nullcontext(0) as layers, packed_attention(base, True):
        assert layers == (14 if fast else 0)
        value, our_grads = gradients(tuned, lambda: completion_loss(base, part))
    assert value == pytest.approx(expected, rel=1e-5)
    assert our_grads.keys() == their_grads.keys()
    for name, grad in their_grads.items():
        torch.testing.assert_close(our_grads[name], grad, rtol=1e-3, atol=1e-4 * float(grad.abs().max()))


def test_one_row_and_rows_without_a_common_start(model: LocalModel, tuned: Any) -> None:
    base = tuned.get_base_model()
    for rows in (rows_of(model, 1), rows_of(model, 4)):
        with packed_attention(base, True):
            value = float(completion_loss(base, pack(rows, 2, True)).detach())
        assert value == pytest.approx(float(plain_loss(base, rows).detach()), rel=1e-5)


def test_the_loss_is_that_of_trl(model: LocalModel, tuned: Any) -> None:
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    rows, base = rows_of(model, 8), tuned.get_base_model()
    labels = [[-100] * r.prompt_tokens + list(r.ids[r.prompt_tokens :]) for r in rows]
    data = Dataset.from_dict({"input_ids": [list(r.ids) for r in rows], "labels": labels})
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder, per_device_train_batch_size=8, report_to=[], disable_tqdm=True, bf16=False, use_cpu=True
        )
        trainer: Any = SFTTrainer(model=tuned, args=arguments, train_dataset=data, processing_class=model.tokenizer)
        inputs = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
        theirs = float(trainer.compute_loss(tuned, inputs))
    part = pack(rows, 2, True)
    with fast_lora(tuned), packed_attention(base, True):
        ours = float(completion_loss(base, part)) / len(part.labels)
    assert ours == pytest.approx(theirs, abs=1e-3)
    assert ours > 0.1


def test_parts_of_a_batch_add_up_to_the_batch(model: LocalModel, tuned: Any) -> None:
    base, rows = tuned.get_base_model(), rows_of(model, 9, seed=4)
    parts = split_rows(rows, 150)
    assert len(parts) > 1
    assert sorted(row.ids for part in parts for row in part) == sorted(row.ids for row in rows)
    with packed_attention(base, True):
        whole = float(completion_loss(base, pack(rows, 2, True)))
        pieces = sum(float(completion_loss(base, pack(part, 2, True))) for part in parts)
    assert pieces == pytest.approx(whole, rel=1e-5)


def test_a_layer_that_is_not_plain_keeps_its_own_forward(model: LocalModel) -> None:
    from peft import LoraConfig, get_peft_model

    plain: Any = get_peft_model(load(model.files).model, LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"))
    with fast_lora(plain) as layers:
        assert layers == 2
    for options in ({"lora_dropout": 0.1}, {"use_dora": True}):
        wrapped: Any = get_peft_model(
            load(model.files).model, LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM", **options)
        )
        with fast_lora(wrapped) as layers:
            assert layers == 0


def test_forward_is_given_back(tuned: Any) -> None:
    with fast_lora(tuned):
        assert any("forward" in vars(module) for module in tuned.modules() if hasattr(module, "lora_A"))
    assert not any("forward" in vars(module) for module in tuned.modules() if hasattr(module, "lora_A"))


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=200), st.integers(1, 20), st.integers(0, 5), st.integers(0, 3)
)
def test_each_row_is_in_one_batch_and_only_the_last_is_short(
    lengths: list[int], batch: int, seed: int, epoch: int
) -> None:
    batches = batches_by_length(lengths, batch, seed, epoch)
    assert sorted(row for group in batches for row in group) == list(range(len(lengths)))
    assert all(len(group) == batch for group in batches[:-1])
    assert batches == batches_by_length(lengths, batch, seed, epoch)


def test_batches_differ_between_epochs_and_hold_rows_of_nearly_one_length() -> None:
    lengths = [random.Random(i).randint(20, 400) for i in range(640)]
    first, second = batches_by_length(lengths, 8, 0, 0), batches_by_length(lengths, 8, 0, 1)
    assert first != second
    padded = sum(max(lengths[r] for r in group) * len(group) for group in first)
    assert padded < 1.1 * sum(lengths)
