from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.ledger import KINDS, Fact, Facts, Ledger, canonical_bytes, decimal, fact_hash
from sluice.core.project import Project

TOML = """
[task]
name = "t"
data = "d"
description = "x"
[model]
base = "m"
[project]
id = "{id}"
"""
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
keys = st.text(st.characters(max_codepoint=126), max_size=6)
bodies = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def make_project(root: Path, project_id: str = "p-1") -> Project:
    root.mkdir(exist_ok=True)
    (root / "sluice.toml").write_text(TOML.replace("{id}", project_id))
    return Project(root)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "p")


@pytest.fixture
def ledger(project: Project) -> Ledger:
    return Ledger(project)


def put(folder: Path, entry: Any) -> str:
    """Write an entry that is named rightly, whatever it says."""
    data = entry if isinstance(entry, bytes) else canonical_bytes(entry)
    folder.mkdir(parents=True, exist_ok=True)
    digest = fact_hash(data)
    (folder / f"{digest}.json").write_bytes(data)
    return digest


def entry(**changes: Any) -> dict[str, Any]:
    made = {"format": 1, "project": "p-1", "kind": "waived", "body": {}, "parents": [], "time": "t", "account": "a"}
    return made | {"tool": "sluice"} | changes


def rfc8785_string(text: str) -> str:
    """Section 3.2.2.2 of RFC 8785, written out."""
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 0x20 else c) for c in text) + '"'


def rfc8785(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return rfc8785_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(rfc8785, value)) + "]"
    ordered = sorted(value, key=lambda k: k.encode("utf-16-be"))  # section 3.2.3
    return "{" + ",".join(f"{rfc8785_string(k)}:{rfc8785(value[k])}" for k in ordered) + "}"


@given(st.dictionaries(keys, bodies, max_size=4))
def test_canonical_bytes_are_those_of_rfc_8785(body: dict[str, Any]) -> None:
    assert canonical_bytes(body) == rfc8785(body).encode("utf-8")


def test_the_strings_of_rfc_8785() -> None:
    # The sample of section 3.2.2.2, under ASCII keys.
    sample = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]}
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical_bytes(sample) == expected.encode()
    assert canonical_bytes({"x": "\u2028\x7fé e\u0301"}) == '{"x":"\u2028\x7fé e\u0301"}'.encode()


@pytest.mark.parametrize(
    "value", [0.5, float("nan"), 1.0, 2**53, -(2**53), {"é": 1}, {1: 2}, "\ud800", {1, 2}, Path("x"), b"x"]
)
def test_what_the_ledger_cannot_hold_is_refused(ledger: Ledger, value: Any) -> None:
    for body in ({"x": value}, {"x": [{"y": value}]}):
        with pytest.raises(InputError):
            canonical_bytes(body)
        with pytest.raises(InputError):
            ledger.write("waived", body)
    assert ledger.read().facts == ()


def test_endless_bodies_are_refused() -> None:
    loop: dict[str, Any] = {}
    loop["x"] = loop
    with pytest.raises(InputError, match="deep"):
        canonical_bytes(loop)


@pytest.mark.parametrize(
    "value, text",
    [(0.1234567, "0.123457"), (-0.0, "0.000000"), (-1e-9, "0.000000"), (1, "1.000000"), (-0.5, "-0.500000")],
)
def test_scores_are_kept_as_decimal_text(value: float, text: str) -> None:
    assert decimal(value) == text
    assert decimal(2.5, digits=0) == "2"
    for bad in (float("nan"), float("inf")):
        with pytest.raises(InputError):
            decimal(bad)


def test_a_fact_is_written_twice_under_the_hash_of_its_bytes(ledger: Ledger, project: Project) -> None:
    fact = ledger.write("frozen", {"set": "ab", "rows": 20, "by": ["x", None, True]})
    for place in (project.ledger, project.ledger_copy):
        assert os.listdir(place) == [f"{fact.hash}.json"]
        data = (place / f"{fact.hash}.json").read_bytes()
        assert hashlib.sha256(b"sluice/ledger/1\n" + data).hexdigest() == fact.hash
        assert json.loads(data)["body"] == fact.body == {"set": "ab", "rows": 20, "by": ["x", None, True]}
    assert ledger.read().facts == (fact,)
    assert fact.known
    assert list(project.store.joinpath("tmp").iterdir()) == []


def test_a_kind_that_is_not_ours_is_not_written(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="blessed"):
        ledger.write("blessed", {})
    for kind in KINDS:
        assert ledger.write(kind, {"n": 1}).kind == kind


def test_an_edit_in_place_spoils_one_copy_only(ledger: Ledger, project: Project) -> None:
    fact = ledger.write("graded", {"right": 9})
    file = project.ledger / f"{fact.hash}.json"
    with open(file, "r+b") as handle:  # as an editor or a script does that keeps the inode
        handle.seek(file.read_bytes().index(b"9"))
        handle.write(b"8")
    facts = ledger.read()
    assert [(p.word, p.name) for p in facts.problems] == [("tampered", f"ledger/{fact.hash}.json")]
    assert facts.facts == (fact,), "the copy is whole, so the fact counts, as it was written"
    assert facts.written_back == (), "the tampered file stays for verify to name"
    assert b"8" in file.read_bytes()
    assert ledger.read() == facts


@pytest.mark.parametrize("place", ["ledger", ".sluice/ledger"])
def test_a_fact_edited_everywhere_is_tampered_and_counts_no_more(ledger: Ledger, project: Project, place: str) -> None:
    fact = ledger.write("graded", {"right": 9})
    for folder in (project.ledger, project.ledger_copy):
        file = folder / f"{fact.hash}.json"
        file.write_bytes(file.read_bytes().replace(b'"right":9', b'"right":8'))
    facts = ledger.read()
    assert facts.facts == ()
    assert ("tampered", f"{place}/{fact.hash}.json") in [(p.word, p.name) for p in facts.problems]


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d + b"\n",
        lambda d: b" " + d,
        lambda d: d[:-1],
        lambda d: b"",
        lambda d: d.replace(b'"account"', b'"Account"'),
        lambda d: d.replace(b'"waived"', b'"passed"'),
    ],
)
def test_every_changed_byte_is_seen(ledger: Ledger, project: Project, damage: Any) -> None:
    fact = ledger.write("waived", {"rule": "audit"})
    file = project.ledger / f"{fact.hash}.json"
    file.write_bytes(damage(file.read_bytes()))
    assert [p.word for p in ledger.read().problems] == ["tampered"]


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"a":1.5}',
        b'{"a":1,"a":1}',
        json.dumps(entry()).encode(),  # blanks after commas: not canonical
        canonical_bytes(entry(parents="ab")),
        canonical_bytes(entry(parents=["ab"])),
        canonical_bytes(entry(parents=["b" * 64, "a" * 64])),
        canonical_bytes(entry(parents=["a" * 64, "a" * 64])),
        canonical_bytes(entry(body=[])),
        canonical_bytes(entry(kind=5)),
        canonical_bytes(entry(extra=1)),
        canonical_bytes(entry(format=0)),
        canonical_bytes({k: v for k, v in entry().items() if k != "time"}),
    ],
)
def test_what_is_named_rightly_but_is_no_entry_is_tampered(ledger: Ledger, project: Project, data: bytes) -> None:
    digest = put(project.ledger, data)
    facts = ledger.read()
    assert facts.facts == ()
    assert [(p.word, p.name) for p in facts.problems] == [("tampered", f"ledger/{digest}.json")]


def test_a_file_under_another_name_is_tampered(ledger: Ledger, project: Project) -> None:
    fact = ledger.write("waived", {"rule": "audit"})
    data = (project.ledger / f"{fact.hash}.json").read_bytes()
    (project.ledger / f"{'0' * 64}.json").write_bytes(data)
    (project.ledger / "copy of it.json").write_bytes(data)
    (project.ledger / "notes.txt").write_text("not an entry")
    facts = ledger.read()
    assert [p.name for p in facts.problems] == [f"ledger/{'0' * 64}.json", "ledger/copy of it.json"]
    assert facts.facts == (fact,)


@pytest.mark.parametrize("lost", ["ledger", "ledger_copy"])
def test_a_lost_file_is_written_back(ledger: Ledger, project: Project, lost: str) -> None:
    facts = [ledger.write("waived", {"n": n}) for n in range(3)]
    gone = getattr(project, lost) / f"{facts[1].hash}.json"
    gone.unlink()
    assert ledger.read(write_back=False).written_back == ()
    assert not gone.exists()
    found = ledger.read()
    assert found.written_back == ((facts[1].hash,) if lost == "ledger" else ())
    assert [f.hash for f in found.facts] == [f.hash for f in facts]
    assert found.problems == ()
    assert gone.read_bytes() == (project.ledger / gone.name).read_bytes()
    assert ledger.read().written_back == ()
    ids = {(p / gone.name).stat().st_ino for p in (project.ledger, project.ledger_copy)}
    assert len(ids) == 2, "two files, so that no edit reaches both"


def test_a_parent_found_nowhere_is_absent(ledger: Ledger, project: Project) -> None:
    first = ledger.write("frozen", {"n": 1})
    second = ledger.write("claimed", {"n": 2})
    for place in (project.ledger, project.ledger_copy):
        (place / f"{first.hash}.json").unlink()
    facts = ledger.read()
    assert [(p.word, p.name) for p in facts.problems] == [("absent", f"ledger/{first.hash}.json")]
    assert facts.facts == (second,)


def test_unknown_kinds_are_kept_and_satisfy_nothing_of_ours(ledger: Ledger, project: Project) -> None:
    digest = put(project.ledger, entry(kind="blessed", body={"rule": "audit"}))
    facts = ledger.read()
    kept = facts.get(digest)
    assert kept is not None
    assert not kept.known
    assert facts.problems == ()
    assert all(facts.of(kind) == [] for kind in KINDS)
    assert ledger.write("waived", {}).parents == (digest,)
    assert (project.ledger_copy / f"{digest}.json").exists()


def test_facts_of_another_project_are_named_and_count_for_nothing(tmp_path: Path, project: Project) -> None:
    other = Ledger(make_project(tmp_path / "other", "p-2"))
    theirs = [other.write("frozen", {"set": "x"}), other.write("baseline", {"set": "x"})]
    own = Ledger(project).write("frozen", {"set": "y"})
    for fact in theirs:
        name = f"{fact.hash}.json"
        (project.ledger / name).write_bytes((other.project.ledger / name).read_bytes())
    facts = Ledger(project).read()
    assert facts.facts == (own,)
    assert {(p.word, p.name) for p in facts.problems} == {("foreign", f"ledger/{f.hash}.json") for f in theirs}
    assert all("p-2" in p.reason for p in facts.problems)
    assert facts.of("baseline") == []
    assert facts.heads() == [own.hash]
    assert facts.written_back == ()
    assert len(os.listdir(project.ledger_copy)) == 1, "they are not spread further"


def test_a_changed_project_id_makes_all_facts_foreign(project: Project) -> None:
    fact = Ledger(project).write("opened", {"n": 1})
    changed = make_project(project.root, "p-9")
    facts = Ledger(changed).read()
    assert facts.facts == ()
    assert {p.word for p in facts.problems} == {"foreign"}
    assert Ledger(changed).write("opened", {"n": 2}).parents == ()
    assert fact.hash in {Path(p.name).stem for p in Ledger(changed).read().problems}


def test_a_newer_format_is_foreign_and_not_tampered(ledger: Ledger, project: Project) -> None:
    put(project.ledger, {"format": 2, "what": "ever"})
    facts = ledger.read()
    assert facts.facts == ()
    assert [p.word for p in facts.problems] == ["foreign"]
    assert "format 2" in facts.problems[0].reason


def test_before_init_there_is_no_id_to_hold_facts_against(tmp_path: Path) -> None:
    (tmp_path / ".sluice").mkdir()
    digest = put(tmp_path / "ledger", entry(project="anything"))
    assert [f.hash for f in Ledger(Project(tmp_path)).read().facts] == [digest]


def make_fact(name: str, parents: list[str], time: str) -> dict[str, Any]:
    return entry(body={"name": name}, parents=sorted(parents), time=time)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_order_is_parents_first_and_of_no_clock(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    project = make_project(tmp_path_factory.mktemp("order"))
    hashes: list[str] = []
    for n in range(data.draw(st.integers(1, 7))):
        parents = data.draw(st.sets(st.sampled_from(hashes))) if hashes else set[str]()
        hashes.append(put(project.ledger, make_fact(str(n), list(parents), data.draw(st.sampled_from(["1", "2"])))))
    facts = Ledger(project).read()
    place = {f.hash: i for i, f in enumerate(facts.facts)}
    assert set(place) == set(hashes)
    assert all(place[p] < place[f.hash] for f in facts.facts for p in f.parents)
    named = {p for f in facts.facts for p in f.parents}
    assert facts.heads() == sorted(set(hashes) - named)
    for fact in facts.facts:
        above = facts.ancestors(fact.hash)
        assert above == set(fact.parents).union(*(facts.ancestors(p) for p in fact.parents))
    free = [f.hash for f in facts.facts if not f.parents]
    assert free == sorted(free), "ties by hash"


def test_a_new_fact_stands_on_all_heads(ledger: Ledger, project: Project) -> None:
    left, right = put(project.ledger, make_fact("l", [], "1")), put(project.ledger, make_fact("r", [], "1"))
    fact = ledger.write("chosen", {})
    assert fact.parents == tuple(sorted([left, right]))
    assert ledger.read().heads() == [fact.hash]
    assert ledger.read().ancestors(fact.hash) == {left, right}


def test_facts_are_asked_by_kind_and_body(ledger: Ledger) -> None:
    first = ledger.write("evaluated", {"set": "a", "n": 1})
    second = ledger.write("evaluated", {"set": "a", "n": 2})
    ledger.write("evaluated", {"set": "b", "n": 1})
    facts = ledger.read()
    assert facts.of("evaluated", set="a") == [first, second]
    assert facts.of("evaluated", set="a", n=2) == [second]
    assert facts.of("evaluated", other="a") == []
    assert facts.get(second.hash) == second
    assert facts.get("0" * 64) is None


def test_four_processes_writing_at_once_lose_nothing(project: Project) -> None:
    code = (
        "import sys\nfrom sluice.core.project import Project\nfrom sluice.core.ledger import Ledger\n"
        "ledger = Ledger(Project(sys.argv[1]))\n"
        "for n in range(8): ledger.write('waived', {'writer': sys.argv[2], 'n': n}); ledger.read()"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(project.root), str(w)]) for w in range(4)]
    assert [w.wait(timeout=90) for w in writers] == [0, 0, 0, 0]
    facts = Ledger(project).read()
    assert facts.problems == ()
    assert sorted((f.body["writer"], f.body["n"]) for f in facts.facts) == [
        (str(w), n) for w in range(4) for n in range(8)
    ]
    assert sorted(os.listdir(project.ledger)) == sorted(os.listdir(project.ledger_copy))


def test_without_git_nothing_is_said_of_commits(ledger: Ledger) -> None:
    ledger.write("waived", {})
    assert ledger.read().uncommitted is None


def test_facts_are_frozen_records() -> None:
    fact = Fact(hash="h", project="p", kind="waived", body={}, parents=(), time="t", account="a", tool="s")
    with pytest.raises(ValueError, match="frozen"):
        fact.kind = "passed"  # type: ignore[misc]
    empty = Facts(facts=(), problems=(), written_back=(), uncommitted=None)
    assert empty.heads() == []
    assert empty.ancestors("x") == set()
