"""forget: nothing of the person is left below the project, and verify says forgotten, never tampered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from support import whole_project

from sluice.core.errors import InputError, UsageError
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset, versions
from sluice.curate.deduplicate import deduplicate
from sluice.curate.drops import dropped_rows
from sluice.curate.filter_where import filter_where
from sluice.curate.operation import Outcome, commit
from sluice.curate.why import why
from sluice.evalsuite.sets import deciding_set
from sluice.train.forget import forget
from sluice.train.verify import Verification, verify

REASON = "asked for on 1 May"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    project, _ = whole_project.whole_project(tmp_path_factory.mktemp("whole"))
    (project.root / "rows.jsonl").unlink()
    return project.root


@pytest.fixture
def project(whole, tmp_path) -> Project:
    shutil.copytree(whole, tmp_path / "project")
    return Project(tmp_path / "project")


def checked(project: Project) -> Verification:
    return verify(project, cache_dir=project.root.parent / "cache")


def bad(project: Project) -> list[str]:
    """Everything that verify does not call intact, the model apart: it is elsewhere."""
    return [f"{f.word} {f.sort} {f.name}: {f.reason}" for f in checked(project).findings if f.word != "intact"]


def everything(root: Path) -> bytes:
    """All bytes below a folder, Parquet and the index read, too."""
    found: list[bytes] = []
    for file in sorted(root.rglob("*")):
        if file.is_file():
            found.append(file.read_bytes())
            if file.suffix == ".parquet":
                found.append(json.dumps(pl.read_parquet(file).to_dicts(), ensure_ascii=False).encode())
            if file.suffix == ".duckdb":
                import duckdb

                with duckdb.connect(str(file), read_only=True) as index:
                    for (table,) in index.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                        found.append(repr(index.execute(f"FROM {table}").fetchall()).encode())
    return b"\0".join(found)


def text_of(project: Project, ref: str, i: int = 0) -> tuple[str, str]:
    """A row of a version, and its text."""
    record = open_dataset(project, ref).frame().to_dicts()[i]
    return record["row"], json.loads(record["input"])["input"]


@pytest.mark.parametrize("part", ["train", "dev", "eval"])
def test_a_row_is_gone_from_everything_and_verify_says_forgotten(project, part):
    row, text = text_of(project, f"tickets/{part}")
    assert text.encode() in everything(project.root)
    result = forget(project, "tickets", rows=[row[:10]], reason=REASON)
    assert (result.rows, result.changed) == (1, True)
    found = everything(project.root)
    assert text.encode() not in found
    assert row.encode() not in found
    assert row[:10].encode() not in found
    assert bad(project) == []
    assert any(REASON in note for note in checked(project).notes)
    assert any("forgotten" in f.reason for f in checked(project).findings)
    newest = open_dataset(project, f"tickets/{part}")
    assert newest.operation.verb == "forget"
    assert newest.manifest.left is None
    assert row not in set(newest.frame()["row"])
    newest.check()


def test_what_was_worked_out_from_rows_is_gone_with_them(people):
    import polars as pl

    from sluice.curate.cache import read_cache, write_cache

    write_cache(people, "embeddings-0123456789abcdef", pl.DataFrame({"text": [b"x"], "vector": [[0.5]]}))
    assert read_cache(people, "embeddings-0123456789abcdef") is not None
    deduplicate(people, "d", exact_up_to=0, dry_run=True)
    assert len(list(people.cache.glob("duplicates-*"))) == 3
    forget(people, "d", people=JANE[:1], reason=REASON)
    assert list(people.cache.iterdir()) == []


def test_a_frozen_set_gets_a_successor_that_decides(project):
    before = deciding_set(project, Ledger(project).read())
    row, _ = text_of(project, "tickets/eval")
    result = forget(project, "tickets", rows=[row], reason=REASON)
    (one,) = result.sets
    assert (one.set, one.rows, one.left) == (before.sha256, 30, 29)
    after = deciding_set(project, Ledger(project).read())
    assert after.sha256 == one.after
    assert after.frozen.manifest.version == open_dataset(project, "tickets/eval").hash
    assert {r.row for r in after.frozen.rows} == set(before.frozen.manifest.rows) - {row}
    assert after.fact.body["after"] == before.sha256
    assert Ledger(project).read().of("claimed", set=one.after)
    assert not before.frozen.folder.exists()


def test_a_set_that_no_longer_decides_gets_none(project, tmp_path):
    from sluice.evalsuite.freeze import freeze

    lines = whole_project.raw_rows(tmp_path, n=40, seed=9)
    add(project, "more", [lines])
    freeze(project, "more", name="second", reason="other rows are needed")
    deciding = deciding_set(project, Ledger(project).read())
    row, _ = text_of(project, "tickets/eval")
    (one,) = forget(project, "tickets", rows=[row], reason=REASON).sets
    assert one.after is None
    assert deciding_set(project, Ledger(project).read()).sha256 == deciding.sha256
    assert bad(project) == []


PEOPLE = [
    {
        "input": "I am Jane Doe, write to jane.doe@example.com please",
        "target": "other",
        "customer": "Jane.Doe@Example.com",
    },
    {"input": "call +49 30 901820 about the broken kettle handle", "target": "other"},
    {"input": "my number 0049 30/901820, the lamp flickers at night", "target": "other"},
    {"input": "Ihr erreicht mich unter (030) 90 18 20 am Nachmittag", "target": "other"},
    {"input": "where is my parcel, it is late again this week", "target": "other", "customer": "jane.doe@example.com"},
    {"input": "where is my parcel, it is late again this week", "target": "other", "customer": "sam@example.org"},
    {"input": "somebody else writes from sam@example.org about a desk", "target": "other"},
]
JANE = ("jane.doe@example.com", "+49 30 901820")


@pytest.fixture
def people(tmp_path) -> Project:
    project = Project(tmp_path / "people")
    project.root.mkdir()
    file = tmp_path / "people.jsonl"
    lines = [json.dumps(r) for r in PEOPLE] + ['{"input": "cut off, JANE.DOE@example.com ']
    file.write_text("\n".join(lines) + "\n")
    add(project, "d", [file])
    return project


def forms(project: Project) -> list[str]:
    """Which spellings of the person are below the project."""
    found = everything(project.root).decode(errors="replace").casefold()
    return [s for s in ("jane.doe", "30 901820", "30/901820", "90 18 20") if s in found]


def test_a_person_is_found_in_every_spelling_and_others_stay(people):
    assert len(forms(people)) == 4
    result = forget(people, "d", people=JANE, reason=REASON)
    assert (result.rows, result.places, result.set_aside) == (4, 1, 1)
    assert forms(people) == []
    rows = open_dataset(people, "d").frame()["input"].to_list()
    assert len(rows) == 2
    assert any("where is my parcel" in r for r in rows)
    assert "sam@example.org" in everything(people.root).decode(errors="replace")
    assert bad(people) == []


def test_a_redacted_person_is_taken_out_of_the_mapping_and_of_the_older_versions(people):
    from sluice.curate.privacy.sealed import read_pseudonyms
    from sluice.curate.redact import redact

    redact(people, "d", regions=["DE"])
    assert "jane.doe@example.com" in read_pseudonyms(people).values["email"]
    result = forget(people, "d", people=JANE, reason=REASON)
    assert result.redacted == 4
    assert forms(people) == []
    assert "sam@example.org" in read_pseudonyms(people).values["email"]
    assert "[EMAIL_1]" in "".join(open_dataset(people, "d").frame()["input"])
    assert bad(people) == []


def test_a_redacted_row_takes_what_it_was_redacted_from_along(people):
    from sluice.curate.redact import redact

    redact(people, "d")
    new = next(r["row"] for r in open_dataset(people, "d").frame().to_dicts() if "I am Jane" in r["input"])
    assert forget(people, "d", rows=[new], reason=REASON).why == {"row": 1, "redacted from": 1}
    assert "I am Jane Doe" not in everything(people.root).decode(errors="replace")


def test_by_a_column(people):
    with pytest.raises(InputError, match="'custmer'"):
        forget(people, "d", where="custmer=x", reason=REASON)
    result = forget(people, "d", where="target=other", reason=REASON)
    assert result.rows == 6
    assert open_dataset(people, "d").frame().height == 0
    assert bad(people) == []


def test_rows_are_named_by_an_expression_of_filter(people):
    before = len(open_dataset(people, "d").frame())
    with pytest.raises(InputError, match="nowhere"):
        forget(people, "d", where="nowhere = 'x' AND true", reason=REASON)
    for refused in ("failing('empty')", "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0"):
        with pytest.raises(InputError):
            forget(people, "d", where=refused, reason=REASON)
    asked = forget(people, "d", where="target LIKE 'oth%' OR target IS NULL", reason=REASON, dry_run=True)
    same = forget(people, "d", where="target=other", reason=REASON, dry_run=True)
    assert asked.why == same.why
    assert asked.why["where"] > 0
    assert len(open_dataset(people, "d").frame()) == before


def test_a_forgotten_row_is_known_again_and_not_added_again(people, tmp_path):
    row = open_dataset(people, "d").frame()["row"][0]
    forget(people, "d", people=JANE, reason=REASON)
    for word in (row, row[:10], "people.jsonl:1"):
        story = why(people, "d", word)
        assert (story.row, story.input) == (None, None)
        assert story.forgotten is not None
        assert REASON in story.forgotten
    result = add(people, "d", [tmp_path / "people.jsonl"])
    assert (result.added, result.forgotten) == (0, 4)


def test_without_its_key_nobody_knows_a_row_again(people, tmp_path):
    row = open_dataset(people, "d").frame()["row"][0]
    forget(people, "d", people=JANE, reason=REASON, forget_key=True)
    assert not (people.store / "privacy" / "key").exists()
    for word in (row, "people.jsonl:1"):
        with pytest.raises(InputError):
            why(people, "d", word)
    assert add(people, "d", [tmp_path / "people.jsonl"]).forgotten == 0
    assert bad(people) == []


def test_the_fact_holds_no_hash_that_can_be_guessed(people):
    from sluice.curate.privacy.sealed import keyed, secret_key

    row = open_dataset(people, "d").frame()["row"][0]
    result = forget(people, "d", people=JANE, reason=REASON)
    fact = Ledger(people).read().get(result.fact)
    assert keyed(secret_key(people), row) in fact.body["rows"]
    assert row not in json.dumps(fact.body)
    assert set(fact.body) == {
        "id", "reason", "rows", "short", "key", "versions", "sets", "runs", "certificates"
    }  # fmt: skip


def test_twice_and_over_rows_of_before(people):
    forget(people, "d", people=JANE[:1], reason=REASON)
    forget(people, "d", people=JANE[1:], reason=REASON)
    assert forms(people) == []
    assert bad(people) == []
    assert [v.manifest.rows for v in versions(people, "d")] == [2, 2, 2]
    again = forget(people, "d", people=JANE, reason=REASON)
    assert (again.changed, again.rows) == (False, 0)


def test_what_is_refused(people):
    with pytest.raises(UsageError, match="what is to be forgotten"):
        forget(people, "d", reason=REASON)
    with pytest.raises(InputError, match="names the person"):
        forget(people, "d", people=JANE, reason="Jane.Doe@example.com asked for it")
    with pytest.raises(InputError, match="reason"):
        forget(people, "d", people=JANE)
    with pytest.raises(InputError, match="too short"):
        forget(people, "d", people=["Al"], reason=REASON)
    with pytest.raises(InputError, match="no row is called"):
        forget(people, "d", rows=["0" * 12], reason=REASON)
    assert len(forms(people)) == 4


def test_a_dry_run_changes_nothing_and_says_the_same(people):
    before = everything(people.root)
    said = forget(people, "d", people=JANE, dry_run=True)
    assert everything(people.root) == before
    done = forget(people, "d", people=JANE, reason=REASON)
    for key in ("rows", "why", "places", "set_aside", "versions", "runs"):
        assert getattr(said, key) == getattr(done, key)


def test_a_person_that_a_filter_was_about_is_gone_from_its_reasons_and_counts(people):
    filter_where(people, "d", f"target <> 'other' OR customer = '{JANE[0]}'")
    assert dropped_rows(open_dataset(people, "d"))
    forget(people, "d", people=JANE, reason=REASON)
    assert forms(people) == []
    assert {r.reason.split(":")[0] for r in dropped_rows(open_dataset(people, "d"))} == {"not kept"}
    assert bad(people) == []


def test_a_report_that_names_a_person_in_another_width_keeps_all_else(people):
    version = open_dataset(people, "d")
    report = {"strata": {"\uff2aane.doe@example.com": {"train": 1}, "other": {"train": 2}}, "seed": 7}
    outcome = Outcome(
        verb="t",
        parameters={},
        parents=(version.parent,),
        contents={"d": version.frame()[:-1]},
        rows_in=6,
        report=report,
    )
    commit(people, lambda: outcome)
    forget(people, "d", people=JANE, reason=REASON)
    (file,) = people.operations.glob("*/report.json")
    left = json.loads(file.read_bytes())
    assert (left["strata"]["other"], left["seed"]) == ({"train": 2}, 7)
    assert "\uff2aane" not in file.read_text()
    assert bad(people) == []


def test_files_of_people_are_named_and_left_alone(people, tmp_path):
    shutil.copy(tmp_path / "people.jsonl", people.root / "copy.jsonl")
    result = forget(people, "d", people=JANE, reason=REASON)
    (held,) = result.still_there
    assert held.file == "copy.jsonl"
    assert set(held.lines) == {1, 2, 3, 4, 5, 8}
    assert (people.root / "copy.jsonl").read_bytes() == (tmp_path / "people.jsonl").read_bytes()


# -- what nobody may get past verify by ------------------------------------------------------------------------------


def test_rows_that_are_gone_without_a_fact_are_tampered(people):
    row = open_dataset(people, "d").frame()["row"][0]
    forget(people, "d", rows=[row], reason=REASON)
    for place in (people.ledger, people.ledger_copy):
        shutil.rmtree(place)
    assert any(line.startswith("tampered version d@1") for line in bad(people))


def test_another_row_cannot_hide_behind_a_fact(people):
    from sluice.curate.dataset import Manifest, manifest_bytes, version_hash, write_version

    row = open_dataset(people, "d").frame()["row"][0]
    forget(people, "d", rows=[row], reason=REASON)
    version = versions(people, "d")[0]
    fewer = version.frame().head(3)
    with people.staging.job() as job:
        write_version(people, job, fewer)
    rest = Manifest.model_validate_json((people.data / version_hash(fewer) / "manifest.json").read_bytes())
    lie = version.manifest.model_copy(
        update={"left": rest.version, "files": rest.files, "rows": 3, "kinds": rest.kinds}
    )
    (people.data / version.hash / "manifest.json").write_bytes(manifest_bytes(lie))
    assert any(line.startswith("tampered version d@1") for line in bad(people))


def test_answers_that_changed_after_the_forgetting_are_tampered(project):
    row, _ = text_of(project, "tickets/dev")
    forget(project, "tickets", rows=[row], reason=REASON)
    file = next(project.runs.glob("dev-*/answers.jsonl"))
    file.write_text(file.read_text().replace('"text":"other"', '"text":"billing"', 1))
    assert any(line.startswith("tampered run") for line in bad(project))


def test_a_certificate_that_changed_after_the_forgetting_is_tampered(project):
    row, _ = text_of(project, "tickets/train")
    result = forget(project, "tickets", rows=[row], reason=REASON)
    assert result.adapters == ("sft-1",)
    file = project.adapters / "sft-1" / "certificate.json"
    body = json.loads(file.read_bytes())
    body["rows"] = body["rows"][1:]
    file.write_text(json.dumps(body))
    assert any(line.startswith("tampered adapter") for line in bad(project))


def test_a_copy_that_brings_the_rows_back_is_named(project):
    old = Path(shutil.copytree(project.evals, project.root.parent / "evals-before"))
    row, _ = text_of(project, "tickets/eval")
    forget(project, "tickets", rows=[row], reason=REASON)
    shutil.copytree(old, project.evals, dirs_exist_ok=True)
    assert any("here again" in note for note in checked(project).notes)
    assert not checked(project).of("tampered")


def test_freeze_counts_what_is_still_there_and_shows_no_value(tmp_path):
    from sluice.evalsuite.freeze import freeze

    project = whole_project.start(tmp_path / "p")
    rows = [json.loads(line) for line in whole_project.raw_rows(tmp_path, n=24, seed=5).read_text().splitlines()]
    rows[0]["input"] += " write to jane.doe@example.com or +49 30 901820"
    rows[1]["input"] += " my mail is sam@example.org"
    file = tmp_path / "people.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    add(project, "people", [file])
    result = freeze(project, "people")
    assert (result.personal, result.personal_rows) == ({"email": 2, "phone": 1}, 2)
    assert "jane" not in result.model_dump_json()
