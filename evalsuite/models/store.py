"""From a name to a model's files: the embedded default, a local folder, or a Hugging Face id.

Knows where models lie, not how they are loaded or run.
"""

from __future__ import annotations

import json
from pathlib import Path

from sluice.core.errors import InputError, ModelNotFound
from sluice.core.progress import Progress
from sluice.evalsuite.models.embedded import DEFAULT_MODEL, embedded_files
from sluice.evalsuite.models.hub import hub_folder
from sluice.evalsuite.models.identity import ModelFiles, hash_files, loader_files

__all__ = ["DEFAULT_MODEL", "ModelFiles", "resolve_model"]


def resolve_model(
    name_or_path: str,
    cache_dir: Path,
    progress: Progress | None = None,
    *,
    chat_template: str | None = None,
) -> ModelFiles:
    """Find a model, fetching it where needed, and hash every file that its loader reads.

    Args:
        name_or_path: `smollm2-135m-instruct-q4_1`, a folder in the Hugging Face layout, or a Hugging Face id, with
            `@revision` where wanted. What exists as a folder is a folder.
        cache_dir: our cache folder (see `sluice.core.paths.default_cache_dir`).
        progress: called as (what, done, total).
        chat_template: a Jinja chat template to use in place of the model's own; it becomes part of the identity.

    Raises:
        ModelNotFound: no such folder, not on the hub, gated, or offline.
        InputError: what was found is no model, or has no chat template and none was named.
        SurroundingsError: damaged cache, full disk, missing packages.
    """
    name = name_or_path.strip()
    if not name:
        raise InputError("no model is named", remedy=f"name one, for example '{DEFAULT_MODEL}'")
    folder = Path(name).expanduser()
    if name == DEFAULT_MODEL:
        found = embedded_files(cache_dir, progress)
    else:
        if not folder.is_dir():
            if name.startswith((".", "/", "~", "\\")) or name.count("/") > 1:
                raise ModelNotFound("no such model folder", where=name, remedy="check the path")
            folder = hub_folder(name, progress)
        found = ModelFiles(name, folder, hash_files(folder, loader_files(folder), cache_dir, progress=progress))
    if chat_template is not None:
        return ModelFiles(found.name, found.folder, found.files, chat_template)
    if not _has_chat_template(found.folder):
        raise InputError(
            f"the model '{name}' has no chat template: it is a base model, and what it would be asked is undefined",
            where=str(found.folder),
            remedy="name a chat template, or choose the model's instruct version",
        )
    return found


def _has_chat_template(folder: Path) -> bool:
    """Whether the tokenizer brings a chat template, in any of the places where transformers looks."""
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    try:
        content = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(content.get("chat_template"))
