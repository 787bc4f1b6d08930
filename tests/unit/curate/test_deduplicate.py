"""`dedup` on a project: thresholds that move, what stays, other datasets, what a dry run shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.drops import dropped_rows
from sluice.curate.formats import ReadOptions
from sluice.curate.redact import redact
from sluice.curate.why import why

OPTIONS = ReadOptions(input="body", target="label")
WORDS = [f"word{n}" for n in range(40)]
Lines = Callable[..., Path]


def text(*changed: int) -> str:
    """Forty words, some of them changed: each change costs three of 38 word 3-grams."""
    return " ".join(f"other{n}" if n in changed else word for n, word in enumerate(WORDS))


def made(project: Project, lines: Lines, *records: dict[str, object], name: str = "t") -> Project:
    add(project, name, [lines(project.root / f"{name}.jsonl", *records)], OPTIONS)
    return project


@pytest.fixture
def family(tmp_path: Path, lines: Lines) -> Project:
    """Four near rows, alike 0.85 and 0.73, with a date, a score and one target."""
    bodies = [text(), text(3), text(3, 10), text(20)]
    columns = [("2026-05-01", 1, "a"), ("2026-07-01", 3, "b"), ("2026-06-01", 2.5, "c"), (None, None, "d")]
    records = [
        {"body": body, "label": "y", "date": date, "score": score, "who": who}
        for body, (date, score, who) in zip(bodies, columns, strict=True)
    ]
    return made(Project(tmp_path), lines, *records)


def held(project: Project, ref: str = "t") -> set[str]:
    return {row.input["body"] for row in open_dataset(project, ref).rows()}


def test_a_threshold_moves_both_ways_and_ends_where_a_first_run_would(family: Project):
    strict = deduplicate(family, "t", threshold=0.8, keep="first")
    assert (strict.dropped, strict.returned, strict.threshold) == (2, 0, 0.8)
    assert held(family) == {text(), text(3, 10)}
    assert deduplicate(family, "t", keep="first").dropped == 1
    assert held(family) == {text()}
    back = deduplicate(family, "t", threshold=0.8, keep="first")
    assert (back.dropped, back.returned) == (0, 1)
    assert held(family) == {text(), text(3, 10)}
    assert not deduplicate(family, "t", threshold=0.8, keep="first").changed


def test_a_row_comes_back_when_the_one_that_stood_for_it_goes_for_another(tmp_path: Path, lines: Lines):
    near, far = text(3, 10), text(20, 30)
    project = made(Project(tmp_path), lines, {"body": text(), "label": "y"}, {"body": near, "label": "y"})
    deduplicate(project, "t")
    (stayed,) = held(project)
    # a longer row that takes the place of the one that stayed, and that the dropped one is not near to
    longer = (far if stayed == text() else text(25, 30)).replace("word0 ", "word0000000000000 ")
    made(project, lines, {"body": longer, "label": "y"}, name="t")
    deduplicate(project, "t")
    kept = {row.row for row in open_dataset(project, "t").rows()}
    for drop in dropped_rows(open_dataset(project, "t")):
        assert drop.kept.row in kept
        assert drop.similarity is not None
        assert drop.similarity >= 0.7


@pytest.mark.parametrize(
    ("keep", "by", "stays"),
    [("first", None, text()), ("newest", "date", text(3)), ("best", "score", text(3))],
)
def test_what_stays_is_chosen_by_a_policy(family: Project, keep: str, by: str | None, stays: str):
    deduplicate(family, "t", keep=keep, by=by)
    assert held(family) == {stays}


@pytest.mark.parametrize(("keep", "by"), [("newest", "date"), ("best", "score")])
def test_a_row_that_was_dropped_before_keeps_its_rank(family: Project, keep: str, by: str):
    deduplicate(family, "t", keep="first")
    assert held(family) == {text()}
    deduplicate(family, "t", keep=keep, by=by)
    assert held(family) == {text(3)}


def test_which_row_of_a_trusted_source_stays_does_not_hang_on_the_order_of_its_lines(tmp_path: Path, lines: Lines):
    records = [{"body": text(n), "label": "y"} for n in (3, 5, 30)] + [{"body": text(7) + " more", "label": "y"}]
    kept: list[set[str]] = []
    for name, some in (("a", records), ("b", records[::-1])):
        project = Project(tmp_path / name)
        project.root.mkdir()
        add(project, "t", [lines(project.root / "t.jsonl", *some)], OPTIONS)
        deduplicate(project, "t", keep="trusted", by="t.jsonl")
        kept.append(held(project))
    assert kept[0] == kept[1] == {text(7) + " more"}


def test_rows_of_a_trusted_source_stay(tmp_path: Path, lines: Lines):
    project = Project(tmp_path)
    for name, body in (("scraped", text()), ("curated", text(3)), ("bought", text(5))):
        add(project, "t", [lines(tmp_path / f"{name}.jsonl", {"body": body, "label": "y"})], OPTIONS)
    deduplicate(project, "t", keep="trusted", by="cur*,scraped.jsonl", dry_run=True)
    deduplicate(project, "t", keep="trusted", by="cur*,scraped.jsonl")
    assert held(project) == {text(3)}
    with pytest.raises(UsageError, match="nobody"):
        deduplicate(project, "t", keep="trusted", by="nobody.jsonl")


def test_a_policy_without_what_it_needs_is_refused(family: Project):
    with pytest.raises(UsageError):
        deduplicate(family, "t", keep="best")
    with pytest.raises(UsageError):
        deduplicate(family, "t", keep="first", by="date")
    with pytest.raises(InputError, match="who"):
        deduplicate(family, "t", keep="best", by="who")
    with pytest.raises(InputError):
        deduplicate(family, "t", keep="newest", by="who")
    for threshold in (0.2, 1.2, 0.755):
        with pytest.raises(UsageError):
            deduplicate(family, "t", threshold=threshold)
    assert open_dataset(family, "t").number == 1


def test_rows_that_another_dataset_holds_go_and_why_tells_for_which(family: Project, lines: Lines):
    made(family, lines, {"body": text(1), "label": "y"}, {"body": "something else", "label": "y"}, name="new")
    result = deduplicate(family, "new", against=["t"])
    assert held(family, "new") == {"something else"}
    assert result.against == ("t@1",)
    (drop,) = dropped_rows(open_dataset(family, "new"))
    assert drop.kept.input["body"] in held(family, "t")
    story = why(family, "new", drop.row)
    assert any(event.other is not None and event.other.row == drop.kept.row for event in story.events)
    assert len(held(family, "t")) == 4
    with pytest.raises(UsageError):
        deduplicate(family, "t", against=["t"])


def test_a_dry_run_shows_how_alike_rows_are_and_changes_nothing(family: Project):
    result = deduplicate(family, "t", dry_run=True)
    assert open_dataset(family, "t").number == 1
    assert result.spread is not None
    assert sum(bar.rows for bar in result.spread) == 4
    for bar in result.spread:
        assert bar.same_target == bar.rows
        assert (bar.pair is None) == (bar.rows == 0)
        if bar.pair is not None:
            assert bar.pair.similarity is not None
            assert bar.least <= bar.pair.similarity < bar.most
    assert deduplicate(family, "t").spread is None


def test_a_redacted_row_is_as_early_as_the_row_that_it_was(tmp_path: Path, lines: Lines):
    records = [{"body": f"{text()} a.b@example.com", "label": "y"}, {"body": f"{text(3)} nobody", "label": "y"}]
    project = made(Project(tmp_path), lines, *records)
    redact(project, "t")
    assert deduplicate(project, "t", keep="first").dropped == 1
    assert held(project) == {f"{text()} [EMAIL_1]"}
