"""From rows without answers to labels that can be trusted: people of known error, a dispute, a third person's word."""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.app import run
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.dataset import open_dataset
from sluice.curate.labels.choose import written_task
from sluice.curate.labels.log import keep_question, read_log
from sluice.curate.labels.question import ask
from sluice.curate.labels.record import Judgement, new_id

LABELS = ("billing", "shipping", "returns", "other")
RIGHT = {"ana": 0.95, "ben": 0.9, "cem": 0.85, "dia": 0.7, "eva": 0.5}
"""How often each of the simulated people says the true label; else one of the others, each as likely."""
ROWS = 300


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: Any, code: int, *words: str) -> Any:
    assert run([*words, "--json"]) == code, (words, capsys.readouterr())
    told = json.loads(capsys.readouterr().out)
    return told["error"] if told["result"] is None else told["result"]


def tell(capsys: Any, text: str) -> None:
    """Show what was measured, under `pytest -s` or not."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def make_rows(count: int, *, target: str | None = None) -> None:
    lines = [{"body": f"request {n} of customer {n * 7}", "team": "ab"[n % 2], "label": target} for n in range(count)]
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(["add", "t", "t.jsonl", "--input", "body", "--target", "label"]) == 0


def simulate(root: Path, seed: int) -> dict[str, str]:
    """Write down what five people say of every row, and return the true label of each input."""
    draw, project = random.Random(seed), Project(root)
    question = ask("classify", labels=LABELS, written=written_task(project))
    keep_question(project, question, read_log(project), by="ana")
    rows = open_dataset(project, "t").rows()
    truth = {row.input_hash: draw.choice(LABELS) for row in rows}
    for who, right in RIGHT.items():
        lines: list[str] = []
        for n, row in enumerate(rows):
            true = truth[row.input_hash]
            value = true if draw.random() < right else draw.choice([label for label in LABELS if label != true])
            judgement = Judgement(
                id=new_id(),
                time=f"2026-01-01T00:{n // 60:02}:{n % 60:02}.000000Z",
                by=who,
                seconds=draw.uniform(2, 6),
                mode="classify",
                question=question.hash,
                field="target",
                dataset="t",
                row=row.row,
                input=row.input_hash,
                value=value,
            )
            lines.append(judgement.model_dump_json() + "\n")
        (root / "decisions" / f"labels-of-{who}.jsonl").write_text("".join(lines))
    return truth


def share_right(root: Path, truth: dict[str, str]) -> tuple[float, int]:
    """Return how many of the targets are true, and how many rows have one."""
    rows = [row for row in open_dataset(Project(root), "t").rows() if isinstance(row, Example) and row.target]
    return sum(row.target == truth[row.input_hash] for row in rows) / len(rows), len(rows)


def test_agreement_and_dawid_skene_recover_people_of_known_error(here, capsys):
    pytest.importorskip("crowdkit")
    make_rows(ROWS)
    truth = simulate(here, seed=1)
    capsys.readouterr()
    (plain,) = said(capsys, 0, "labels", "t", "--by-column", "team")["questions"]
    agreement = plain["agreement"]
    for pair in agreement["pairs"]:
        one, two = RIGHT[pair["first"]], RIGHT[pair["second"]]
        expected = one * two + (1 - one) * (1 - two) / (len(LABELS) - 1)
        assert pair["raw"]["value"] == pytest.approx(expected, abs=0.1), (pair["first"], pair["second"])
    assert agreement["people"][0]["annotator"] == "eva"
    assert {one["slice"]: one["items"] for one in agreement["slices"]} == {"a": ROWS // 2, "b": ROWS // 2}
    assert agreement["read"] == "alpha"
    assert len(plain["pace"]) == 1 + len(RIGHT)

    (modelled,) = said(capsys, 0, "labels", "t", "--settle", "dawid-skene")["questions"]
    found = {p["by"]: p["accuracy"] for p in modelled["people"]}
    tell(capsys, f"accuracy, true and found: { {who: (RIGHT[who], round(found[who], 3)) for who in RIGHT} }")
    for who, right in RIGHT.items():  # 95% of a share of 300 at .5 lies within .057
        assert found[who] == pytest.approx(right, abs=0.07)

    done = said(capsys, 0, "labels", "t", "--apply", "--settle", "dawid-skene")
    right, labelled = share_right(here, truth)
    tell(capsys, f"Dawid-Skene: {labelled} of {ROWS} rows labelled, {right:.3f} right, {done['open']} open")
    assert done["labelled"] == labelled
    assert done["open"] == ROWS - labelled
    assert labelled > 0.85 * ROWS
    assert right > 0.97, "above the best of the people"
    one = next(r for r in open_dataset(Project(here), "t").rows() if isinstance(r, Example) and r.target)
    told = " ".join(event["what"] for event in said(capsys, 0, "why", "t", one.row[:10])["events"])
    assert re.search(r"labelled \(dawid-skene [01]\.\d\d: \w+", told), told


def test_a_lower_bound_takes_more_rows_and_a_higher_one_fewer(here, capsys):
    pytest.importorskip("crowdkit")
    make_rows(120)
    simulate(here, seed=2)
    capsys.readouterr()
    taken = [
        said(capsys, 0, "labels", "t", "--apply", "--dry-run", "--settle", "dawid-skene", "--least", least)["labelled"]
        for least in ("0.5", "0.9", "0.9999")
    ]
    assert taken == sorted(taken, reverse=True)
    assert taken[0] > taken[2]
    assert "probability" in said(capsys, 2, "labels", "t", "--settle", "majority", "--least", "2")["message"]
    assert "no probability" in said(capsys, 2, "labels", "t", "--least", "0.5")["message"]


def test_two_disagree_a_third_decides_and_the_version_tells_it(here, capsys):
    make_rows(4, target="other")
    capsys.readouterr()
    rows = [row["row"] for row in said(capsys, 0, "show", "t")["rows"]]

    def label(row: str, value: str, by: str, *more: str, code: int = 0) -> Any:
        given = ("--row", row[:10], "--label", value, "--by", by, "--labels", ",".join(LABELS), *more)
        return said(capsys, code, "label", "t", *given)

    for row, value in ((rows[0], "billing"), (rows[1], "shipping"), (rows[2], "billing")):
        label(row, value, "ana")
    for row, value in ((rows[0], "billing"), (rows[1], "returns"), (rows[2], "other")):
        label(row, value, "ben")
    listed = said(capsys, 0, "labels", "t", "--disputed")["rows"]
    assert [row["row"] for row in listed] == [rows[1], rows[2]]
    assert listed[0]["said"] == {"ana": "shipping", "ben": "returns"}
    assert listed[0]["text"] == "request 1 of customer 7"

    assert "one of those who disagree" in label(rows[1], "shipping", "ana", "--adjudicate", code=2)["message"]
    assert "nobody disagrees" in label(rows[0], "billing", "cem", "--adjudicate", code=2)["message"]
    label(rows[1], "returns", "cem", "--adjudicate")
    assert [row["row"] for row in said(capsys, 0, "labels", "t", "--disputed")["rows"]] == [rows[2]]
    (asked,) = said(capsys, 0, "labels", "t")["questions"]
    assert asked["how"] == {"agreed": 1, "adjudicated": 1, "open": 1}
    assert [(p["by"], p["adjudicated"]) for p in asked["people"]] == [("ana", 0), ("ben", 0), ("cem", 1)]
    assert asked["agreement"]["annotators"] == ["ana", "ben"], "a third person's word is no independent one"

    done = said(capsys, 0, "labels", "t", "--apply")
    assert (done["labelled"], done["open"], done["how"]) == (2, 1, {"agreed": 1, "adjudicated": 1})
    told = " ".join(event["what"] for event in said(capsys, 0, "why", "t", rows[1][:10])["events"])
    assert "adjudicated: cem (ana: shipping)" in told or "adjudicated: cem (ana: shipping, ben: returns)" in told
    assert said(capsys, 0, "diff", "t@1", "t")["changed"]
    after = next(row["row"] for row in said(capsys, 0, "show", "t")["rows"] if row["target"] == "returns")
    label(after, "billing", "cem")  # a word of the usual kind: the dispute is one of three now
    assert "adjudicated" not in said(capsys, 0, "labels", "t", "--apply", "--dry-run")["how"]


def test_one_persons_word_can_count_over_the_others(here, capsys):
    make_rows(2, target="other")
    capsys.readouterr()
    rows = [row["row"] for row in said(capsys, 0, "show", "t")["rows"]]
    for by, value in (("ana", "billing"), ("ben", "shipping")):
        given = ("--row", rows[0][:10], "--label", value, "--by", by, "--labels", ",".join(LABELS))
        said(capsys, 0, "label", "t", *given)
    done = said(capsys, 0, "labels", "t", "--apply", "--settle", "ben")
    assert (done["labelled"], done["how"]) == (1, {"person": 1})
    assert {row["target"] for row in said(capsys, 0, "show", "t")["rows"]} == {"shipping", "other"}
    assert "ana, ben" in said(capsys, 2, "labels", "t", "--settle", "zoe")["remedy"]


def test_rows_that_were_graded_wrong_leave_and_come_back(here, capsys):
    make_rows(4, target="other")
    capsys.readouterr()
    rows = [row["row"] for row in said(capsys, 0, "show", "t")["rows"]]
    for row, by, word in ((0, "ana", "wrong"), (0, "ben", "wrong"), (1, "ana", "right"), (2, "ana", "partly")):
        said(capsys, 0, "label", "t", "--mode", "grade", "--row", rows[row][:10], "--label", word, "--by", by)
    said(capsys, 0, "label", "t", "--mode", "grade", "--row", rows[2][:10], "--label", "wrong", "--by", "ben")
    assert "no targets" in said(capsys, 2, "labels", "t", "--apply")["message"]
    assert "no label" in said(capsys, 2, "labels", "t", "--keep", "good")["message"]
    assert not said(capsys, 0, "labels", "t", "--keep", "right,partly", "--dry-run")["changed"]
    done = said(capsys, 0, "labels", "t", "--keep", "right,partly")
    assert (done["dropped"], done["kept"], done["open"], done["without"]) == ({"wrong": 1}, 1, 1, 1)
    assert rows[0] not in [row["row"] for row in said(capsys, 0, "show", "t")["rows"]]
    told = " ".join(event["what"] for event in said(capsys, 0, "why", "t", rows[0][:10])["events"])
    assert "grade wrong, agreed: ana, ben" in told
    assert said(capsys, 0, "restore", "t", "--reason-was", "judged")["restored"] == 1
    assert {row["row"] for row in said(capsys, 0, "show", "t")["rows"]} == set(rows)


def test_a_screen_of_80_columns_holds_all_tables(here, capsys):
    make_rows(60)
    simulate(here, seed=3)
    capsys.readouterr()
    assert run(["labels", "t", "--question", "target", "--by-column", "team"]) == 0
    drawn = capsys.readouterr().out
    tables = [line for line in drawn.splitlines() if not line.startswith("  ")]
    assert max(len(line) for line in tables) <= 80, max(tables, key=len)
    for word in ("Krippendorff", "another, too", "with the others", "Cohen's kappa", "one says", "an hour", "slice"):
        assert word in drawn
