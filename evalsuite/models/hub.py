"""Models by Hugging Face id: the local copy first, else the hub; files are never executed.

Knows the hub's errors and turns them into ours, each with what to do. A revision may be named: `owner/name@revision`.
"""

from __future__ import annotations

from pathlib import Path

from sluice.core.errors import InputError, ModelNotFound, SurroundingsError
from sluice.core.progress import Progress
from sluice.evalsuite.models.identity import loader_files
from sluice.evalsuite.models.quiet import quiet_libraries

# Text files and the tokenizer first; weights as safetensors, and .bin files only where a repository has nothing else.
_TEXT = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
_SAFE = (*_TEXT, "*.safetensors")
_OTHER = ("original/*", "onnx/*", "openvino/*", "*.gguf", "runs/*")


def hub_folder(name: str, progress: Progress | None = None) -> Path:
    """Return the folder of a hub model's snapshot, downloading what is not there yet.

    Raises:
        InputError: the name is no id of the hub, or the repository holds no model that we read.
        ModelNotFound: unknown, gated, or not in the local cache while the hub cannot be reached.
        SurroundingsError: huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import errors, snapshot_download
    except ImportError as error:
        raise SurroundingsError(
            "models need packages that are not installed: huggingface_hub", remedy='pip install "sluiceway[train]"'
        ) from error
    repo, _, revision = name.partition("@")
    wanted = {"repo_id": repo, "revision": revision or None, "ignore_patterns": list(_OTHER)}
    try:
        folder = Path(snapshot_download(**wanted, allow_patterns=list(_SAFE), local_files_only=True))
        loader_files(folder)
        return folder
    except errors.HFValidationError as error:
        raise InputError(
            f"'{name}' is neither a model of ours, a folder, nor a Hugging Face id", remedy=_known_names()
        ) from error
    except (errors.LocalEntryNotFoundError, InputError, FileNotFoundError):
        pass  # not here, or only in part: ask the hub
    if progress is not None:
        progress(f"fetching {name} from huggingface.co", 0, 1)
    page = f"https://huggingface.co/{repo}"
    try:
        with quiet_libraries():
            folder = Path(snapshot_download(**wanted, allow_patterns=list(_SAFE)))
            if not any(folder.glob("*.safetensors")):
                folder = Path(snapshot_download(**wanted, allow_patterns=[*_TEXT, "pytorch_model*.bin"]))
    except errors.GatedRepoError as error:
        raise ModelNotFound(
            f"the model '{repo}' is gated: its licence must be accepted first",
            where=page,
            remedy=f"accept the licence on {page}, then log in with: hf auth login",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFound(f"'{repo}' has no revision '{revision}'", where=page, remedy="name another one") from error
    except errors.RepositoryNotFoundError as error:
        raise ModelNotFound(
            f"the hub knows no model '{repo}', or it is private",
            where=page,
            remedy=f"{_known_names()}; for a private model log in with: hf auth login",
        ) from error
    except OSError as error:  # offline in all its forms: no route, time-out, switched off by the user
        raise ModelNotFound(
            f"the model '{name}' is not on this machine and huggingface.co cannot be reached",
            where=page,
            remedy=f"go online, or name a local folder; {_known_names()}",
        ) from error
    if progress is not None:
        progress(f"fetching {name} from huggingface.co", 1, 1)
    loader_files(folder)
    return folder


def _known_names() -> str:
    from sluice.evalsuite.models.embedded import DEFAULT_MODEL

    return f"the model that comes with this program is called '{DEFAULT_MODEL}'"
