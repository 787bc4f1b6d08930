"""The rows that a plan shows: nothing of their text is lost, what all repeat is marked, what is learnt stands alone."""

from __future__ import annotations

from sluice.cli.verbs.plan import duration, shown
from sluice.train.plan import SHOWN_OF_REPEATED, _samples
from sluice.train.render import Rendered


class Letters:
    """A tokenizer whose tokens are characters."""

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))


def row(prompt: str, answer: str) -> tuple[str, Rendered]:
    return ("0" * 64, Rendered(ids=tuple(map(ord, prompt + answer)), prompt_tokens=len(prompt)))


SYSTEM = "You name the desk that a message belongs to. " * 3


def test_a_text_that_all_rows_repeat_is_counted_and_the_answer_is_whole():
    rows = [row(SYSTEM + "Ask A?", "billing" * 30), row(SYSTEM + "Bsk?", "other")]
    for (_, rendered), sample in zip(rows, _samples(Letters(), rows), strict=True):
        assert "".join(p.text for p in sample.pieces) == Letters().decode(list(rendered.ids))
        assert sum(p.tokens for p in sample.pieces) == sample.tokens
        repeated = [p for p in sample.pieces if p.repeated]
        assert [p.text for p in repeated] == [SYSTEM[SHOWN_OF_REPEATED:]]
        drawn = "".join(map(shown, sample.pieces))
        assert f"{len(SYSTEM) - SHOWN_OF_REPEATED} tokens" in drawn
        assert SYSTEM not in drawn
        assert SYSTEM[:SHOWN_OF_REPEATED] in drawn
        learnt = [p for p in sample.pieces if p.trained]
        assert len(learnt) == 1
        assert f">>{learnt[0].text}<<" in drawn
        assert len(learnt[0].text) == sample.trained


def test_one_row_and_rows_that_share_little_are_shown_whole():
    for rows in ([row(SYSTEM, "a")], [row("Name: x", "a"), row("Name: y", "b")], [row("x", "a"), row("y", "b")]):
        for sample in _samples(Letters(), rows):
            assert not any(p.repeated for p in sample.pieces)
            assert [p.trained for p in sample.pieces][-1]


def test_a_duration_is_never_nothing():
    assert [duration(s) for s in (0.01, 1.4, 89, 120, 7200)] == ["1 s", "1 s", "89 s", "2 min", "2.0 h"]
