"""What the last commit holds: files of a project as git's HEAD has them, whatever has become of them since.

It only reads, and it does so through the git command: a repository that git cannot read here counts as none.
"""

from __future__ import annotations

import subprocess
from pathlib import Path


def head_files(root: Path, folder: str, ending: str) -> dict[str, bytes] | None:
    """Return the files of one folder of a project in HEAD's tree, by name.

    Args:
        root: the project, which is the top of a repository or lies in one.
        folder: a folder of the project; folders below it are not looked into.
        ending: how the names end.

    Returns:
        {} where HEAD has no such folder; None where there is no git, or no commit yet.
    """
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None:
        return None
    inside = root.relative_to(top).as_posix()
    listing = _git(top, "ls-tree", "-z", "HEAD", f"{folder}/" if inside == "." else f"{inside}/{folder}/")
    if listing is None:
        return None
    blobs: dict[str, str] = {}
    for line in listing.split(b"\0"):
        if line:
            info, _, path = line.partition(b"\t")
            name = path.decode(errors="replace").rsplit("/", 1)[-1]
            if name.endswith(ending) and info.split()[1] == b"blob":
                blobs[name] = info.split()[2].decode()
    if not blobs:
        return {}
    order = list(blobs)
    out = _git(top, "cat-file", "--batch", stdin="".join(f"{blobs[n]}\n" for n in order).encode())
    return _split_batch(order, out) if out is not None else None


def _split_batch(order: list[str], out: bytes) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    at = 0
    for name in order:
        end = out.index(b"\n", at)
        header = out[at:end].split()
        if header[-1] == b"missing":
            at = end + 1
            continue
        size = int(header[2])
        entries[name] = out[end + 1 : end + 1 + size]
        at = end + 2 + size
    return entries


def _git(top: Path, *words: str, stdin: bytes | None = None) -> bytes | None:
    """Run git on the repository at `top`, named outright, so that no variable of a git hook leads elsewhere."""
    command = ["git", f"--git-dir={top / '.git'}", f"--work-tree={top}", "-C", str(top), "--literal-pathspecs", *words]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
