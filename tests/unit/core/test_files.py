from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from sluice.core.errors import StoreBusy, SurroundingsError
from sluice.core.files import (
    Staging,
    append_line,
    atomic_write,
    held,
    link_new,
    make_folder,
    publish_folder,
    read_lines,
    watch_syncs,
    write_synced,
)

HOLD_JOB = """
import sys
from pathlib import Path
from sluice.core.files import Staging
with Staging(Path(sys.argv[1])).job() as folder:
    (folder / "half.txt").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""
HOLD_LOCK = """
import sys
from pathlib import Path
from sluice.core.files import held
with held(Path(sys.argv[1]), what="the opening"):
    print("held", flush=True)
    sys.stdin.read()
"""


def start(code: str, argument: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a process and wait for the line that says where it stands."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(argument)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str], *, kill: bool = False) -> None:
    if kill:
        process.kill()
    process.communicate(input=None if kill else "", timeout=30)


@pytest.fixture
def full_disk(tmp_path: Path) -> Generator[Path]:
    """A folder on a volume of 64 KiB that is really full but for a few bytes."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "sluice-test", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip(f"a small volume cannot be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    file = os.open(place / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(file, b"x" * 4096)
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
    finally:
        os.close(file)


def fail_with(number: int, monkeypatch: pytest.MonkeyPatch, *, name: str, after: int = 0) -> None:
    calls = {"n": 0}
    real = getattr(os, name)

    def failing(*args: object, **kwargs: object) -> object:
        calls["n"] += 1
        if calls["n"] > after:
            raise OSError(number, os.strerror(number))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, name, failing)


def test_atomic_write_replaces_the_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folders" / "a.json"
    atomic_write(file, b"old and longer")
    atomic_write(file, b"new")
    assert file.read_bytes() == b"new"
    assert os.listdir(file.parent) == ["a.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("number, word", [(errno.ENOSPC, "full"), (errno.EROFS, "cannot be written")])
def test_a_failed_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, word: str
) -> None:
    file = tmp_path / "a.json"
    atomic_write(file, b"old")
    with monkeypatch.context() as patch:
        fail_with(number, patch, name=step)
        with pytest.raises(SurroundingsError, match=word) as problem:
            atomic_write(file, b"new")
    assert problem.value.exit_code == 5
    assert problem.value.where
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"], "no left-over"


def test_a_place_that_may_not_be_written_is_named_and_not_the_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("sluice.core.files.sync_fd", refuse)
    with pytest.raises(SurroundingsError) as problem:
        atomic_write(tmp_path / "rubric.md", b"x")
    assert problem.value.where == str(tmp_path / "rubric.md")


def test_other_errors_are_not_dressed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(errno.EIO, monkeypatch, name="replace")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        atomic_write(tmp_path / "a", b"x")


def test_a_really_full_disk_keeps_what_was_there(full_disk: Path) -> None:
    file, log = full_disk / "a.json", full_disk / "log.jsonl"
    atomic_write(file, b"old")
    append_line(log, '{"n":1}')
    fill(full_disk)
    with pytest.raises(SurroundingsError, match="full"):
        atomic_write(file, b"n" * 9000)
    with pytest.raises(SurroundingsError, match="full"):
        append_line(log, json.dumps({"n": 2, "text": "x" * 9000}))
    staging = Staging(full_disk / "tmp")
    with pytest.raises(SurroundingsError, match="full"), staging.job() as job:
        write_synced(job / "big", b"x" * 9000)
    assert file.read_bytes() == b"old"
    assert list(read_lines(log)) == [{"n": 1}]
    (full_disk / "filler").unlink()
    append_line(log, '{"n":3}')
    assert list(read_lines(log)) == [{"n": 1}, {"n": 3}], "the half line stays alone"


def test_a_short_write_is_finished_or_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, real = tmp_path / "log", os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:5]))
    append_line(log, '{"text":"longer than five bytes"}')
    assert list(read_lines(log)) == [{"text": "longer than five bytes"}]


def test_lines_are_appended_in_order(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log.jsonl"
    for n in range(5):
        append_line(log, json.dumps({"n": n}))
    assert [r["n"] for r in read_lines(log)] == list(range(5))
    assert log.read_bytes().endswith(b'{"n": 4}\n')


@pytest.mark.parametrize("cut", [b'{"n": 1, "te', b"{", b'{"n": 1}'])
def test_a_line_after_a_cut_one_stands_alone(tmp_path: Path, cut: bytes) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"n": 0}\n' + cut)
    append_line(log, '{"n": 2}')
    whole = [{"n": 0}, {"n": 1}, {"n": 2}] if cut.endswith(b"}") else [{"n": 0}, {"n": 2}]
    assert list(read_lines(log)) == whole


def test_reading_passes_over_what_is_no_record(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"n": 1}\n\n[1]\nnull\n\xff\xfe\n' + b"[" * 200_000 + b'\n{"n": 2}\n{"n": 3')
    assert [r["n"] for r in read_lines(log)] == [1, 2]
    assert list(read_lines(tmp_path / "none")) == []


def test_lines_of_many_writers_are_all_whole(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    code = (
        "import sys, json\nfrom pathlib import Path\nfrom sluice.core.files import append_line\n"
        "for n in range(40): append_line(Path(sys.argv[1]), json.dumps({'w': sys.argv[2], 'n': n, 'x': 'y' * 300}))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(log), str(w)]) for w in range(3)]
    assert [w.wait(timeout=60) for w in writers] == [0, 0, 0]
    found = [(r["w"], r["n"]) for r in read_lines(log)]
    assert sorted(found) == sorted((str(w), n) for w in range(3) for n in range(40))


def test_link_new_lets_the_first_one_win(tmp_path: Path) -> None:
    first, second, target = tmp_path / "1", tmp_path / "2", tmp_path / "names" / "3.json"
    write_synced(first, b"first")
    write_synced(second, b"second")
    assert link_new(first, target) is True
    assert link_new(second, target) is False
    assert target.read_bytes() == b"first"


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
def test_link_new_without_links_to_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    source, other, target, real = tmp_path / "s", tmp_path / "o", tmp_path / "t", os.link
    write_synced(source, b"data")
    write_synced(other, b"other")

    def link(a: Path, b: Path) -> None:
        if a in (source, other) or number == errno.EPERM:
            raise OSError(number, os.strerror(number))
        real(a, b)

    monkeypatch.setattr(os, "link", link)
    assert link_new(source, target) is True
    assert link_new(other, target) is False
    assert target.read_bytes() == b"data"
    assert sorted(os.listdir(tmp_path)) == ["o", "s", "t"]


def test_link_new_says_where_it_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_synced(tmp_path / "s", b"x")
    fail_with(errno.EACCES, monkeypatch, name="link")
    with pytest.raises(SurroundingsError, match="cannot be written") as problem:
        link_new(tmp_path / "s", tmp_path / "ledger" / "t")
    assert problem.value.where == str(tmp_path / "ledger" / "t")


def test_a_job_leaves_nothing_behind(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "tmp")
    with staging.job() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "f").write_text("x")
    with pytest.raises(FileNotFoundError), staging.job() as folder:
        (folder / "none").read_text()
    assert os.listdir(tmp_path / "tmp") == []


def test_a_running_job_is_no_left_over_and_a_dead_one_is(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "tmp")
    process, line = start(HOLD_JOB, tmp_path / "tmp")
    folder = Path(line)
    try:
        assert staging.clear() == 0
        with staging.job():
            assert (folder / "half.txt").read_text() == "half"
    finally:
        end(process, kill=True)
    assert folder.exists(), "a killed job leaves its folder"
    with staging.job():
        assert not folder.exists()
    assert os.listdir(tmp_path / "tmp") == []


def test_jobs_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    staging, wrong = Staging(tmp_path / "tmp"), list[str]()

    def work(name: str) -> None:
        for n in range(15):
            with staging.job() as folder:
                (folder / "f").write_text(name)
                staging.clear()
                if (folder / "f").read_text() != name:
                    wrong.append(f"{name} {n}")

    threads = [threading.Thread(target=work, args=(str(i),)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(timeout=60)
    assert wrong == []
    assert os.listdir(tmp_path / "tmp") == []


def test_a_finished_folder_is_published_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "f").write_text(name)
    final = tmp_path / "data" / "v1"
    assert publish_folder(tmp_path / "one", final) is True
    assert publish_folder(tmp_path / "two", final) is False
    assert (final / "inner" / "f").read_text() == "one"
    assert (tmp_path / "two" / "inner" / "f").exists(), "the loser is left to its job"


def test_of_many_publishers_one_wins(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom sluice.core.files import publish_folder\n"
        "root, me = Path(sys.argv[1]), sys.argv[2]\n(root / me).mkdir()\n(root / me / 'f').write_text(me)\n"
        "print(publish_folder(root / me, root / 'final'))"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(i)], stdout=subprocess.PIPE, text=True)
        for i in range(4)
    ]
    said = [r.communicate(timeout=60)[0].strip() for r in racers]
    assert sorted(said) == ["False", "False", "False", "True"]
    assert (tmp_path / "final" / "f").read_text() == str(said.index("True"))


def test_a_held_lock_names_who_has_it(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "opening.lock"
    process, _ = start(HOLD_LOCK, lock)
    try:
        with pytest.raises(StoreBusy) as problem, held(lock, what="the opening", wait_seconds=0.1):
            pass
        assert f"process {process.pid}" in problem.value.message
        assert problem.value.message.startswith("the opening")
        assert problem.value.exit_code == 5
    finally:
        end(process)
    with held(lock, what="the opening", wait_seconds=5):
        assert f"process {os.getpid()} " in lock.with_suffix(".owner").read_text()
    assert not lock.with_suffix(".owner").exists()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "l.lock"
    process, _ = start(HOLD_LOCK, lock)
    end(process, kill=True)
    with held(lock, what="it", wait_seconds=5):
        pass


def test_hooks_see_every_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, synced, seen = os.fsync, list[int](), list[str]()
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), real(fd))[1])
    with watch_syncs(seen.append):
        atomic_write(tmp_path / "deep" / "a", b"x")
        append_line(tmp_path / "log", "{}")
        with Staging(tmp_path / "tmp").job() as job:
            write_synced(job / "f", b"x")
            link_new(job / "f", tmp_path / "names" / "1")
            (job / "folder" / "inner").mkdir(parents=True)
            (job / "folder" / "inner" / "f").write_text("x")
            publish_folder(job / "folder", tmp_path / "data" / "v")
    assert len(seen) == len(synced)
    for wanted in ("deep", "log", "names", "data"):
        assert str(tmp_path / wanted) in seen, "a new entry is on the disk only when its folder is"
    assert any(s.endswith("folder/inner/f") for s in seen)
    count = len(seen)
    atomic_write(tmp_path / "later", b"x")
    assert len(seen) == count, "a hook that was taken away hears nothing"


def test_a_new_log_is_synced_into_its_folder_once(tmp_path: Path) -> None:
    log, seen = tmp_path / "log", list[str]()
    with watch_syncs(seen.append):
        append_line(log, "{}")
        append_line(log, "{}")
    assert seen == [str(log), str(tmp_path), str(log)]


def test_made_folders_are_synced_into_their_parents(tmp_path: Path) -> None:
    seen: list[str] = []
    with watch_syncs(seen.append):
        make_folder(tmp_path / "a" / "b")
        make_folder(tmp_path / "a" / "b")
    assert seen == [str(tmp_path / "a"), str(tmp_path)]


def test_the_floor_is_light_to_import() -> None:
    heavy = ("filelock", "pydantic", "jinja2", "jsonschema", "subprocess")
    code = f"import sys, sluice.core.project; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
