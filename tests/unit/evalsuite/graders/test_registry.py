"""Every registered grader: documented, shown by a checked example, and never passing a missing input."""

from __future__ import annotations

import pytest

from sluice.core.errors import InputError
from sluice.core.task import GraderConfig
from sluice.evalsuite.graders import GRADERS, GraderEntry, check_grader, grade_answer, grader_hash, make_grader

ENTRIES = [pytest.param(name, entry, id=name) for name, entry in GRADERS]


def made(name: str, entry: GraderEntry):
    example = entry.example
    config = GraderConfig(name=name, choices=list(example.choices or ()))
    return make_grader(config, schema=example.schema)


def test_the_promised_names_are_there():
    assert set(GRADERS.names()) == {"exact", "normalised", "choice", "json_schema", "fields_f1", "exact_object"}


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_is_documented(name: str, entry: GraderEntry):
    assert entry.spec.name == name
    assert entry.spec.doc.endswith(".")
    assert "Strict:" in entry.spec.reading
    assert "Lenient:" in entry.spec.reading
    assert entry.spec.range[0] < entry.spec.range[1]


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_its_example_holds(name: str, entry: GraderEntry):
    grader, example = made(name, entry), entry.example

    def grade(answer: str):
        return grade_answer(grader, input=example.input, target=example.target, answer=answer, cut=False)

    right, wrong, lenient = grade(example.right), grade(example.wrong), grade(example.lenient)
    assert right.score == entry.spec.best
    assert right.answer_class == "right"
    assert wrong.score is not None
    assert wrong.score < entry.spec.right_at
    assert wrong.answer_class in ("wrong", "unparsed")
    assert lenient.score is not None
    assert lenient.lenient is not None
    assert lenient.lenient > lenient.score


@pytest.mark.parametrize("name, entry", ENTRIES)
@pytest.mark.parametrize("missing", [None, "", " \n"])
def test_a_missing_target_is_refused_where_it_is_needed(name: str, entry: GraderEntry, missing: str | None):
    grader, example = made(name, entry), entry.example
    for answer in (example.right, "", "null", "None"):
        if "target" in entry.spec.needs:
            with pytest.raises(InputError, match="target"):
                grade_answer(grader, input=example.input, target=missing, answer=answer, cut=False)
            with pytest.raises(InputError, match="target"):
                grader.grade(example.input, missing, answer)
        elif answer != example.right:
            grade = grade_answer(grader, input=example.input, target=missing, answer=answer, cut=False)
            assert grade.answer_class != "right"


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_a_missing_schema_or_list_of_choices_is_refused_where_it_is_needed(name: str, entry: GraderEntry):
    for need, schema in (("schema", None), ("schema", {}), ("choices", None), ("choices", {"type": "object"})):
        if need in entry.spec.needs:
            with pytest.raises(InputError, match=need if need == "schema" else "labels"):
                make_grader(GraderConfig(name=name), schema=schema)


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_a_missing_answer_is_refused_and_a_blank_one_never_right(name: str, entry: GraderEntry):
    grader, example = made(name, entry), entry.example
    with pytest.raises(InputError, match="no answer"):
        grade_answer(grader, input=example.input, target=example.target, answer=None, cut=False)
    for blank in ("", "  \n", "\ufeff"):
        grade = grade_answer(grader, input=example.input, target=example.target, answer=blank, cut=False)
        assert grade.answer_class == "refused"
        assert grade.score == entry.spec.worst


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_a_cut_answer_is_graded_as_it_stands(name: str, entry: GraderEntry):
    grader, example = made(name, entry), entry.example
    whole = grade_answer(grader, input="", target=example.target, answer=example.right, cut=True)
    assert (whole.answer_class, whole.score) == ("right", entry.spec.best)
    cut = grade_answer(grader, input="", target=example.target, answer=example.wrong, cut=True)
    kept = grade_answer(grader, input="", target=example.target, answer=example.wrong, cut=False)
    assert (cut.answer_class, cut.score) == ("cut", kept.score)


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_passes_its_own_freeze_check(name: str, entry: GraderEntry):
    example = entry.example
    target = example.target or example.right
    check_grader(made(name, entry), [("a", target), ("b", target)])


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_what_is_fixed_cannot_be_declared(name: str, entry: GraderEntry):
    with pytest.raises(InputError, match="fixed"):
        make_grader(GraderConfig(name=name, right_at=0.5), schema=entry.example.schema)


@pytest.mark.parametrize("name, entry", ENTRIES)
def test_the_hash_follows_what_decides_scores(name: str, entry: GraderEntry):
    config = GraderConfig(name=name)
    assert grader_hash(config, None) == grader_hash(config, None)
    assert grader_hash(GraderConfig(name=name, choices=["a", "b"]), None) != grader_hash(config, None)
    changes = grader_hash(config, None, {"type": "object"}) != grader_hash(config, None, {"type": "string"})
    assert changes == ("schema" in entry.uses)
    others = {grader_hash(GraderConfig(name=other), None) for other in GRADERS.names()}
    assert len(others) == len(GRADERS.names())


def test_an_unknown_name_suggests_the_near_one():
    with pytest.raises(InputError) as told:
        make_grader(GraderConfig(name="field_f1"))
    assert "fields_f1" in str(told.value)
