"""What honest projects hold that a check could take for tampering: `verify` says nothing of it."""

from __future__ import annotations

import json

import pytest
from support.tiny_road import words

from sluice.core.runs import all_runs

pytestmark = [pytest.mark.model]


def test_two_rows_with_one_input_and_different_targets_are_no_tampering(split):
    split.add_rows("tickets/dev", [text := "where is the parcel that was sent on monday"], "delivery")
    split.add_rows("tickets/dev", [text], "other")
    split("freeze")
    split("baseline")
    assert split.tampered() == []
    run = next(r for r in all_runs(split.project) if r.spec.on == "dev")
    compared = split("compare", str(run.folder), str(run.folder), code=4).result
    assert compared["verdict"]["n"] == len(run.answers()), "each row stands for itself, whatever its input"


def test_scores_written_before_lines_named_their_row_still_read(measured):
    run = measured.run_of("tickets")
    file = run.folder / "scores.jsonl"
    newer = measured.root / "newer.jsonl"
    newer.write_bytes(file.read_bytes())
    head, *lines = [json.loads(line) for line in file.read_text().splitlines()]
    older = [head, *({k: v for k, v in line.items() if k != "row"} for line in lines)]
    file.write_text("".join(json.dumps(line) + "\n" for line in older))
    assert measured.tampered() == []
    assert measured("compare", str(run.folder), str(newer), code=4).result["verdict"]["n"] == len(lines)
    file.write_text(file.read_text().replace('"score": 0.0', '"score": 1.0'))
    assert any(run.id in line for line in measured.tampered())


def test_runs_closed_before_tokens_and_seconds_were_sealed_are_no_tampering(measured):
    run = measured.run_of("dev")
    seal = json.loads((run.folder / "closed.json").read_text())
    fact = measured.facts().of("evaluated", run=run.id)[0]
    del seal["counts"]
    (run.folder / "closed.json").write_text(json.dumps(seal))
    assert any(run.id in line and "on record" in line for line in measured.tampered()), "the fact has them"
    older = {key: value for key, value in fact.body.items() if key != "counts"}
    digest = measured.forge("evaluated", older)
    assert [line for line in measured.tampered() if digest[:10] in line] == []


def test_a_verdict_stands_when_prompts_are_given_more_room_later(judged):
    before = judged("compare", "sft-1", "--final", code=None).result["comparison"]
    (opened,) = [f.body for f in judged.facts().of("opened") if f.body.get("adapter")]
    judged.add_rows("tickets/dev", words(88, 1), target="billing " * 200)
    more = judged("baseline").result["max_new_tokens"]
    assert more > opened["max_new_tokens"]
    again = judged("compare", "sft-1", "--final", code=None)
    assert again.code in (1, 4)
    assert again.result["comparison"]["candidate"] == before["candidate"], "the answers of its opening"
    room = f"room for {opened['max_new_tokens']} new tokens"
    assert any(room in note for note in again.result["comparison"]["notes"])
    assert judged("eval", "sft-1", "--on", "tickets", "--final", "--yes").result["run"]
    assert len([f for f in judged.facts().of("opened") if f.body.get("adapter")]) == 1
