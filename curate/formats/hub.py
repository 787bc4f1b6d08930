"""`hf://owner/name[@revision][/file, folder or split]`: data files of a Hugging Face dataset, at one commit.

Only files of rows are fetched; code of a dataset is never run, and one that is nothing but code is refused. What was
read is remembered by the commit, so that it can be told later from what the repository has become. Without a network
the local cache answers, where the files lie in it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from sluice.core.errors import InputError, SurroundingsError
from sluice.core.progress import Progress
from sluice.curate.formats.open_file import extensions
from sluice.curate.formats.records import Entry
from sluice.curate.formats.saved_dataset import SIDECARS
from sluice.curate.formats.unpack import inner_path

PREFIX = "hf://"
_ID = re.compile(r"hf://(?:datasets/)?(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^/]+))?(?:/(?P<rest>.+))?")
_SPLITS = re.compile(
    r"(?<![a-z])(train(?:ing)?|test(?:ing)?|validation|valid|val|dev|eval(?:uation)?)(?![a-z])", re.IGNORECASE
)
CONVERTED = "refs%2Fconvert%2Fparquet"
"""The branch to which the hub converts datasets, scripts among them."""


class HubFileMissing(SurroundingsError):
    """A dataset or file of the hub that cannot be had here. Exit 5."""


@dataclass(frozen=True, slots=True)
class Hub:
    """What is asked of a hub."""

    files: Callable[[str, str | None], tuple[str, list[str]]]
    """From dataset and revision to the commit and all its files."""
    fetch: Callable[[str, str, str], Path]
    """From dataset, commit and file to where its bytes lie."""


def hub_entries(word: str, progress: Progress | None = None, hub: Hub | None = None) -> list[Entry]:
    """Return the data files that an id means, fetched.

    Args:
        word: `hf://owner/name`, with a revision and a file, folder or split where wanted.
        progress: called with (what, files done, in all).
        hub: None: huggingface_hub, or its cache without a network.

    Raises InputError for an id that is none, that means several splits or subsets, or a dataset without data files;
    SurroundingsError where the hub cannot be reached, knows no such dataset, or its package is not installed.
    """
    parts = _ID.fullmatch(word)
    if parts is None:
        raise InputError(
            "no id of a dataset on the Hugging Face hub",
            where=word,
            remedy="write hf://owner/name, with @revision and /file, /folder or /split where wanted",
        )
    repo, revision, rest = parts["repo"], parts["revision"], (parts["rest"] or "").rstrip("/")
    hub = hub or _huggingface()
    commit, files = hub.files(repo, unquote(revision) if revision else None)
    chosen = choose_files(files, rest, word)
    entries: list[Entry] = []
    for done, file in enumerate(chosen):
        if progress is not None:
            progress(f"fetching {PurePosixPath(file).name} of {repo}", done, len(chosen))
        entries.append(Entry(hub.fetch(repo, commit, file), name=f"{PREFIX}{repo}@{commit}/{file}"))
    return entries


def choose_files(files: list[str], rest: str, word: str) -> list[str]:
    """Return the files of a repository that are meant, sorted.

    Args:
        files: all files of the repository.
        rest: a file, a folder, a split, or "".
        word: the id, for messages.
    """
    if rest in files:
        return [rest]
    data = sorted(f for f in files if _is_data(f))
    if not data:
        script = any(f.endswith(".py") for f in files)
        raise InputError(
            "this dataset is a script that would have to be run, and holds no data files"
            if script
            else "this dataset holds no file of a form that is read",
            where=word,
            remedy=f"try the hub's own conversion: {word.split('@')[0].rstrip('/')}@{CONVERTED}"
            if script
            else "fetch its files, and name them",
        )
    meant = [f for f in data if f.startswith(f"{rest}/")] if rest else data
    if not meant:
        folder, _, split = rest.rpartition("/")
        within = [f for f in data if not folder or f.startswith(f"{folder}/")]
        meant = [f for f in within if split.lower() in _splits(f)]
        if not meant:
            shown = ", ".join(files[:8]) + (", ..." if len(files) > 8 else "")
            raise InputError(f"no file, folder or split is called '{rest}'", where=word, remedy=f"it has: {shown}")
    base = f"{PREFIX}{word.removeprefix(PREFIX).removesuffix(f'/{rest}' if rest else '').rstrip('/')}"
    _refuse_several({str(PurePosixPath(f).parent) for f in meant} - {"."}, "subsets", base, word)
    splits = {split for f in meant for split in _splits(f)}
    _refuse_several(splits, "splits", base, word)
    if splits and any(not _splits(f) for f in meant):
        other = next(f for f in meant if not _splits(f))
        raise InputError(
            f"files of the split {min(splits)}, and others, such as {other}",
            where=word,
            remedy=f"name one: {base}/{other}",
        )
    return meant


def _refuse_several(names: set[str], what: str, base: str, word: str) -> None:
    if len(names) > 1:
        listed = sorted(names)
        shown = ", ".join(listed[:8]) + (", ..." if len(listed) > 8 else "")
        raise InputError(f"this dataset has the {what} {shown}", where=word, remedy=f"name one: {base}/{listed[0]}")


def _is_data(file: str) -> bool:
    path = PurePosixPath(file)
    form = extensions().get(inner_path(Path(path.name)).suffix.lower())
    hidden = any(part.startswith(".") for part in path.parts)
    return form is not None and form.name != "text" and path.name not in SIDECARS and not hidden


def _splits(file: str) -> set[str]:
    """Return the splits that a path names, by its file first."""
    path = PurePosixPath(file)
    return {m.lower() for m in _SPLITS.findall(path.name)} or {m.lower() for m in _SPLITS.findall(str(path.parent))}


def _huggingface() -> Hub:
    """Return the hub itself, and its local cache where it cannot be reached."""
    try:
        from huggingface_hub import HfApi, errors, hf_hub_download, snapshot_download
    except ImportError:
        raise SurroundingsError(
            "hf:// needs a package that is not installed: huggingface_hub", remedy='pip install "sluiceway[hub]"'
        ) from None

    def told(problem: Exception, repo: str, revision: str | None) -> SurroundingsError:
        page = f"https://huggingface.co/datasets/{repo}"
        if isinstance(problem, errors.GatedRepoError):
            remedy = f"accept its terms on {page}, then log in with: hf auth login"
            return HubFileMissing(f"the dataset '{repo}' is gated", where=page, remedy=remedy)
        if isinstance(problem, errors.RevisionNotFoundError):
            return HubFileMissing(f"'{repo}' has no revision '{revision}'", where=page, remedy="name another one")
        if isinstance(problem, errors.RepositoryNotFoundError):
            remedy = "check the name; for a private dataset log in with: hf auth login"
            return HubFileMissing(f"the hub knows no dataset '{repo}', or it is private", where=page, remedy=remedy)
        return HubFileMissing(
            f"the dataset '{repo}' is not on this machine and huggingface.co cannot be reached",
            where=page,
            remedy="go online, or fetch its files elsewhere and name them",
        )

    known: tuple[type[Exception], ...] = (
        errors.GatedRepoError,
        errors.RevisionNotFoundError,
        errors.RepositoryNotFoundError,
    )

    # offline in all its forms: no route, time-out, switched off by the user; the client's own are no OSErrors
    clients = (sys.modules[name] for name in ("httpx2", "httpx") if name in sys.modules)
    unreachable: tuple[type[Exception], ...] = (OSError, *(client.HTTPError for client in clients))

    def files(repo: str, revision: str | None) -> tuple[str, list[str]]:
        try:
            info: Any = HfApi().dataset_info(repo, revision=revision)
            return str(info.sha), [s.rfilename for s in info.siblings or []]
        except errors.HFValidationError as problem:
            raise InputError(str(problem).splitlines()[0], where=f"{PREFIX}{repo}", remedy="check the name") from None
        except known as problem:
            raise told(problem, repo, revision) from None
        except unreachable as problem:
            try:
                folder = Path(snapshot_download(repo, repo_type="dataset", revision=revision, local_files_only=True))
            except unreachable:
                raise told(problem, repo, revision) from None
            inside = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
            return folder.name, inside

    def fetch(repo: str, commit: str, file: str) -> Path:
        try:
            return Path(hf_hub_download(repo, file, repo_type="dataset", revision=commit))
        except (*known, *unreachable) as problem:
            raise told(problem, repo, commit) from None

    return Hub(files, fetch)
