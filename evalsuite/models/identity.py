"""What a model is: the hash of every file that its loader reads.

A name is a label, the bytes are the model. Hashes are cached in `<cache>/hashes.json` by path, size, modification time
and inode; whoever must not believe a cache (a load for answers, the recipe's spine, `verify`) asks with
`use_cache=False`. Nothing here knows where models come from or how they are loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, ModelNotFound
from sluice.core.files import atomic_write
from sluice.core.progress import Progress

_NAMED_TEMPLATE = "chat_template (named)"
_TEXT_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)
_CHUNK = 1 << 22


@dataclass(frozen=True)
class ModelFiles:
    """A model that lies ready in a folder.

    Attributes:
        name: what the user calls it (the default's name, a folder, a Hugging Face id).
        folder: where its files are.
        files: relative name to SHA-256 (hex) of every file that the loader reads.
        chat_template: a template named by the user that is used in place of the model's own, or None.
    """

    name: str
    folder: Path
    files: dict[str, str] = field(default_factory=dict)
    chat_template: str | None = None


class ModelIdentity(BaseModel):
    """The identity of a model: its name, the hash of each file, and one hash over all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """What the user calls it; not part of `sha256`."""
    files: dict[str, str]
    """Relative name to SHA-256 (hex); a chat template named by the user is listed as "chat_template (named)"."""
    sha256: str
    """SHA-256 over the sorted (name, hash) pairs: equal exactly when the loader reads the same bytes."""


def loader_files(folder: Path) -> list[str]:
    """Return the relative names of the files that transformers reads from a model folder, sorted.

    Weights are the safetensors files (with their index where sharded); `.bin` files count only where no safetensors
    exist, as the loader does it.

    Raises:
        ModelNotFound: no such folder.
        InputError: no config.json, no weights, or the folder holds an adapter.
    """
    if not folder.is_dir():
        raise ModelNotFound("no such model folder", where=str(folder), remedy="name a folder with a config.json")
    if (folder / "adapter_config.json").is_file():
        raise InputError(
            "this folder holds an adapter, and the loader would put it on the base without a word",
            where=str(folder / "adapter_config.json"),
            remedy="name the base model here and the adapter by its id",
        )
    if not (folder / "config.json").is_file():
        raise InputError(
            "this folder holds no model: config.json is missing",
            where=str(folder),
            remedy="name a folder in the Hugging Face layout (config.json, tokenizer files, model.safetensors)",
        )
    names = [name for name in _TEXT_FILES if (folder / name).is_file()]
    names += [f"additional_chat_templates/{path.name}" for path in folder.glob("additional_chat_templates/*.jinja")]
    weights = _weights(folder, "model", ".safetensors") or _weights(folder, "pytorch_model", ".bin")
    if not weights:
        raise InputError(
            "this folder holds no weights: neither model*.safetensors nor pytorch_model*.bin",
            where=str(folder),
            remedy="download the model's weights into it",
        )
    return sorted(set(names + weights))


def hash_files(
    folder: Path,
    names: Sequence[str],
    cache_dir: Path | None = None,
    *,
    use_cache: bool = True,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Return the SHA-256 (hex) of each file of `names` in `folder`.

    Args:
        cache_dir: where `hashes.json` is kept; None computes every hash.
        use_cache: False recomputes every hash, and writes the fresh ones to the cache.
        progress: called as ("hashing model files", bytes done, bytes in all).
    """
    known = _read_cache(cache_dir) if cache_dir is not None else {}
    stats = {name: (folder / name).stat() for name in names}
    keys = {name: f"{(folder / name).resolve()}|{s.st_size}|{s.st_mtime_ns}|{s.st_ino}" for name, s in stats.items()}
    missing = [name for name in names if not use_cache or keys[name] not in known]
    total, done = sum(stats[name].st_size for name in missing), 0
    fresh: dict[str, str] = {}
    for name in missing:
        digest = hashlib.sha256()
        with (folder / name).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress("hashing model files", done, total)
        fresh[keys[name]] = digest.hexdigest()
    if fresh and cache_dir is not None:
        _add_to_cache(cache_dir, fresh)
    return {name: fresh.get(keys[name]) or known[keys[name]] for name in names}


def identify(
    model_files: ModelFiles, cache_dir: Path | None = None, *, use_cache: bool = True, progress: Progress | None = None
) -> ModelIdentity:
    """Hash every file that the loader reads and return the model's identity; see `hash_files` for the arguments."""
    folder = model_files.folder
    files = hash_files(folder, loader_files(folder), cache_dir, use_cache=use_cache, progress=progress)
    if model_files.chat_template is not None:
        files[_NAMED_TEMPLATE] = hashlib.sha256(model_files.chat_template.encode()).hexdigest()
    listing = "".join(f"{name}\0{files[name]}\n" for name in sorted(files))
    return ModelIdentity(name=model_files.name, files=files, sha256=hashlib.sha256(listing.encode()).hexdigest())


def _weights(folder: Path, stem: str, suffix: str) -> list[str]:
    """Return the weight files of one format: the single file, else the index with the shards that it names."""
    if (folder / f"{stem}{suffix}").is_file():
        return [f"{stem}{suffix}"]
    index = folder / f"{stem}{suffix}.index.json"
    if not index.is_file():
        return []
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError) as error:
        raise InputError(
            "the index of the weights cannot be read", where=str(index), remedy="download it again"
        ) from error
    absent = [shard for shard in shards if not (folder / shard).is_file()]
    if absent:
        raise InputError(
            f"{len(absent)} of {len(shards)} weight files are missing, for example {absent[0]}",
            where=str(folder),
            remedy="download the missing files",
        )
    return [index.name, *shards]


def _read_cache(cache_dir: Path) -> dict[str, str]:
    """Read the cache of hashes; one that cannot be read counts as empty, since it only saves time."""
    try:
        content = json.loads((cache_dir / "hashes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str) and len(value) == 64}


def _add_to_cache(cache_dir: Path, fresh: dict[str, str]) -> None:
    """Add hashes to the cache ; a race loses a few entries, which are computed again."""
    merged = {**_read_cache(cache_dir), **fresh}
    atomic_write(cache_dir / "hashes.json", json.dumps(merged, indent=0, sort_keys=True).encode())
