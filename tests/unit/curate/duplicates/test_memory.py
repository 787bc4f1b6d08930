"""Memory: what is said before, and the same answer where arrays lie in files."""

from __future__ import annotations

import random

from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset, rows_frame
from sluice.curate.deduplicate import deduplicate
from sluice.curate.duplicates import dedup
from sluice.curate.duplicates.memory import peak_bytes, room_for
from sluice.curate.formats import ReadOptions
from sluice.curate.kernel.room import Room

WORDS = [f"w{n}" for n in range(50)]


def bodies(count: int) -> list[str]:
    rng = random.Random(4)
    families = [[rng.choice(WORDS) for _ in range(rng.choice([5, 12, 30]))] for _ in range(count // 20)]
    found: set[str] = set()
    while len(found) < count:
        words = list(rng.choice(families))
        words[rng.randrange(len(words))] = rng.choice([*WORDS, "\u00e9t\u00e9", "\u4e2d\u6587"])
        found.add(" ".join(words))
    return sorted(found)


def test_files_in_the_place_of_memory_give_the_same_answer(tmp_path):
    rows = [Example(input={"t": body}, target="ab"[i % 7 == 0]) for i, body in enumerate(bodies(300))]
    plainly = dedup(rows, way="lsh")
    assert plainly.counts["near-duplicate"] > 50
    assert dedup(rows, way="lsh", room=Room(tmp_path)) == plainly
    written = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(written) >= 4  # normal forms twice, keys by words and by characters
    assert max(written) >= 4 * 25 * len(rows)


def test_a_project_short_of_memory_says_so_and_leaves_nothing(tmp_path, lines):
    records = [{"body": body, "label": "x"} for body in bodies(120)]
    results, notes = [], []
    for name, free in (("much", 10**12), ("little", 1000)):
        project = Project(tmp_path / name)
        project.root.mkdir()
        add(project, "t", [lines(project.root / "t.jsonl", *records)], ReadOptions(input="body", target="label"))
        told: list[str] = []
        results.append(deduplicate(project, "t", exact_up_to=100, memory=free, note=told.append))
        notes.append(told)
        assert not [p for p in (project.store / "tmp").rglob("*") if p.suffix == ".array"]
        assert open_dataset(project, "t").number == 2
    much, little = results
    assert much == little
    assert much.way == "lsh"
    assert much.memory_bytes is not None
    assert notes[0] == []
    assert [".sluice/tmp/" in note for note in notes[1]] == [True]


def test_the_estimate_grows_with_rows_and_with_their_texts(tmp_path):
    few, many = (rows_frame([Example(input={"t": b}, target="x") for b in bodies(n)]) for n in (30, 60))
    assert 0 < peak_bytes(few) < peak_bytes(many) < peak_bytes(many, few)
    assert peak_bytes(rows_frame([])) == 0
    assert room_for(2, 1, tmp_path).folder == tmp_path
    assert room_for(1, 2, tmp_path).folder is None
