"""From a model's answers to pairs, by verbs alone: sample training rows, build, look at the story of a pair."""

from __future__ import annotations

from typing import Any

from sluice.core.runs import Run


def test_answers_are_drawn_and_become_pairs(measured: Any) -> None:
    done = measured("eval", "base", "--on", "tickets/train", "--samples", "3", "--limit", "6", "--temperature", "1.5")
    result = done.result
    assert (result["rows"], result["samples"]) == (6, 3)
    assert result["different"] > 1
    run = Run(measured.project.runs / result["run"])
    answers = run.answers()
    assert len(answers) == 18
    assert {repeat for _, repeat in answers} == {0, 1, 2}
    assert run.closed is not None
    again = measured("eval", "base", "--on", "tickets/train", "--samples", "3", "--limit", "6", "--temperature", "1.5")
    assert again.result["run"] == result["run"]
    _cut(run)
    measured("eval", "base", "--on", "tickets/train", "--samples", "3", "--limit", "6", "--temperature", "1.5")
    assert {key: a.text for key, a in run.answers().items()} == {key: a.text for key, a in answers.items()}
    whole = sum(a.stop == "end" for a in answers.values())
    assert not measured.facts().of("evaluated", run=result["run"])
    built = measured("pairs", "tickets", "--from", f"gold:{result['run']}", code=None)
    if whole:
        assert built.code == 0
        assert built.result["audit"]["sources"] == {"gold": built.result["rows"]}
    else:  # junk of a random model may never end: then that is what is said
        assert built.code == 2
        assert "cut" in built.error["message"]
    found = measured("verify", code=None)
    assert [f["word"] for f in found.result["findings"] if result["run"] in f["name"]] == ["intact"]


def test_rows_that_are_measured_are_not_sampled(measured: Any) -> None:
    for on in ("tickets", "tickets/dev", "tickets/eval"):
        refused = measured("eval", "base", "--on", on, "--samples", "2", code=3)
        assert refused.error["remedy"]
    assert measured("eval", "base", "--samples", "2", "--temperature", "0", code=2).error
    assert measured("eval", "base", "--samples", "2", "--final", code=2).error


def _cut(run: Run) -> None:
    """Leave what a killed run leaves: some answers, no seal."""
    (run.folder / "closed.json").unlink()
    file = run.folder / "answers.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:7]))
