"""Drawn answers: from the model's own distribution, each with draws of its own, the same when asked again."""

from __future__ import annotations

from collections import Counter

import pytest
from support.tiny_model import build_tiny_model

from sluice.core.errors import UsageError
from sluice.core.runs import Decoding
from sluice.evalsuite.generate import Sampling, generate
from sluice.evalsuite.models.local import LocalModel, load
from sluice.evalsuite.models.store import resolve_model
from sluice.evalsuite.sampling import Draw

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = build_tiny_model(tmp_path_factory.mktemp("tiny"))
    return load(resolve_model(str(folder), tmp_path_factory.mktemp("cache")))


ASKED = [[{"role": "user", "content": text}] for text in ("the cat", "a dog and a cat", "one two three four")]


def texts(model: LocalModel, asked: list[list[dict[str, str]]], warmth: float, seeds: list[int]) -> list[str]:
    return [answer.text for answer in generate(model, asked, 8, sampling=Sampling(warmth, seeds))]


def test_a_cold_draw_is_the_greedy_answer(model: LocalModel) -> None:
    greedy = [answer.text for answer in generate(model, ASKED, 8)]
    assert texts(model, ASKED, 1e-6, [1, 2, 3]) == greedy
    assert texts(model, ASKED, 2.0, [1, 2, 3]) != greedy


def test_an_answer_hangs_on_its_own_seed_and_not_on_what_is_beside_it(model: LocalModel) -> None:
    together = texts(model, ASKED, 1.0, [1, 2, 3])
    assert together == texts(model, ASKED, 1.0, [1, 2, 3])
    assert together[1:2] == texts(model, ASKED[1:2], 1.0, [2])
    assert texts(model, ASKED[:1] * 6, 1.0, list(range(6))) != [together[0]] * 6


def test_tokens_come_as_often_as_the_model_says(model: LocalModel) -> None:
    import torch

    n, warmth = 600, 0.5
    ids = torch.tensor([model.prompt_ids(ASKED[0])])
    with torch.inference_mode():
        shares = torch.softmax(model.base(input_ids=ids).logits[0, -1].double() / warmth, dim=-1)
    answers = generate(model, ASKED[:1] * n, 1, sampling=Sampling(warmth, list(range(n))))
    found = Counter(answer.text for answer in answers)
    expected: Counter[str] = Counter()
    for token, share in enumerate(shares.tolist()):
        name = "" if token in model.stop_ids else model.tokenizer.decode([token], skip_special_tokens=True)
        expected[name] += share  # type: ignore[assignment]
    top = [text for text, _ in expected.most_common(5)]
    for text in top:
        share = expected[text]
        assert abs(found[text] / n - share) < 4 * (share * (1 - share) / n) ** 0.5 + 1 / n, text
    assert sum(found.values()) == n


def test_a_greedy_run_keeps_its_name_and_a_drawn_one_says_how() -> None:
    assert Decoding(max_new_tokens=8).model_dump(mode="json") == {"max_new_tokens": 8, "temperature": "0"}
    assert Draw(samples=4, seed=7).decoding().model_dump(mode="json") == {
        "max_new_tokens": 0, "temperature": "0.8", "samples": 4, "seed": 7,
    }  # fmt: skip
    assert Draw().decoding() == Decoding(max_new_tokens=0)


@pytest.mark.parametrize(
    "draw", [Draw(samples=0), Draw(limit=0), Draw(samples=2, temperature=0), Draw(temperature=float("nan"))]
)
def test_what_cannot_be_drawn_is_refused(draw: Draw) -> None:
    with pytest.raises(UsageError):
        draw.decoding()
