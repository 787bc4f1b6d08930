from __future__ import annotations

import pickle

import pytest

from sluice.core import errors
from sluice.core.errors import InputError, SluiceError
from sluice.core.registry import Registry

KINDS = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, SluiceError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_says_what_where_and_what_next(kind: type[SluiceError]) -> None:
    problem = kind("it is wrong", where="a.jsonl:3", remedy="mend it", result={"n": 1})
    assert str(problem) == "a.jsonl:3: it is wrong Fix: mend it"
    assert str(kind("it is wrong")) == "it is wrong"
    assert problem.exit_code in (1, 2, 3, 4, 5)
    assert problem.code
    assert (kind.__doc__ or "").strip()
    back = pickle.loads(pickle.dumps(problem))  # errors of workers come home through pickle
    assert type(back) is kind
    assert (back.message, back.where, back.remedy, back.result) == ("it is wrong", "a.jsonl:3", "mend it", {"n": 1})


def test_exit_codes_are_those_of_the_documentation() -> None:
    codes = {k.__name__: k.exit_code for k in KINDS}
    assert codes["InputError"] == codes["UsageError"] == 2
    assert codes["Tampered"] == codes["EvidenceSaysNo"] == 1
    assert codes["Refused"] == 3
    assert codes["StoreBusy"] == codes["ModelNotFound"] == codes["SurroundingsError"] == 5


def make() -> Registry[int]:
    registry = Registry[int]("grader")
    registry.register("exact")(1)
    registry.register("choice")(2)
    return registry


def test_names_come_in_order_of_registration() -> None:
    registry = make()
    assert registry.names() == ["exact", "choice"]
    assert dict(registry) == {"exact": 1, "choice": 2}
    assert "exact" in registry
    assert "other" not in registry
    assert registry.get("choice") == 2


def test_a_decorated_thing_comes_back_as_it_is() -> None:
    registry = Registry[type]("check")

    @registry.register("mine")
    class Mine: ...

    assert registry.get("mine") is Mine


def test_a_name_is_taken_once() -> None:
    registry = make()
    with pytest.raises(InputError, match="grader name 'exact' is taken"):
        registry.register("exact")(3)
    assert registry.get("exact") == 1


@pytest.mark.parametrize("name, hint", [("exakt", "'exact'"), ("zzzzz", "exact, choice"), ("", "exact, choice")])
def test_an_unknown_name_suggests_the_near_one(name: str, hint: str) -> None:
    with pytest.raises(InputError) as problem:
        make().get(name)
    assert hint in (problem.value.remedy or "")
    assert "grader" in problem.value.message
