"""What dedup keeps: the answer is the one from scratch, whatever is kept, damaged or gone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example, Messages, Preference, Unpaired
from sluice.core.rows import Message as Turn
from sluice.curate.duplicates import Rules, bulk, dedup, kept, signing
from sluice.curate.duplicates.kept import Kept
from sluice.curate.kernel import compiled, survivors

WORDS = ["order", "late", "please", "refund", "my", "parcel", "\u65e5\u672c\u8a9e", "\u00e9t\u00e9"]
LONG = "we are sorry for the delay and will send you a new parcel on one of the next working days of this week"
ANSWER = "we are sorry for the delay and will send you a new parcel"
ANSWERS = ["a", "a", "A.", "c", ANSWER, f"{ANSWER} soon", LONG]


def text(rng: random.Random) -> str:
    """Short and long ones, about eight words most often: where a short text meets a long one."""
    words = list[str](LONG.split()[: rng.choice([2, 6, 7, 8, 9, 20, 20])])
    for _ in range(rng.choice([0, 1, 1, 2, 9])):
        words[rng.randrange(len(words))] = rng.choice(WORDS)
    return " ".join(words)


def row(rng: random.Random) -> AnyRow:
    """A row of one of the kinds."""
    one, two, asked = rng.choice(ANSWERS), rng.choice(ANSWERS), text(rng)
    made: list[AnyRow] = [
        Example(input={"t": asked}, target=one),
        Example(input={"t": asked}, target=rng.choice("ab")),
        Example(input={"t": asked, "u": text(rng), "n": 5}, target=one),
        Example(input=Messages(turns=(Turn(role="user", content=asked),)), target=one),
        Preference(input={"t": asked}, chosen=one, rejected=two),
        Unpaired(input={"t": asked}, answer=one, good=rng.random() < 0.5),
    ]
    return rng.choice(made[: rng.choice([2, 6])])


rules = st.builds(
    Rules,
    on=st.sampled_from(["both", "both", "input", "target"]),
    drop_near=st.booleans(),
    percent=st.sampled_from([45, 70, 85, 100]),
    rank=st.sampled_from([None, {}]),
)
harm = st.sampled_from(["none", "none", "none", "lose", "damage"])


@settings(deadline=None, max_examples=50)
@given(
    st.integers(4, 40),
    st.lists(st.tuples(rules, harm, st.integers(0, 5)), min_size=2, max_size=5),
    st.integers().map(random.Random),
)
def test_the_answer_is_the_one_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, count: int, runs: list[Any], rng: random.Random
):
    every = list({made.row: made for made in (row(rng) for _ in range(count))}.values())
    project = Project(tmp_path_factory.mktemp("p"))
    for how, damage, elsewhere in runs:
        files = sorted(project.cache.glob("*.parquet")) if project.cache.is_dir() else []
        if files and damage != "none":
            file = rng.choice(files)
            file.unlink() if damage == "lose" else file.write_bytes(file.read_bytes()[:-9] + b"damaged!!")
        some = rng.sample(every, rng.randrange(len(every) // 2, len(every) + 1))
        fixed, own = some[:elsewhere], some[elsewhere:]
        found = dedup(own, how, fixed=fixed, way="lsh", kept=Kept(project, "d"))
        assert found == dedup(own, how, fixed=fixed, way="lsh")


def family(count: int, seed: int = 0) -> list[AnyRow]:
    """Rows of a few families, each with words changed, and rows that are like no other."""
    rng = random.Random(seed)
    words = [f"w{n}" for n in range(500)]
    made: list[AnyRow] = []
    first = [rng.choices(words, k=40) for _ in range(max(1, count // 6))]
    for n in range(count):
        some = list(rng.choice(first))
        for _ in range(rng.randrange(5)):
            some[rng.randrange(40)] = rng.choice(words)
        made.append(Example(input={"t": f"{' '.join(some)} {n % 7}"}, target="x"))
    return list({row.row: row for row in made}.values())


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Counts texts that are read and signed, and pairs that are counted."""
    done = {"read": 0, "signed": 0, "counted": 0}

    def read(frame: Any, *given: Any) -> Any:
        done["read"] += frame.height
        return columns_of(frame, *given)

    def sign(texts: Any, sort: int, wanted: Any, *given: Any) -> Any:
        done["signed"] += int(wanted.sum())
        return band_keys(texts, sort, wanted, *given)

    def meet(here: Any, one: Any, two: Any) -> Any:
        done["counted"] += len(one)
        return counted(here, one, two)

    def decide(*given: Any) -> Any:
        found = decided(*given)
        done["counted"] += int(found[1])
        return found

    columns_of, band_keys, counted, decided = bulk.columns_of, signing.band_keys, bulk.counted, compiled.survivors
    for module in (bulk, signing):
        monkeypatch.setattr(module, "columns_of", read)
    monkeypatch.setattr(signing, "band_keys", sign)
    monkeypatch.setattr(bulk, "counted", meet)
    monkeypatch.setattr(compiled, "survivors", decide)
    return done


def test_another_threshold_or_order_reads_signs_and_counts_nothing(tmp_path: Path, work: dict[str, int]):
    every, store = family(200), Kept(Project(tmp_path), "d")
    first = dedup(every, way="lsh", kept=store)
    assert len(first.dropped) > 40
    assert work["read"] == work["signed"] == len(every)
    assert work["counted"] > 80
    for how in (Rules(percent=85), Rules(percent=95), Rules(rank={r.row: r.row[::-1] for r in every}), Rules()):
        work.update(read=0, signed=0, counted=0)
        found = dedup(every, how, way="lsh", kept=store)
        assert work == {"read": 0, "signed": 0, "counted": 0}
        assert found == dedup(every, how, way="lsh")
    assert found == first


def test_new_rows_alone_are_signed_and_of_old_ones_only_their_candidates_are_read(tmp_path: Path, work: dict[str, int]):
    every, store = family(300), Kept(Project(tmp_path), "d")
    dedup(every[:-3], way="lsh", kept=store)
    work.update(read=0, signed=0, counted=0)
    found = dedup(every, way="lsh", kept=store)
    assert work["signed"] == 3
    assert 3 < work["read"] < 60
    assert 0 < work["counted"] <= 3 * survivors.PAIRS_A_ROW
    assert found == dedup(every, way="lsh")


def test_a_family_of_thousands_keeps_a_few_pairs_a_row(tmp_path: Path):
    rest = "which i placed in your shop last monday and which you said would be with me before the end of this week"
    every: list[AnyRow] = [Example(input={"t": f"the state of order {n} {rest}"}, target="x") for n in range(1500)]
    store = Kept(Project(tmp_path), "d")
    assert len(dedup(every, way="lsh", kept=store).kept) == 1
    pairs = store.pairs()
    assert pairs is not None
    assert len(every) - 1 <= len(pairs) <= 2 * survivors.PAIRS_A_ROW * len(every)
    rank = {row.row: row.row[::-1] for row in every}
    assert dedup(every, Rules(rank=rank), way="lsh", kept=store) == dedup(every, Rules(rank=rank), way="lsh")


def test_what_other_code_or_another_dataset_kept_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    every, project = family(40), Project(tmp_path)
    dedup(every, way="lsh", kept=Kept(project, "d"))
    assert Kept(project, "d").rows("both") is not None
    assert Kept(project, "d").rows("input") is None
    assert Kept(project, "e").rows("both") is None
    assert Kept(project, "d").signed((26, 5)) is None
    monkeypatch.setattr(kept, "_code", lambda: "other")
    assert Kept(project, "d").rows("both") is None


def test_rows_that_left_are_kept_until_they_are_the_greater_part(tmp_path: Path):
    every, store = family(120), Kept(Project(tmp_path), "d")
    dedup(every, way="lsh", kept=store)
    dedup([*every[:80], *family(10, seed=5)], way="lsh", kept=store)
    held = store.rows("both")
    assert held is not None
    assert len(held) > len(every)
    dedup([*every[:20], *family(10, seed=6)], way="lsh", kept=store)
    held = store.rows("both")
    assert held is not None
    assert len(held) < 40


def test_a_long_text_is_signed_by_characters_once_a_short_one_comes_that_it_may_be_like(tmp_path: Path):
    words = [letter * 11 for letter in "abcdefgh"]
    long, again = Example(input={"t": " ".join(words)}, target="x"), Example(input={"t": "ha " * 500}, target="x")
    tiny, alike = Example(input={"t": "ok"}, target="x"), Example(input={"t": " ".join(words[:7])}, target="x")
    laugh = Example(input={"t": "ha ha ha ha"}, target="x")
    store = Kept(Project(tmp_path), "d")
    for some, gone in (
        ([long, again], 0),
        ([long, again, tiny], 0),
        ([long, again, tiny, laugh], 1),
        ([long, again, tiny, laugh, alike], 2),
    ):
        found = dedup(some, way="lsh", kept=store)
        assert len(found.dropped) == gone
        assert found == dedup(some, way="lsh")
