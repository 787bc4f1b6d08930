"""Writing files so that a killed process leaves the old state or the new one, and locks that say who holds them.

The order of every write: a temporary file in the project's staging area, fsync, rename (or an exclusive link), fsync
of the folder. Each job stages in a folder of its own under a lock that lives as long as the job; left-overs are
cleared only where that lock can be taken, so a running job is never one. Where the target lies outside the staging
area the temporary file is a sibling that names its process. Knows nothing of what is written.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sluice.core.errors import DiskFull, NoPermission, StoreBusy
from sluice.core.siblings import clear_siblings, sibling

if TYPE_CHECKING:
    from filelock import FileLock

Hook = Callable[[str], None]
_after_sync: list[Hook] = []


@contextlib.contextmanager
def watch_syncs(hook: Hook) -> Generator[None]:
    """Call `hook(path)` after each fsync of this process: where the tests pull the plug."""
    _after_sync.append(hook)
    try:
        yield
    finally:
        _after_sync.remove(hook)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_fd(fd: int, path: Path | str) -> None:
    """Flush a file descriptor to the disk."""
    os.fsync(fd)
    for hook in _after_sync:
        hook(str(path))


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can."""
    if os.name == "nt":  # Windows cannot open a folder; NTFS journals the rename
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        sync_fd(fd, folder)
    finally:
        os.close(fd)


@contextlib.contextmanager
def disk_errors(path: Path | str) -> Generator[None]:
    """Turn a full disk, a missing permission or a read-only volume into an error that names the path."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                "the disk is full; nothing was changed", where=str(path), remedy="free some space, then run it again"
            ) from problem
        if problem.errno == errno.EFBIG:
            raise DiskFull(
                "a file may not grow that large here; nothing was changed",
                where=str(path),
                remedy="raise the limit (ulimit -f, or that of the file system), then run it again",
            ) from problem
        if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise NoPermission(
                "this place cannot be written", where=str(path), remedy="check owner and permissions of the folder"
            ) from problem
        raise


def make_folder(folder: Path) -> None:
    """Create a folder and what is missing above it, so that the new entries survive a power cut."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    if not missing:
        return
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for made in missing:
            sync_folder(made.parent)


def write_synced(path: Path, data: bytes, *, place: Path | None = None) -> None:
    """Write a new file and flush it. The caller moves it to its place, which errors then name."""
    with disk_errors(place or path), open(path, "wb") as file:
        file.write(data)
        file.flush()
        sync_fd(file.fileno(), path)


def atomic_write(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data` in one step, through a temporary sibling.

    Raises DiskFull, and NoPermission where the place cannot be written; the old file then stands.
    """
    with disk_errors(path):
        make_folder(path.parent)
        clear_siblings(path.parent)
        temporary = sibling(path)
        try:
            write_synced(temporary, data, place=path)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def append_line(path: Path, text: str) -> None:
    """Append one line to a log in a single write. A line cut by a crash is left to the reader (`read_lines`).

    Raises DiskFull; what was written of the line is then passed over as a half line.
    """
    with disk_errors(path):
        make_folder(path.parent)
        data = (text + "\n").encode()
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            end = os.lseek(fd, 0, os.SEEK_END)
            if end and _last_byte(path) != b"\n":
                data = b"\n" + data  # the last writer was cut: its half line stays alone
            while data:
                data = data[os.write(fd, data) :]  # a disk that fills up takes a part, and then raises
            sync_fd(fd, path)
        finally:
            os.close(fd)
        if not end:
            sync_folder(path.parent)


def _last_byte(path: Path) -> bytes:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of an append-only log; a half line left by a crash is passed over."""
    if not path.exists():
        return
    with open(path, "rb") as file:
        for raw in file:
            try:
                value = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield cast("dict[str, Any]", value)


def link_new(source: Path, target: Path) -> bool:
    """Give a written file its final name only if nothing has it yet. Returns False where it is taken.

    The file then has both names: a file that must stand on its own in two places is staged twice.
    """
    with disk_errors(target):
        make_folder(target.parent)
        try:
            os.link(source, target)
        except FileExistsError:
            return False
        except OSError as problem:
            if problem.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP):
                raise
            return _copy_new(source, target)  # another volume, or one without hard links
        sync_folder(target.parent)
        return True


def _copy_new(source: Path, target: Path) -> bool:
    temporary = sibling(target)
    write_synced(temporary, source.read_bytes(), place=target)
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:
        if target.exists():
            return False
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(target.parent)
    return True


class Staging:
    """The staging area of one project: `tmp/<job>/` under `tmp/<job>.lock`.

    Args:
        root: the folder `tmp`; must lie on the volume of the final places.
    """

    def __init__(self, root: Path):
        self.root = root

    @contextlib.contextmanager
    def job(self) -> Generator[Path]:
        """Yield a fresh folder to write in; it and its lock are gone afterwards. Clears dead left-overs first."""
        with disk_errors(self.root):
            make_folder(self.root)
            self.clear()
            name = f"{os.getpid()}-{secrets.token_hex(4)}"
            lock = _file_lock(self.root / f"{name}.lock")
            lock.acquire()
            folder = self.root / name
            try:
                folder.mkdir()
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                (self.root / f"{name}.lock").unlink(missing_ok=True)
                lock.release()

    def clear(self) -> int:
        """Remove the left-overs of dead jobs; those whose lock is held stay. Returns how many were removed."""
        removed = 0
        for folder in sorted(self.root.iterdir()) if self.root.exists() else []:
            if not folder.is_dir():
                continue
            lock = _file_lock(self.root / f"{folder.name}.lock")
            try:
                lock.acquire(timeout=0)
            except TimeoutError:
                continue
            try:
                shutil.rmtree(folder, ignore_errors=True)
                (self.root / f"{folder.name}.lock").unlink(missing_ok=True)
                removed += 1
            finally:
                lock.release()
        return removed


def _file_lock(path: Path) -> FileLock:
    from filelock import FileLock  # 14 ms to import, and most commands take no lock

    return FileLock(path)


def sync_files(folder: Path) -> None:
    """Flush every file and folder below a folder, and the folder itself."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            fd = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)  # Windows flushes writers only
            try:
                sync_fd(fd, path)
            finally:
                os.close(fd)
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)


def publish_folder(staged: Path, final: Path) -> bool:
    """Move a finished folder to its final name. Returns False where that name already stands (equal content)."""
    with disk_errors(final):
        sync_files(staged)
        make_folder(final.parent)
        try:
            os.rename(staged, final)
        except OSError as problem:
            if problem.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        sync_folder(final.parent)
        return True


@contextlib.contextmanager
def held(lock_path: Path, *, what: str, wait_seconds: float = 30.0) -> Generator[None]:
    """Hold a named lock; others wait up to `wait_seconds`, then learn who has it (StoreBusy, exit 5).

    It is not re-entrant: who holds it and asks again waits in vain.
    """
    with disk_errors(lock_path):
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        lock = _file_lock(lock_path)
        owner = lock_path.with_suffix(".owner")
        try:
            lock.acquire(timeout=wait_seconds, poll_interval=0.02)
        except TimeoutError:
            raise StoreBusy(
                f"{what} is held by {_owner(owner)}",
                where=str(lock_path),
                remedy="wait for it to end, then run it again",
            ) from None
    try:
        with disk_errors(owner):
            owner.write_text(f"process {os.getpid()} since {time.strftime('%H:%M:%S')}")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _owner(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip() or "another process"
    except FileNotFoundError:
        return "another process"
