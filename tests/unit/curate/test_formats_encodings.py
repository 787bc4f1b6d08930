"""`--encoding auto` and mojibake: what is detected is recorded, what is in doubt set aside, nothing changes unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.cli.app import run
from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.formats import ReadOptions, read_file
from sluice.curate.formats.detect import certain

AUTO = ReadOptions(input="body", encoding="auto")
SENTENCES = {
    "german": "Die Größe der Lieferung überrascht mich, schöne Grüße aus Köln",
    "french": "Où êtes-vous, François? À l'été, prix: 5 €",
    "polish": "Gdzie jest moja paczka? Czekam już dwa tygodnie, proszę o odpowiedź",
    "czech": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "russian": "Где моя посылка, я жду её уже две недели",
    "greek": "Πού είναι το δέμα μου; Περιμένω δύο εβδομάδες.",
    "turkish": "Paketim nerede? İki haftadır bekliyorum, şikâyetçiyim",
    "hebrew": "איפה החבילה שלי? אני מחכה כבר שבועיים",
    "arabic": "أين طردي؟ أنا أنتظر منذ أسبوعين",
    "japanese": "荷物はどこですか。もう二週間も待っています。",
    "chinese": "我的包裹在哪里？我已经等了两个星期了。",
    "korean": "내 소포는 어디에 있나요? 벌써 2주째 기다리고 있어요.",
}
ENCODINGS = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "iso8859-1",
    "iso8859-2",
    "iso8859-15",
    "koi8-r",
    "cp850",
    "cp437",
    "mac-roman",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
]


def writes(code: str, text: str) -> bool:
    try:
        return bool(text.encode(code))
    except UnicodeEncodeError:
        return False


CASES = [(name, code) for name, text in SENTENCES.items() for code in ENCODINGS if writes(code, text)]


def test_a_certain_encoding_is_the_right_one_and_the_usual_ones_are_certain():
    """For each sentence in each encoding that can write it: right, or in doubt; never wrong."""
    sure: set[tuple[str, str]] = set()
    for name, code in CASES:
        for times in (1, 3, 20):
            data = "\n".join([json.dumps({"body": SENTENCES[name]}, ensure_ascii=False)] * times).encode(code)
            found = certain(data.split(b"\n"))
            if found is not None:
                assert data.decode(found) == data.decode(code), (name, code, found)
                sure.add((name, code))
    usual = {("german", "cp1252"), ("french", "cp1252"), ("polish", "cp1250"), ("russian", "cp1251")}
    usual |= {("japanese", "cp932"), ("chinese", "gb18030"), ("korean", "cp949"), ("greek", "cp1253")}
    assert usual <= sure
    assert len(CASES) > 30


def test_quotes_and_a_short_file_do_not_make_a_western_text_doubtful():
    lines = [
        "Die Rechnung „R-17“ ist falsch",
        "Schöne Grüße – Köln",
        "Ihr Fahrer hat’s abgelegt, 12,50 €",
        "Geht’s noch? Für übermorgen",
    ]
    for times in (1, 5, 60):
        assert certain("\n".join(lines * times).encode("cp1252").split(b"\n")) == "cp1252"


@pytest.mark.parametrize("last", ["Das kostet 5 €", "L’œuvre est là".replace("’", "'")])
def test_latin_9_is_never_taken_for_windows_even_by_its_last_line(last: str):
    lines = ["Schöne Grüße aus Köln, das Päckchen fehlt", "Où est la fenêtre, très chère"] * 3 + [last]
    data = "\n".join(lines).encode("iso8859-15")
    found = certain(data.split(b"\n"))
    assert found is None or data.decode(found) == data.decode("iso8859-15")


def write(folder: Path, name: str, text: str, encoding: str, times: int = 20) -> Path:
    line = json.dumps({"body": text}, ensure_ascii=False)
    (folder / name).write_bytes("".join(line.replace('"}', f' {i}"}}') + "\n" for i in range(times)).encode(encoding))
    return folder / name


def test_each_file_is_read_in_its_own_encoding_and_says_so(tmp_path: Path):
    files = [
        write(tmp_path, "a.jsonl", SENTENCES["german"], "cp1252"),
        write(tmp_path, "b.jsonl", SENTENCES["polish"], "cp1250"),
        write(tmp_path, "c.jsonl", SENTENCES["german"], "utf-8"),
        write(tmp_path, "d.jsonl", SENTENCES["russian"], "utf-16"),
        write(tmp_path, "e.jsonl", SENTENCES["german"], "utf-16-le"),
        write(tmp_path, "f.jsonl", SENTENCES["french"], "utf-32"),
    ]
    result = add(Project(tmp_path), "d", files, AUTO)
    assert [(f.encoding, f.encoding_detected) for f in result.files] == [
        ("cp1252", True),
        ("cp1250", True),
        ("utf-8", False),
        ("utf-16", False),
        ("utf-16-le", True),
        ("utf-32", True),
    ]
    assert not result.files_set_aside
    bodies = open_dataset(Project(tmp_path), "d").frame()["input"].to_list()
    assert all(any(SENTENCES[k] in b for b in bodies) for k in ("german", "polish", "russian", "french"))


def test_a_doubtful_file_is_set_aside_whole_and_the_others_arrive(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "sure.jsonl", SENTENCES["german"], "cp1252")
    write(tmp_path, "doubt.jsonl", SENTENCES["turkish"], "cp1254")
    words = ["sure.jsonl", "doubt.jsonl", "--input", "body", "--encoding", "auto", "--json"]
    assert run(["add", "strict", *words, "--strict"]) == 2
    refused = json.loads(capsys.readouterr().out)
    assert refused["error"]["where"] == "doubt.jsonl"
    assert refused["result"]["added"] == 0
    assert run(["add", "d", *words]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    assert (result["added"], [f["file"] for f in result["files_set_aside"]]) == (20, ["doubt.jsonl"])
    noted = open_dataset(Project(tmp_path), "d").operation.parameters["files_set_aside"]
    assert [f["file"] for f in noted] == ["doubt.jsonl"]
    assert run(["audit", *words]) == 0
    report = json.loads(capsys.readouterr().out)["result"]
    assert (report["worst"], [f["file"] for f in report["files_set_aside"]]) == ("fail", ["doubt.jsonl"])
    assert run(["add", "alone", "doubt.jsonl", "--input", "body", "--encoding", "auto", "--json"]) == 2
    assert "in doubt" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_text_that_does_not_decode_whole_is_in_doubt(tmp_path: Path):
    path = write(tmp_path, "a.jsonl", SENTENCES["german"], "cp1252")
    path.write_bytes(path.read_bytes() + b'{"body": "\x81\x8d"}\n')
    with pytest.raises(InputError):
        read_file(path, AUTO)


TWICE = [text.encode().decode("cp1252") for text in (SENTENCES["german"], "Café – déjà vu", "It’s naïve – don’t")]


def test_mojibake_is_told_and_not_touched(tmp_path: Path):
    lines = [{"body": t, "note": t} for t in TWICE] + [{"body": t} for t in SENTENCES.values()]
    path = tmp_path / "r.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = add(Project(tmp_path), "d", [path], ReadOptions(input="body"))
    assert (result.mojibake, [p.line for p in result.first_mojibake], result.mended) == (3, [1, 2, 3], False)
    assert "Größe" in result.first_mojibake[0].mended
    assert sum(t in open_dataset(Project(tmp_path), "d").frame()["input"].str.join("\n")[0] for t in TWICE) == 3


def test_mojibake_is_mended_on_request_and_each_row_kept_as_it_was(tmp_path: Path):
    project = Project(tmp_path)
    path = tmp_path / "r.jsonl"
    chat = {"role": "user", "content": TWICE[1]}
    records: list[dict[str, Any]] = [{"body": TWICE[0], "note": TWICE[1]}, {"body": "sound"}, {"body": [chat]}]
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    plain = add(project, "d", [path], ReadOptions(input="body"))
    fixed = add(project, "d", [path], ReadOptions(input="body", fix_mojibake=True))
    assert (plain.rows, fixed.rows, fixed.added, fixed.mended) == (3, 3, 2, True)
    version = open_dataset(project, "d")
    held = "\n".join(version.frame()["input"])
    assert SENTENCES["german"] in held
    assert "déjà" in held
    assert "Ã" not in held
    operation = version.operation
    folder = project.operations / operation.id
    import polars as pl

    dropped = pl.read_parquet(folder / "dropped.parquet")
    edges = pl.read_parquet(folder / "edges.parquet")
    assert set(dropped["reason"]) == {"mojibake"}
    assert set(dropped["kept"]) == set(edges["new"]) <= set(version.frame()["row"])
    assert set(edges["old"]) == set(dropped["row"])
    assert any(TWICE[0] in text for text in dropped["input"])
    places = pl.read_parquet(folder / "occurrences.parquet")
    assert any(TWICE[1] in m for m in places["metadata"])  # metadata stays as the file has it
    assert not add(project, "d", [path], ReadOptions(input="body", fix_mojibake=True)).changed
    assert add(project, "d", [path], ReadOptions(input="body")).dropped_before == 2


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda t: not t.isspace()))
def test_nothing_changes_unasked(tmp_path_factory: pytest.TempPathFactory, text: str):
    path = tmp_path_factory.getbasetemp() / "unasked.jsonl"
    path.write_text(json.dumps({"body": text}))
    (row,) = read_file(path, ReadOptions(input="body")).rows
    assert (row.row.input, row.before) == ({"body": text}, None)
