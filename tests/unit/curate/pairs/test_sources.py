"""Each source turns what was really said into pairs: who preferred what, by how much, and what is left out."""

from __future__ import annotations

import json

import pytest

from sluice.core.errors import InputError, Refused, Tampered
from sluice.core.rows import Preference, Unpaired
from sluice.curate.dataset import has_dataset, open_dataset
from sluice.curate.labels.sides import side_of_run
from sluice.curate.metadata import metadata_of
from sluice.curate.pairs.audit import audit_version
from sluice.curate.pairs.build import build_pairs
from sluice.curate.pairs.rules import Rules
from sluice.curate.privacy.meant import find_meant
from sluice.curate.why import why


def pairs_of(project, name="d-pairs") -> dict[str, tuple[str, str]]:
    return {
        r.input_hash: (r.chosen, r.rejected) for r in open_dataset(project, name).rows() if isinstance(r, Preference)
    }


def test_choices_follow_the_answer_and_not_the_side(parted, rows, answered, decide):
    row, other, tied, bad, split, *_ = rows("train")
    run = answered(*((r, [("one answer", None), ("quite another text", None)]) for r in (row, other, tied, bad, split)))
    a, b = side_of_run(run), side_of_run(run, 1)
    decide(row, "compare", "a", sides=(a, b))
    decide(row, "compare", "b", sides=(b, a), by="ben")  # the same answer, on the other side
    decide(other, "compare", "a", sides=(a, b))
    decide(other, "compare", "b", sides=(a, b))  # thought better of
    decide(tied, "compare", "tie", sides=(a, b))
    decide(bad, "compare", "both-bad", sides=(a, b))
    decide(split, "compare", "a", sides=(a, b))
    decide(split, "compare", "b", sides=(a, b), by="ben")
    done = build_pairs(parted, "d", ["choices"])
    one, two = "one answer", "quite another text"
    assert pairs_of(parted) == {row.input_hash: (one, two), other.input_hash: (two, one)}
    assert (done.aside["tie"], done.aside["both answers are bad"]) == (2, 1)
    assert done.audit is not None
    assert done.audit.people == {"ana": 2, "ben": 1}
    assert done.audit.position is not None
    assert (done.audit.position.choices, done.audit.position.first_chosen) == (1, 0.0)  # of the first the sides differ


def test_three_votes_to_two_are_too_few_and_both_bad_is_kept_for_kto(parted, rows, answered, decide):
    row, bad, *_ = rows("train")
    run = answered(*((r, [("one answer", None), ("quite another text", None)]) for r in (row, bad)))
    sides = (side_of_run(run), side_of_run(run, 1))
    for by, value in zip("abcde", ("a", "a", "a", "b", "b"), strict=True):
        decide(row, "compare", value, sides=sides, by=by)
    decide(bad, "compare", "both-bad", sides=sides)
    with pytest.raises(InputError, match=r"largest margin is 0\.20"):
        build_pairs(parted, "d", ["choices"])
    assert build_pairs(parted, "d", ["choices"], rules=Rules(margin=0.2)).rows == 1
    build_pairs(parted, "d", ["choices"], kind="unpaired", rules=Rules(margin=0.2), to="kto")
    judged = [(r.input_hash, r.good) for r in open_dataset(parted, "kto").rows() if isinstance(r, Unpaired)]
    assert sorted(judged) == sorted(
        [(row.input_hash, True), (row.input_hash, False), (bad.input_hash, False), (bad.input_hash, False)]
    )


def test_ratings_need_two_answers_to_an_input_and_a_margin(parted, decide, lines, tmp_path):
    from sluice.curate.adding.add import add
    from sluice.curate.formats.records import ReadOptions

    texts = [("alpha", "the kettle is on its way"), ("alpha", "call us"), ("alpha", "we know nothing"), ("beta", "no")]
    file = lines(tmp_path / "r.jsonl", *({"body": i, "label": t} for i, t in texts))
    add(parted, "r", [file], ReadOptions(input="body", target="label"))
    first, second, third, lone = open_dataset(parted, "r").examples()
    for row, stars in ((first, (5, 4)), (second, (2, 2)), (third, (4, 5)), (lone, (1, 1))):
        for by, value in zip(("ana", "ben"), stars, strict=True):
            decide(row, "rate", value, by=by, dataset="r")
    done = build_pairs(parted, "r", ["ratings"], rules=Rules(per_input=9))
    got = {(r.chosen, r.rejected) for r in open_dataset(parted, "r-pairs").rows() if isinstance(r, Preference)}
    assert got == {(first.target, second.target), (third.target, second.target)}
    assert done.aside["tie"] == 1
    assert done.audit is not None
    assert done.audit.margins is not None
    assert done.audit.margins.median == 0.625  # (4.5 - 2) of the 4 steps from 1 to 5
    assert done.by_part == {"r-pairs": 2}


def test_a_correction_is_preferred_to_what_it_corrects(parted, rows, decide):
    edited, left, disputed, *_ = rows("train")
    decide(edited, "correct", "Yes, it is under warranty.")
    decide(left, "correct", left.target)
    decide(disputed, "correct", "Another answer altogether.")
    decide(disputed, "correct", disputed.target, by="ben")
    done = build_pairs(parted, "d", ["corrections"])
    assert pairs_of(parted) == {edited.input_hash: ("Yes, it is under warranty.", edited.target)}
    assert done.aside == {"left as it was": 1, "people disagree whether to edit": 1}


def test_the_best_sample_is_taken_against_a_worse_one_and_why_tells_it(parted, rows, answered):
    clear, tied, close, *_ = rows("train")
    run = answered(
        (clear, [("wrong thing", 0.0), ("the right one", 1.0), ("half of it here", 0.6)]),
        (tied, [("one thing", 1.0), ("two things", 1.0)]),
        (close, [("a rather good one", 0.9), ("a bit better than it", 1.0)]),
    )
    done = build_pairs(parted, "d", [f"samples:{run}"], rules=Rules(rejected="widest"))
    assert pairs_of(parted) == {clear.input_hash: ("the right one", "wrong thing")}
    assert (done.aside["tie"], done.aside["margin too small"]) == (1, 1)
    build_pairs(parted, "d", [f"samples:{run}"], rules=Rules(rejected="hardest"), to="hard")
    assert pairs_of(parted, "hard") == {clear.input_hash: ("the right one", "half of it here")}
    assert done.audit is not None
    assert done.audit.on_policy == 1.0
    assert done.audit.sources == {"samples": 1}
    (row,) = open_dataset(parted, "d-pairs").rows()
    beside = metadata_of(open_dataset(parted, "d-pairs"))[row.row]
    assert (beside["run"], beside["margin"], beside["chosen_from"]) == (run, 1.0, f"run:{run}#1")
    story = why(parted, "d-pairs", row.row)
    assert any("exact scored it 1.00" in event.what for event in story.events)
    assert any(event.other is not None and event.other.row == clear.row for event in story.events)


def test_answers_that_were_cut_are_in_no_pair(parted, rows, answered):
    row = rows("train")[0]
    run = answered((row, [("the right one", 1.0), ("wrong thing", 0.0)]), stop="length")
    with pytest.raises(InputError, match="cut"):
        build_pairs(parted, "d", [f"samples:{run}"])


def test_the_target_is_preferred_to_what_the_model_got_wrong(parted, rows, answered):
    wrong, right, *_ = rows("train")
    run = answered((wrong, [("something else", 0.0)]), (right, [(right.target, 1.0)]))
    done = build_pairs(parted, "d", [f"gold:{run}"])
    assert pairs_of(parted) == {wrong.input_hash: (wrong.target, "something else")}
    assert done.aside["the model's answer is right"] == 1
    assert done.audit is not None
    assert done.audit.on_policy == 0.0


def test_feedback_pairs_thumbs_of_one_input_and_takes_edits(parted, rows, feedback):
    row, other, thumbed, *_ = rows("train")
    file = feedback(
        {"q": row.input["body"], "reply": "yes, gladly", "thumb": "up"},
        {"q": row.input["body"], "reply": "no idea about that", "thumb": "down"},
        {"q": {"body": other.input["body"]}, "chosen": "an edited reply", "rejected": "the first try", "by": "eve"},
        {"row": thumbed.row[:12], "reply": "fine by me", "thumb": 1},
    )
    columns = {"input": "q", "answer": "reply", "good": "thumb"}
    done = build_pairs(parted, "d", [f"feedback:{file}"], columns=columns)
    assert pairs_of(parted) == {
        row.input_hash: ("yes, gladly", "no idea about that"),
        other.input_hash: ("an edited reply", "the first try"),
    }
    assert done.aside == {"thumbs of one kind only to the input": 1}
    kto = build_pairs(parted, "d", [f"feedback:{file}"], columns=columns, kind="unpaired", to="kto")
    assert kto.rows == 5
    with pytest.raises(InputError) as caught:
        build_pairs(parted, "d", [f"feedback:{file}"], columns={"input": "q"}, to="kto")
    assert caught.value.where is not None
    assert caught.value.where.endswith("feedback.jsonl:1")


def test_feedback_of_a_dataset_of_judged_answers(parted, rows, lines, tmp_path):
    from sluice.curate.adding.add import add
    from sluice.curate.formats.records import ReadOptions

    body = rows("train")[0].input["body"]
    records = [{"prompt": body, "completion": f"answer number {i}", "label": i == 0} for i in range(2)]
    add(parted, "thumbs", [lines(tmp_path / "t.jsonl", *records)], ReadOptions())
    stored = open_dataset(parted, "thumbs").rows()
    assert {row.kind for row in stored} == {"unpaired"}
    done = build_pairs(parted, "d", ["feedback:thumbs"])
    assert done.rows == 1
    assert done.by_part == {"d-pairs": 1, "d-pairs/train": 1}


@pytest.mark.parametrize("part", ["eval", "dev"])
def test_a_run_over_what_is_measured_is_refused(parted, rows, answered, part):
    run = answered((rows(part)[0], [("a b", 1.0), ("c d", 0.0)]), (rows("train")[0], [("a b", 1.0)]))
    for source in ("samples", "gold"):
        with pytest.raises(Refused, match="1 of the 2 inputs"):
            build_pairs(parted, "d", [f"{source}:{run}"])
    assert not has_dataset(parted, "d-pairs")


def test_choices_about_eval_inputs_are_left_out_and_those_about_dev_stay_in_dev(parted, rows, answered, decide):
    train, dev, held = rows("train")[0], rows("dev")[0], rows("eval")[0]
    run = answered(*((r, [("one answer", None), ("quite another text", None)]) for r in (train, dev, held)))
    sides = (side_of_run(run), side_of_run(run, 1))
    decide(held, "compare", "a", sides=sides, dataset="d/eval")
    with pytest.raises(Refused):
        build_pairs(parted, "d", ["choices"])
    decide(train, "compare", "a", sides=sides)
    decide(dev, "compare", "b", sides=sides, dataset="d/dev")
    done = build_pairs(parted, "d", ["choices"])
    assert done.by_part == {"d-pairs": 2, "d-pairs/train": 1, "d-pairs/dev": 1}
    assert done.aside["about an eval input"] == 1
    assert set(pairs_of(parted, "d-pairs/dev")) == {dev.input_hash}


def test_an_input_that_repeats_an_eval_row_is_left_out(parted, rows, feedback):
    body = rows("eval")[0].input["body"]
    file = feedback({"input": f"{body}!", "chosen": "an edited reply", "rejected": "the first try"})
    with pytest.raises(Refused, match="measured on"):
        build_pairs(parted, "d", [f"feedback:{file}"])


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("samples:nowhere", InputError, "is not here"),
        ("choices", InputError, "nobody has compared"),
        ("ratings", InputError, "nobody has rated"),
        ("corrections", InputError, "nobody has corrected"),
        ("samples", Exception, "of what"),
        ("wishes", InputError, "no source"),
        ("feedback:nowhere.jsonl", InputError, "no file here"),
    ],
)
def test_a_source_that_says_nothing_is_one_clear_error(parted, source, error, says):
    with pytest.raises(error, match=says):
        build_pairs(parted, "d", [source])


def test_answers_without_scores_and_answers_that_were_edited(parted, rows, answered):
    row = rows("train")[0]
    with pytest.raises(InputError, match="no scores"):
        build_pairs(parted, "d", [f"samples:{answered((row, [('a b', None)]))}"])
    run = answered((row, [("a b", 1.0), ("c d", 0.0)]))
    file = parted.runs / run / "answers.jsonl"
    file.write_text(file.read_text().replace("c d", "x y"))
    with pytest.raises(Tampered):
        build_pairs(parted, "d", [f"samples:{run}"])


def test_labels_of_rows_that_are_gone_are_one_error_or_counted(parted, rows, decide):
    row = rows("train")[0]
    decide(row, "correct", "Another answer.", gone="0" * 64)
    with pytest.raises(InputError, match="are gone"):
        build_pairs(parted, "d", ["corrections"])
    decide(row, "correct", "Another answer.")
    assert build_pairs(parted, "d", ["corrections"]).aside == {"the row that was judged is gone": 1}


def test_a_choice_of_a_run_that_is_not_here_says_which(parted, rows, decide):
    decide(rows("train")[0], "compare", "a", sides=("target", "run:gone-run-abc"))
    with pytest.raises(InputError, match="gone-run-abc"):
        build_pairs(parted, "d", ["choices"])


def test_built_again_it_is_the_same_version_and_a_dry_run_leaves_nothing(parted, rows, decide):
    decide(rows("train")[0], "correct", "Another answer.")
    dry = build_pairs(parted, "d", ["corrections"], dry_run=True)
    assert (dry.version, dry.rows, has_dataset(parted, "d-pairs")) == (0, 1, False)
    assert build_pairs(parted, "d", ["corrections"]).changed
    assert not build_pairs(parted, "d", ["corrections"]).changed
    decide(rows("train")[1], "correct", "Another answer.")
    again = build_pairs(parted, "d", ["corrections"])
    assert (again.version, again.rows) == (2, 2)
    assert json.loads(again.model_dump_json())["audit"]["pairs"] == 2
    assert audit_version(open_dataset(parted, "d-pairs")) == again.audit  # as read back from what was kept


def test_a_pair_goes_with_the_row_whose_input_it_is_about(parted, rows, decide):
    gone, stays = rows("train")[:2]
    decide(gone, "correct", "Another answer.")
    decide(stays, "correct", "Another answer.")
    build_pairs(parted, "d", ["corrections"])
    pairs = {row.input_hash: row.row for row in open_dataset(parted, "d-pairs").rows()}
    meant = find_meant(parted, "d", rows=[gone.row]).rows
    assert set(meant) == {gone.row, pairs[gone.input_hash]}
