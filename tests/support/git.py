"""Real git in a folder, apart from the settings of whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

WHO = ("user.name=x", "user.email=x@y", "init.defaultBranch=main", "commit.gpgsign=false")


def git(root: Path, *words: str) -> str:
    """Run a git command there; it has to succeed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(root)}
    command = ["git", *(word for setting in WHO for word in ("-c", setting)), "-C", str(root), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def commit(root: Path, message: str = "facts") -> None:
    """Commit everything that git does not ignore."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


def merge(root: Path, other: Path) -> None:
    """Merge what another copy has committed."""
    git(root, "pull", "-q", "--no-rebase", "--no-edit", str(other), "main")
