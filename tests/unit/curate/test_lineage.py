"""What a version stands on, in an order that never puts an operation before one that it followed."""

from __future__ import annotations

from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import lineage, open_dataset, read_name
from sluice.curate.formats import ReadOptions
from sluice.curate.metadata import metadata_by_row
from sluice.curate.redact import redact
from sluice.curate.sample import sample
from sluice.curate.splits.parts import split_dataset

READ = ReadOptions(input="body", target="label")


def records(first: int, last: int) -> list[dict[str, str]]:
    from tests.unit.curate.conftest import message

    return [{"body": message(i), "label": "yn"[i % 2], "mail": f"person{i}@example.com"} for i in range(first, last)]


def in_order(project: Project, ref: str) -> bool:
    found = lineage(open_dataset(project, ref))
    at = {operation.id: place for place, operation in enumerate(found)}
    below = [(o.id, read_name(project, p.dataset, p.number).operation) for o in found for p in o.parents]
    return len(at) == len(found) and all(at[one] < at[other] for one, other in below)


def parts_redacted_at_different_times(tmp_path, lines) -> Project:
    """Two parts are redacted, one much earlier; between that and now the rows of one were narrowed again and again."""
    project = Project(tmp_path)
    add(project, "d", [lines(tmp_path / "a.jsonl", *records(0, 40))], READ)
    split_dataset(project, "d", eval=8, dev=4)
    redact(project, "d/train")
    for i in range(5):  # a long way from the newest version back to the redaction, a short one to the file
        sample(project, "d/train", 27 - i)
    redact(project, "d/dev")
    add(project, "d", [lines(tmp_path / "b.jsonl", *records(40, 50))], READ)
    split_dataset(project, "d")
    return project


def test_parts_redacted_at_different_times_show_no_original_beside_a_pseudonym(tmp_path, lines):
    project = parts_redacted_at_different_times(tmp_path, lines)
    for part in ("train", "dev", "eval"):
        assert in_order(project, f"d/{part}")
        version = open_dataset(project, f"d/{part}")
        old = {o["body"]: o["mail"] for o in records(0, 40)}
        mails = {
            row: [place["metadata"] for place in places]
            for row, places in metadata_by_row(version, set(version.frame()["row"])).items()
        }
        held = dict(zip(version.frame()["row"], version.frame()["input"], strict=True))
        first = {row: said for row, said in mails.items() if any(body in held[row] for body in old)}
        assert first
        assert all(len(said) == 1 for said in first.values())
        assert all(("@" in said[0]) == (part == "eval") for said in first.values())


def test_every_operation_comes_once_and_the_newest_first(tmp_path, lines):
    project = parts_redacted_at_different_times(tmp_path, lines)
    verbs = [operation.verb for operation in lineage(open_dataset(project, "d/train"))]
    assert sorted(verbs) == sorted(["split", "split", "add", "add", "redact", "redact", *["sample"] * 5])
    assert verbs[0] == "split"
    assert verbs[-1] == "add"
