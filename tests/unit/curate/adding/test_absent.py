"""Content that is gone comes back from the files it was made of, as the very same versions, or a remedy says how."""

from __future__ import annotations

import shlex
import shutil

import pytest

from sluice.core.errors import InputError, Tampered
from sluice.curate.adding.add import add
from sluice.curate.adding.command import add_command
from sluice.curate.dataset import open_dataset, versions
from sluice.curate.deduplicate import deduplicate
from sluice.curate.formats import ReadOptions
from sluice.curate.redact import redact
from sluice.curate.restore import restore
from sluice.curate.sample import sample
from sluice.curate.splits.parts import split_dataset
from sluice.curate.why import why

OPTIONS = ReadOptions(input="body", target="label")


def lose(project):
    shutil.rmtree(project.data)


def again(project, name, *, options=OPTIONS, dataset="d"):
    return add(project, dataset, [project.root / name], options)


def contents(project, *names):
    return {v.ref: (v.hash, sorted(v.frame()["row"])) for name in names for v in versions(project, name)}


def test_the_same_file_brings_the_same_version_back(project):
    before = contents(project, "d")
    lose(project)
    done = again(project, "d.jsonl")
    assert (done.changed, done.added, done.brought_back) == (False, 0, ("d@1",))
    assert contents(project, "d") == before
    open_dataset(project, "d").check()


def test_rows_that_were_mended_come_back_mended(project, lines):
    texts = ("schöne Grüße aus Köln", "ein Café, déjà vu")
    twice = [{"body": text.encode().decode("cp1252"), "label": "y"} for text in texts]
    lines(project.root / "moj.jsonl", *twice)
    fixed = ReadOptions(input="body", target="label", fix_mojibake=True)
    again(project, "moj.jsonl", dataset="m")
    again(project, "moj.jsonl", dataset="m", options=fixed)
    before = contents(project, "m")
    lose(project)
    with pytest.raises(InputError) as problem:  # the first version held the rows as the file has them
        again(project, "moj.jsonl", dataset="m", options=fixed)
    assert "--fix-mojibake" in (problem.value.remedy or "")
    with pytest.raises(InputError, match="m@1 came back"):
        again(project, "moj.jsonl", dataset="m")
    assert again(project, "moj.jsonl", dataset="m", options=fixed).brought_back == ("m@2",)
    assert contents(project, "m") == before


def test_rows_that_were_dropped_and_restored_meanwhile_come_back_as_they_were(project, lines):
    twice = [{"body": t, "label": "y"} for t in ("Where is my parcel now?", "where is my  parcel now")]
    add(project, "d", [lines(project.root / "more.jsonl", *twice)], OPTIONS)
    deduplicate(project, "d")
    gone = set(versions(project, "d")[1].frame()["row"]) - set(open_dataset(project, "d").frame()["row"])
    restore(project, "d", [row[:12] for row in gone])
    before = contents(project, "d")
    assert len(before) == 4
    lose(project)
    with pytest.raises(InputError, match="came back") as problem:  # one of two files is not all of it
        again(project, "d.jsonl")
    assert "more.jsonl" in (problem.value.remedy or "")
    assert again(project, "more.jsonl").brought_back == ("d@2", "d@3", "d@4")
    assert contents(project, "d") == before


def test_the_remedy_names_the_command_that_works(project, lines):
    before = contents(project, "d")
    lose(project)
    with pytest.raises(InputError, match="absent") as problem:
        open_dataset(project, "d").frame()
    command = (problem.value.remedy or "").split("make it again: ")[1]
    words = shlex.split(command)
    assert words[:4] == ["sluice", "add", "d", "d.jsonl"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    again(project, words[3], options=ReadOptions(**{k.lstrip("-"): v for k, v in options.items()}))
    assert contents(project, "d") == before


def test_a_file_that_has_changed_brings_nothing_else_in(project, lines):
    lose(project)
    lines(project.root / "d.jsonl", {"body": "quite another row", "label": "y"})
    with pytest.raises(InputError, match="do not make it again"):
        again(project, "d.jsonl")
    assert not any(project.data.glob("*/manifest.json"))


@pytest.mark.parametrize("group", [None, "customer"])
def test_parts_come_back_by_repeating_their_splits(project, lines, group):
    split_dataset(project, "d", eval=12, dev=6, seed=3, group=group)
    sample(project, "d/train", 5)
    more = {"body": "an inkwell that leaks", "label": "y", "customer": "C99"}
    add(project, "d", [lines(project.root / "more.jsonl", more)], OPTIONS)
    split_dataset(project, "d")
    names = ("d", "d/train", "d/dev", "d/eval")
    before = contents(project, *names)
    assert len([ref for ref in before if ref.startswith("d/train")]) == 3
    lose(project)
    with pytest.raises(InputError, match="absent") as problem:
        split_dataset(project, "d")
    assert "sluice add d" in (problem.value.remedy or "")  # the whole first: its parts are drawn from it
    add(project, "d", [project.root / "d.jsonl", project.root / "more.jsonl"], OPTIONS)
    done = split_dataset(project, "d")
    assert not done.changed
    assert {ref.partition("@")[0] for ref in done.brought_back} == set(names[1:])
    assert contents(project, *names) == before


def test_a_redacted_version_comes_back_where_its_parts_are_gone_as_well(project, lines):
    bodies = [f"write to p{n}@example.org about bike number {n * n} and lamp {n}" for n in range(12)]
    file = lines(project.root / "mails.jsonl", *({"body": body, "label": "y"} for body in bodies))
    add(project, "m", [file], OPTIONS)
    redact(project, "m")
    split_dataset(project, "m", eval=3, dev=2)
    before = contents(project, "m", "m/train", "m/dev", "m/eval")
    lose(project)
    with pytest.raises(InputError):
        add(project, "m", [file], OPTIONS)
    assert redact(project, "m").brought_back == ("m@2",)
    split_dataset(project, "m")
    assert contents(project, "m", "m/train", "m/dev", "m/eval") == before


def test_redacted_versions_come_back_by_redacting_as_before(project, lines):
    bodies = [
        f"write to p{n % 3}@example.org about the {word}" for n, word in enumerate(("lamp", "bike", "bell", "lock"))
    ]
    file = lines(project.root / "mails.jsonl", *({"body": body, "label": "y"} for body in bodies))
    add(project, "m", [file], OPTIONS)
    redact(project, "m", kinds=["email"])
    add(project, "m", [lines(project.root / "more.jsonl", {"body": "call p1@example.org", "label": "y"})], OPTIONS)
    redact(project, "m", kinds=["email"])
    before = contents(project, "m")
    lose(project)
    with pytest.raises(InputError) as problem:
        add(project, "m", [file, project.root / "more.jsonl"], OPTIONS)
    assert (problem.value.remedy or "").endswith("; then sluice redact m --kinds email")
    with pytest.raises(InputError, match="m@2 came back"):  # rows came in behind it
        redact(project, "m", kinds=["email"])
    with pytest.raises(InputError, match="m@3 came back"):
        add(project, "m", [file, project.root / "more.jsonl"], OPTIONS)
    done = redact(project, "m", kinds=["email"])
    assert (done.changed, done.brought_back) == (False, ("m@4",))
    assert contents(project, "m") == before


@pytest.mark.parametrize("name", ["occurrences.parquet", "operation.json"])
def test_a_damaged_file_of_the_store_is_one_error_with_its_place(project, name):
    (file,) = project.operations.glob(f"*/{name}")
    file.write_bytes(b"{ junk")
    with pytest.raises(Tampered, match="damaged") as problem:
        why(project, "d", "d.jsonl:1")
    assert problem.value.where == file.relative_to(project.root).as_posix()


def test_many_files_of_a_folder_are_named_by_a_pattern_others_one_by_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my raw").mkdir()
    files = [f"my raw/{n}.csv" for n in range(5)]
    for name in files:
        (tmp_path / name).write_text("a\n1\n")
    how = {"input": "a", "target": None, "delimiter": ";"}
    assert add_command("d", files, how) == "sluice add d 'my raw'/*.csv --input a --delimiter ';'"
    assert shlex.split(add_command("d", files[:4], how))[3:7] == files[:4]
