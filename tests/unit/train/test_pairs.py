"""Pairs as tokens, and the two rules about them: what teaches nothing, and what tells the answers apart unread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.tiny_model import build_tiny_model

from sluice.core.prompt import Block, Prompt
from sluice.core.rows import Preference
from sluice.curate.pairs.audit import audit_pairs
from sluice.evalsuite.models.local import load_tokenizer
from sluice.evalsuite.models.store import resolve_model
from sluice.train.gate import evaluate
from sluice.train.pair_rows import RenderedPair, pairs_as_tokens
from sluice.train.policy import Policy
from sluice.train.render import Rendered
from sluice.train.rules.pairs import balance_of, pairs_trainable

PROMPT = Prompt(name="zero-shot", blocks=(Block(role="user", text="{{ body }}"),))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = build_tiny_model(tmp_path_factory.mktemp("tiny"))
    return load_tokenizer(resolve_model(str(folder), tmp_path_factory.mktemp("cache")))


def pair(chosen: str, rejected: str, number: int = 0) -> Preference:
    return Preference(input={"body": f"Is it open on day {number}?"}, chosen=chosen, rejected=rejected)


@pytest.mark.model
def test_each_side_is_rendered_after_the_same_prompt(tokenizer: Any) -> None:
    (found,) = pairs_as_tokens(tokenizer, [pair("Yes.", "No, it is not.")], PROMPT, 100)
    assert found.problem is None
    assert found.chosen.ids[: found.chosen.prompt_tokens] == found.rejected.ids[: found.rejected.prompt_tokens]
    assert tokenizer.decode(found.rejected.ids[found.rejected.prompt_tokens :]).startswith("No, it is not.")
    assert pairs_trainable("d", [found], 100).status == "ok"


@pytest.mark.model
@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ([pair("Yes.", "Yes.")], ["equal"]),
        ([pair("Yes.", " ")], ["nothing-to-learn"]),
        ([pair("Yes.", "No."), pair("No.", "Yes."), pair("Yes.", "No.", 1)], ["contradictory", "contradictory", None]),
        ([pair("Yes.", "No " * 200)], ["over-long"]),
        (
            [Preference(input={"body": "a"}, chosen='[{"role":"assistant"}]', rejected="[]", answer_form="turns")],
            ["template-refuses"],
        ),
    ],
)
def test_what_teaches_nothing_is_named_and_refused(tokenizer: Any, rows: list[Preference], problems: list[Any]) -> None:
    found = pairs_as_tokens(tokenizer, rows, PROMPT, 60)
    assert [one.problem for one in found] == problems
    result = pairs_trainable("d-pairs", found, 60)
    assert (result.rule, result.status) == ("rows-trainable", "refused")
    assert len(result.details) == sum(problem is not None for problem in problems)


def test_no_pairs_are_absent_and_never_in_order() -> None:
    assert pairs_trainable("d", [], 60).word == "absent"
    few = audit_pairs([pair("Yes.", "No.")], {})
    assert balance_of(few, "d").status == "advice"
    assert "not measured" in balance_of(few, "d").found


def test_a_length_that_gives_the_answer_away_is_said() -> None:
    fair = [pair(f"it is {i} then", f"it was {i} now", i) for i in range(40)]
    assert balance_of(audit_pairs(fair, {}), "d").status == "ok"
    long = [pair(f"it is {i} then and so on", f"it is {i}", i) for i in range(40)]
    said = balance_of(audit_pairs(long, {}), "d")
    assert said.status == "advice"
    assert "length alone" in said.found
    assert said.value == "1.000000"


def test_the_gate_advises_on_pairs_alone_and_refuses_under_strict(good) -> None:
    assert "pair-balance" not in {r.rule for r in evaluate(good, Policy()).advice}
    long = [pair(f"it is {i} then and so on", f"it is {i}", i) for i in range(40)]
    pairs = replace(good, pairs=audit_pairs(long, {}))
    lax = evaluate(pairs, Policy())
    assert lax.open
    assert "pair-balance" in {r.rule for r in lax.advice}
    strict = evaluate(pairs, Policy(strict=True)).rule("pair-balance")
    assert strict is not None
    assert strict.status == "refused"


def test_the_longest_of_a_pair_is_what_has_to_fit() -> None:
    assert RenderedPair("r", Rendered((1, 2), 1), Rendered((1, 2, 3), 1)).longest == 3
