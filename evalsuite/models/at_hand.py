"""Whether a model lies ready on this machine, without a network and without loading anything."""

from __future__ import annotations

from pathlib import Path

from sluice.core.errors import SluiceError
from sluice.evalsuite.models.embedded import DEFAULT_MODEL
from sluice.evalsuite.models.identity import loader_files


def model_at_hand(name: str, cache_dir: Path) -> Path | None:
    """Return the folder of a model that could be loaded offline, or None.

    Args:
        name: the default's name, a folder, or a Hugging Face id, with `@revision` where wanted.
        cache_dir: our cache folder.
    """
    if name == DEFAULT_MODEL:
        folder = cache_dir / "models" / name
        return folder if (folder / "manifest.json").is_file() else None
    local = Path(name).expanduser()
    folder = local if local.is_dir() else _hub_copy(name)
    if folder is None:
        return None
    try:
        loader_files(folder)
    except SluiceError:
        return None
    return folder


def _hub_copy(name: str) -> Path | None:
    """Return the snapshot in the hub's own cache; None where there is none, or its package is not installed."""
    if name.startswith((".", "/", "~", "\\")) or name.count("/") > 1:
        return None
    try:
        from huggingface_hub import errors, snapshot_download
    except ImportError:
        return None
    repo, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repo_id=repo, revision=revision or None, local_files_only=True))
    except (errors.HFValidationError, errors.LocalEntryNotFoundError, OSError):
        return None
