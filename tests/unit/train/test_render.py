"""Rows to tokens: what is learnt, what is refused, and that nothing is cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.tiny_model import build_tiny_model

from sluice.evalsuite.models.local import load_tokenizer
from sluice.evalsuite.models.store import resolve_model
from sluice.evalsuite.models.template import end_of_turn, prompt_ids
from sluice.train.render import EXPLANATIONS, render, render_rows

pytestmark = pytest.mark.model

ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is my parcel?"}]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = build_tiny_model(tmp_path_factory.mktemp("tiny"))
    return load_tokenizer(resolve_model(str(folder), tmp_path_factory.mktemp("cache")))


def test_the_answer_and_its_end_are_learnt_and_nothing_else(tokenizer: Any) -> None:
    row = render(tokenizer, ASK, "On its way.", 100)
    assert row.problem is None
    learnt = row.ids[row.prompt_tokens :]
    assert len(learnt) == row.completion_tokens
    assert tokenizer.decode(learnt) == "On its way.<|im_end|>"
    assert list(row.ids[: row.prompt_tokens]) == prompt_ids(tokenizer, ASK)
    assert learnt[-1] == end_of_turn(tokenizer) == tokenizer.convert_tokens_to_ids("<|im_end|>")


# Any text but the template's own marks; hypothesis tries blanks, control and combining characters, and emoji.
@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_learnt_decodes_to_the_target(tokenizer: Any, target: str, asked: str) -> None:
    row = render(tokenizer, [{"role": "user", "content": asked}], target, 10_000)
    if not target.strip():
        assert row.problem == "nothing-to-learn"
        return
    assert row.problem is None
    assert list(row.ids[: row.prompt_tokens]) == prompt_ids(tokenizer, [{"role": "user", "content": asked}])
    assert tokenizer.decode(row.ids[row.prompt_tokens : -1], clean_up_tokenization_spaces=False) == target
    assert row.ids[-1] == tokenizer.eos_token_id


def test_a_row_that_is_too_long_is_flagged_whole(tokenizer: Any) -> None:
    whole = render(tokenizer, ASK, "parcel " * 50, 10_000)
    flagged = render(tokenizer, ASK, "parcel " * 50, len(whole.ids) - 1)
    assert flagged.problem == "over-long"
    assert flagged.ids == whole.ids
    assert render(tokenizer, ASK, "parcel " * 50, len(whole.ids)).problem is None


def test_a_target_that_spells_the_end_token_is_kept_whole(tokenizer: Any) -> None:
    row = render(tokenizer, ASK, "one<|im_end|>two", 100)
    assert tokenizer.decode(row.ids[row.prompt_tokens :]) == "one<|im_end|>two<|im_end|>"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{% for m in messages %}{{ m['content'] | upper }}{% endfor %}", "turn-lost"),
        ("{{ messages[0]['content'] }}{{ messages[-1]['content'] if messages|length > 2 }}", "turn-lost"),
        ("{{ raise_exception('roles must alternate') }}", "template-refuses"),
        ("{{ messages | length }}{% for m in messages %}{{ m['content'] }}{% endfor %}", "prompt-changes"),
        (
            "{% for m in messages %}{{ m['content'] if m['role'] != 'assistant' else 'x' + m['content'] }}{% endfor %}",
            "answer-lost",
        ),
    ],
)
def test_a_template_that_does_not_carry_a_row_is_named(tokenizer: Any, template: str, problem: str) -> None:
    row = render(tokenizer, ASK, "On its way.", 100, template)
    assert row.problem == problem
    assert row.problem in EXPLANATIONS


def test_a_template_without_an_end_gets_the_tokenizers(tokenizer: Any) -> None:
    row = render(tokenizer, ASK, "On its way.", 100, "{% for m in messages %}{{ m['content'] }}\n{% endfor %}")
    assert row.problem is None
    assert row.ids[-1] == tokenizer.eos_token_id


def test_rows_are_rendered_in_order_with_progress(tokenizer: Any) -> None:
    seen: list[tuple[int, int]] = []
    rows = render_rows(
        tokenizer, [(ASK, "a"), (ASK, "")], 100, progress=lambda _, done, total: seen.append((done, total)), total=2
    )
    assert [row.problem for row in rows] == [None, "nothing-to-learn"]
    assert seen[-1] == (2, 2)
