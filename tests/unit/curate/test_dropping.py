"""Verbs that take rows out or bring them back: dedup, filter, decontaminate, sample, restore; and show, why, ls."""

from __future__ import annotations

import json

import pytest

from sluice.core.errors import InputError, Refused, UsageError
from sluice.core.evalset import SetManifest, rows_bytes
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.curate.adding.add import add
from sluice.curate.audit_dataset import audit_dataset, audit_files, schema_file
from sluice.curate.dataset import open_dataset
from sluice.curate.deduplicate import deduplicate
from sluice.curate.filter import filter_rows
from sluice.curate.formats import ReadOptions
from sluice.curate.leaks.decontaminate import decontaminate
from sluice.curate.listing import list_datasets
from sluice.curate.restore import restore
from sluice.curate.sample import sample
from sluice.curate.show import show_dropped, show_rows
from sluice.curate.splits.parts import split_dataset
from sluice.curate.why import why

OPTIONS = ReadOptions(input="body", target="label")


def texts(project: Project, ref: str) -> set[str]:
    return {r.input["body"] for r in open_dataset(project, ref).examples()}


def add_to(project, lines, dataset, *records, name="more"):
    return add(project, dataset, [lines(project.root / f"{name}.jsonl", *records)], OPTIONS)


def freeze(project: Project, part: str) -> None:
    """Write a frozen set of a part, as evalsuite.freeze does, without its facts."""
    import hashlib

    version = open_dataset(project, part)
    rows = sorted(version.examples(), key=lambda r: r.row)
    data = rows_bytes(list(rows), version.groups())
    manifest = SetManifest(
        name="d",
        dataset=part,
        version=version.hash,
        guard=False,
        rows=tuple(r.row for r in rows),
        inputs=tuple(r.input_hash for r in rows),
        groups=tuple(tuple(version.groups().get(r.row) or ()) for r in rows),
        rows_sha256=hashlib.sha256(data).hexdigest(),
        similarity=1,
        boilerplate=(),
    )
    folder = project.evals / f"d-{manifest.sha256[:8]}"
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest.to_bytes())


class TestDedup:
    def test_each_dropped_row_beside_the_one_kept(self, project, lines):
        first = open_dataset(project, "d").examples()[0]
        add_to(
            project,
            lines,
            "d",
            {"body": first.input["body"].upper() + " !", "label": first.target},
            {"body": first.input["body"].lower(), "label": "something else"},
        )
        found = deduplicate(project, "d", dry_run=True)
        assert (found.changed, found.dropped, open_dataset(project, "d").number) == (False, 1, 2)
        done = deduplicate(project, "d")
        assert (done.changed, done.dropped, done.rows, done.conflicts) == (True, 1, 61, 1)
        (twin,) = done.first_dropped
        assert {twin.row.input["body"].lower().rstrip(" !"), twin.kept.input["body"].lower().rstrip(" !")} == {
            first.input["body"].lower()
        }
        (shown,) = show_dropped(project, "d").dropped
        assert (shown.row, shown.reason) == (twin.row.row, "exact-duplicate")
        assert shown.kept is not None
        assert shown.kept.row == twin.kept.row
        assert not deduplicate(project, "d").changed


class TestFilter:
    def test_rows_go_with_the_check_as_reason(self, project, lines):
        add_to(project, lines, "d", {"body": "a blank answer", "label": " "}, {"body": "no answer yet"})
        done = filter_rows(project, "d", ["empty", "unlabelled"])
        assert (done.dropped, done.counts, done.rows) == (2, {"empty": 1, "unlabelled": 1}, 60)
        assert {d.reason for d in show_dropped(project, "d").dropped} == {"empty", "unlabelled"}
        assert not filter_rows(project, "d", ["empty"]).changed
        with pytest.raises(InputError, match="nope") as problem:
            show_dropped(project, "d", reason="nope")
        assert "empty, unlabelled" in problem.value.message

    def test_a_schema_in_the_place_of_the_task_s(self, project, lines):
        add_to(project, lines, "j", {"body": "one", "label": {"a": 1}}, {"body": "two", "label": {"a": "x"}})
        schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
        done = filter_rows(project, "j", ["schema"], schema=schema, dry_run=True)
        assert (done.dropped, done.changed, open_dataset(project, "j").number) == (1, False, 1)
        assert filter_rows(project, "j", ["schema"], schema=schema).first_dropped[0].row.input == {"body": "two"}

    @pytest.mark.parametrize(
        ("checks", "error", "said"),
        [
            (["emty"], InputError, "did you mean 'empty'"),
            (["leak"], InputError, "no eval set"),
            (["balance"], UsageError, "names no rows"),
            ([], UsageError, "no check is named"),
        ],
    )
    def test_what_cannot_be_filtered_by(self, project, lines, checks, error, said):
        many = [{"body": f"filler number {i * 37}", "label": "y"} for i in range(400)]
        add_to(project, lines, "d", *many, {"body": "one of its kind", "label": "rare"})
        with pytest.raises(error, match=said):
            filter_rows(project, "d", checks)

    def test_it_never_empties_a_dataset(self, tmp_path, lines):
        project = Project(tmp_path)
        add(project, "e", [lines(tmp_path / "e.jsonl", {"body": "x"})], ReadOptions(input="body"))
        with pytest.raises(InputError, match="all of it, 1 row, fails"):
            filter_rows(project, "e", ["unlabelled"])


class TestDecontaminate:
    def test_rows_lost_for_each_eval_row(self, project, lines):
        split_dataset(project, "d", eval=12, dev=6)
        one, two = open_dataset(project, "d/eval").examples()[:2]
        add_to(
            project,
            lines,
            "d/train",
            {"body": one.input["body"] + "?", "label": "x"},
            {"body": one.input["body"].upper(), "label": "z"},
            {"body": "clean words alone", "label": "y"},
            {"body": f"quoted in a longer message: {two.input['body']} and so on", "label": "y"},
        )
        assert audit_dataset(project, "d/train").report.check("leak").count == 3
        done = decontaminate(project, "d/train")
        assert done.dropped == 3
        assert {lost.eval_row.row: lost.rows for lost in done.lost} == {one.row: 2, two.row: 1}
        assert "clean words alone" in texts(project, "d/train")
        assert audit_dataset(project, "d/train").report.check("leak").status == "ok"
        assert not decontaminate(project, "d/train").changed

    def test_a_frozen_set_counts_even_where_the_eval_part_changed(self, project, lines):
        split_dataset(project, "d", eval=12, dev=6)
        freeze(project, "d/eval")
        frozen = open_dataset(project, "d/eval").examples()
        sample(project, "d/eval", 2)
        add_to(project, lines, "d/train", *({"body": r.input["body"], "label": "q"} for r in frozen))
        assert decontaminate(project, "d/train").dropped == 12

    def test_leaks_in_prompts_are_named_for_a_person(self, project):
        split_dataset(project, "d", eval=12, dev=6)
        row = open_dataset(project, "d/eval").examples()[0]
        (project.root / "prompts").mkdir()
        (project.root / "prompts" / "strong.md").write_text(f"Example: {row.input['body']}\n\n{{{{ body }}}}\n")
        (found,) = decontaminate(project, "d/train").texts
        assert (found.text, found.eval_row) == ("prompts/strong.md", row.row)

    def test_of_the_eval_part_nothing_goes_and_the_rows_to_clean_are_named(self, project):
        split_dataset(project, "d", eval=12, dev=6)
        with pytest.raises(UsageError, match="held against") as problem:
            decontaminate(project, "d/eval")
        assert (problem.value.remedy or "").endswith("d/train")
        assert open_dataset(project, "d/eval").number == 1

    def test_what_it_is_not_for(self, project):
        with pytest.raises(InputError, match="no eval rows yet"):
            decontaminate(project, "d")
        split_dataset(project, "d", eval=12, dev=6)
        for name in ("d", "d/eval"):
            with pytest.raises(UsageError):
                decontaminate(project, name)


class TestSample:
    def test_in_proportion_and_the_same_each_time(self, project):
        done = sample(project, "d", 15, dry_run=True)
        assert (done.rows, done.stratified_by, done.labels) == (15, "target", {"y": 10, "n": 5})
        assert open_dataset(project, "d").number == 1
        sample(project, "d", 15, to="a")
        sample(project, "d", 15, to="b")
        sample(project, "d", 15, seed=1, to="c")
        assert open_dataset(project, "a").hash == open_dataset(project, "b").hash != open_dataset(project, "c").hash
        assert not sample(project, "d", 15, to="a").changed
        with pytest.raises(InputError, match="with other rows"):
            sample(project, "d", 14, to="a")

    def test_the_others_are_dropped_and_come_back(self, project):
        split_dataset(project, "d", eval=12, dev=6)
        whole = open_dataset(project, "d/train").hash
        assert sample(project, "d/train", 20).rows == 20
        assert {d.reason for d in show_dropped(project, "d/train").dropped} == {"not-sampled"}
        assert not sample(project, "d/train", 99).changed
        assert restore(project, "d/train", reason="not-sampled").restored == 22
        assert open_dataset(project, "d/train").hash == whole
        with pytest.raises(UsageError):
            sample(project, "d", 0)


class TestRestore:
    def test_by_row_and_by_reason(self, project, lines):
        add_to(project, lines, "d", {"body": "a blank answer", "label": " "}, {"body": "no answer yet"})
        filter_rows(project, "d", ["empty", "unlabelled"])
        row = next(d.row for d in show_dropped(project, "d").dropped if d.reason == "empty")
        assert restore(project, "d", [row[:8]], dry_run=True).restored == 1
        done = restore(project, "d", [row[:8]])
        assert (done.restored_rows, done.counts) == ((row,), {"empty": 1})
        assert restore(project, "d", [row]).already == (row,)
        for words, reason in (([row[:4]], None), (["f" * 12], None), ([], "unlabeled"), ([], "empty")):
            with pytest.raises(InputError):
                restore(project, "d", words, reason=reason)
        with pytest.raises(UsageError):
            restore(project, "d")

    def test_a_part_takes_back_only_what_touches_no_other(self, project, lines):
        split_dataset(project, "d", eval=12, dev=6)
        one = open_dataset(project, "d/eval").examples()[0]
        two = open_dataset(project, "d/dev").examples()[0]
        add_to(
            project,
            lines,
            "d/train",
            {"body": one.input["body"] + "?", "label": " "},
            {"body": two.input["body"] + "?", "label": " "},
            {"body": "innocent words alone", "label": " "},
        )
        filter_rows(project, "d/train", ["empty"])
        done = restore(project, "d/train", reason="empty")
        assert done.restored == 1
        assert {s.touches: s.where for s in done.stay_out} == {one.row: "d/eval", two.row: "d/dev"}
        with pytest.raises(Refused, match="touches row") as found:
            restore(project, "d/train", [done.stay_out[0].row])
        assert found.value.exit_code == 3


class TestStories:
    def test_why_tells_all_of_it_in_order(self, project, lines):
        first = open_dataset(project, "d").examples()[0]
        add_to(project, lines, "d", {"body": first.input["body"].upper() + "!", "label": first.target})
        (gone,) = deduplicate(project, "d").first_dropped
        story = why(project, "d", gone.row.row[:8])
        assert story.row == gone.row.row
        assert [e.verb for e in story.events if "dropped" in e.what] == ["dedup"]
        assert next(e.verb for e in story.events) == "add"
        assert story.events[-1].other is not None
        assert story.events[-1].other.row == gone.kept.row
        assert not story.held_by[0].newest
        assert [r.row for r in why(project, "d", gone.kept.row[:8]).stands_for] == [gone.row.row]
        split_dataset(project, "d", eval=12, dev=6)
        freeze(project, "d/eval")
        held = open_dataset(project, "d/eval").rows()[0].row
        told = why(project, "d", held[:8])
        assert "d/eval" in {h.dataset for h in told.held_by}
        assert told.eval_sets == ("d",)

    def test_a_line_that_is_no_row_has_a_story_too(self, project, lines):
        add_to(project, lines, "d", {"body": "fine", "label": "y"}, '{"body": "cut')
        story = why(project, "d", "more.jsonl:2")
        assert story.row is None
        assert story.set_aside is not None
        assert story.set_aside.raw == '{"body": "cut'
        assert why(project, "d", "more.jsonl:1").input == {"body": "fine"}
        for word in ("more.jsonl:9", "abc", "0" * 10):
            with pytest.raises(InputError):
                why(project, "d", word)

    def test_a_line_inside_a_record_that_is_no_row_is_told_with_it(self, project):
        csv = project.root / "block.csv"
        csv.write_text('body,label\na fine row of its own,y\n"she said "no"\nand left\nfor good",n\n')
        add(project, "d", [csv], ReadOptions(input="body", target="label"))
        for line in (3, 4, 5):
            told = why(project, "d", f"block.csv:{line}").set_aside
            assert told is not None
            assert told.line == 3

    def test_show_and_ls(self, project):
        shown = show_rows(project, "d", limit=2)
        assert (shown.total, len(shown.rows)) == (60, 2)
        assert shown.rows[0].metadata == {"customer": "C0"}
        one = show_rows(project, "d", row=shown.rows[1].row[:8])
        assert one.rows[0].row == shown.rows[1].row
        with pytest.raises(InputError):
            show_rows(project, "d", row="0" * 20)
        split_dataset(project, "d", eval=12)
        assert [d.name for d in list_datasets(project).datasets] == ["d", "d/eval", "d/train"]
        sample(project, "d", 5)
        found = list_datasets(project, "d").datasets
        assert [(d.version, d.rows) for d in found] == [(1, 60), (2, 5)]
        assert found[0].hash == open_dataset(project, "d@1").hash


class TestAudit:
    def test_files_without_a_project(self, tmp_path, lines, monkeypatch):
        monkeypatch.chdir(tmp_path)
        file = lines(tmp_path / "a.jsonl", {"body": "x y z", "label": "1"}, {"body": "x y z", "label": "2"}, "{")
        found = audit_files([file], OPTIONS)
        assert found.set_aside == 1
        assert found.worst == "fail"
        assert found.report.check("conflict").count == 2
        assert {r.target for r in found.examples["conflict"]} == {"1", "2"}
        assert not (tmp_path / ".sluice").exists()

    def test_an_eval_row_is_no_leak_of_itself(self, project):
        split_dataset(project, "d", eval=12, dev=6)
        for name, leak, dev in (("d", "absent", "absent"), ("d/eval", "absent", "absent"), ("d/dev", "ok", "absent")):
            report = audit_dataset(project, name).report
            assert (report.check("leak").status, report.check("dev-in-train").status) == (leak, dev), name

    def test_the_task_s_schema_and_limit_are_used(self, project):
        (project.root / "schema.json").write_text(json.dumps({"type": "object", "required": ["a"]}))
        (project.root / "sluice.toml").write_text(
            '[task]\nname = "t"\ndata = "d"\ndescription = "x"\nschema = "schema.json"\nmax_tokens = 16\n'
            '[model]\nbase = "b"\n[project]\nid = "p"\n'
        )
        found = audit_dataset(
            Project(project.root),
            "d",
            count_tokens=lambda row: 17 if row == open_dataset(project, "d").rows()[0] else 3,
        )
        assert found.report.check("schema").count == 60
        assert found.report.check("overlong").count == 1

    @pytest.mark.parametrize("text", ["{", "[1]", '{"type": "colour"}', '{"title": "x"}'])
    def test_a_schema_that_is_none(self, tmp_path, text):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(InputError, match=r"s\.json"):
            schema_file(tmp_path / "s.json")


def test_a_row_that_is_not_an_example_is_named(project):
    assert all(isinstance(r, Example) for r in open_dataset(project, "d").rows())
