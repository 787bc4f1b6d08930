"""Texts as vectors: the one place where an embedding model is loaded, asked, and its answers kept.

A model is a sentence-transformers model, static or transformer, by folder or by an id that was fetched before; nothing
is fetched here. Vectors are kept by what the model is and says (`Embedder.identity`) and the hash of the text.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sluice.core.errors import ModelNotFound
from sluice.core.progress import Progress
from sluice.curate.cache import read_cache, write_cache

if TYPE_CHECKING:
    from sluice.core.project import Project

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
BATCH = 64
TOLD = 1024  # texts between two reports of progress
SPECIAL = 2  # tokens that a tokenizer puts around a text

Vectors = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Embedder:
    """A loaded model.

    Args:
        name: the folder or id that it was loaded by.
        model: the sentence-transformers model.
    """

    name: str
    model: Any

    def __call__(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return the (texts, dimensions) vectors of texts, each of length 1."""
        parts: list[Vectors] = []
        for low in range(0, len(texts), TOLD):
            if progress is not None:
                progress("embedding", low, len(texts))
            some = list(texts[low : low + TOLD])
            parts.append(self.model.encode(some, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False))
        if progress is not None:
            progress("embedding", len(texts), len(texts))
        return np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, 1), np.float32)

    @cached_property
    def identity(self) -> str:
        """What the model is: a hash of its weights, modules, tokenizer and release, wherever it lies."""
        import sentence_transformers

        digest = hashlib.sha256(f"{sentence_transformers.__version__}\0{self.model!r}\0{self.window}".encode())
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
            digest.update(tensor.detach().contiguous().cpu().view(-1).numpy().tobytes())
        tokenizer = getattr(self.model.tokenizer, "backend_tokenizer", self.model.tokenizer)
        digest.update(tokenizer.to_str().encode() if hasattr(tokenizer, "to_str") else repr(tokenizer).encode())
        return digest.hexdigest()[:16]

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return int(self.model.get_embedding_dimension())

    @property
    def window(self) -> int | None:
        """Tokens that the model reads of a text; None where it reads all of it."""
        most = getattr(self.model, "max_seq_length", None)
        return int(most) if isinstance(most, int | float) and most < 2**31 else None

    def reads(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return whether the model reads each text to its end: of a longer one the vector knows the beginning only."""
        fits = np.ones(len(texts), bool)
        if self.window is not None:
            for i, text in enumerate(texts):
                if len(text.encode()) > self.window - SPECIAL:  # a token has a byte at least
                    fits[i] = len(self.model.tokenizer(text, truncation=False)["input_ids"]) <= self.window
        return fits


def load_embedder(model: str, *, where: str = "--model") -> Embedder:
    """Return a model by folder or id.

    Raises ModelNotFound where the model or the extra `semantic` is not here.
    """
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns of kernels that nothing here uses
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise ModelNotFound(
            "sentence-transformers is not installed", where=where, remedy="pip install 'sluiceway[semantic]'"
        ) from None
    told: Any = sys.modules.get("transformers.utils.logging")  # what the model is loaded with, and talks
    if told is not None:
        told.disable_progress_bar()
        told.set_verbosity_error()
    try:
        return Embedder(model, SentenceTransformer(model, device="cpu", local_files_only=True))
    except (OSError, ValueError, KeyError) as problem:
        why = "it is no folder, and was not fetched"
        if Path(model).is_dir():
            why = (str(problem).strip() or type(problem).__name__).splitlines()[0][:160]
        raise ModelNotFound(
            f"the model '{model}' cannot be loaded: {why}",
            where="--model",
            remedy="name a folder that holds one, or fetch it first: hf download MODEL",
        ) from None


class Kept:
    """A model that is asked once for each text: its vectors lie in the project's cache, without a project in memory.

    Args:
        model: the model.
        project: whose cache keeps the vectors; None: they are forgotten with this object.
    """

    def __init__(self, model: Embedder, project: Project | None = None):
        self.model, self.project = model, project
        self._known: dict[str, Vectors] = {}

    @property
    def name(self) -> str:
        """The folder or id that the model was loaded by."""
        return self.model.name

    def __call__(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return the (texts, dimensions) vectors of texts, each of length 1."""
        if self.project is not None:
            return embedded(self.model, texts, self.project, progress).vectors
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            self._known |= dict(zip(missing, self.model(missing, progress), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 1), np.float32)


@dataclass(frozen=True)
class Embedded:
    """Vectors of texts, and how many of the different texts had to be embedded for them."""

    vectors: Vectors
    new: int


def embedded(embed: Embedder, texts: Sequence[str], project: Project, progress: Progress | None = None) -> Embedded:
    """Return the (texts, dimensions) vectors of texts; those that are kept are not worked out again."""
    import polars as pl

    keys = [hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16] for text in texts]
    place = {key: i for i, key in reversed(list(enumerate(keys)))}
    name = f"embeddings-{embed.identity}"
    kept = read_cache(project, name)
    old: list[bytes] = [] if kept is None else kept["text"].to_list()
    known = {key: i for i, key in enumerate(old)}
    missing = [key for key in dict.fromkeys(keys) if key not in known]
    vectors = np.zeros((0, 0), np.float32) if kept is None else kept["vector"].to_numpy()
    if missing:
        made = embed([texts[place[key]] for key in missing], progress)
        vectors = made if kept is None else np.concatenate((vectors, made))
        known |= {key: len(old) + i for i, key in enumerate(missing)}
        frame = pl.DataFrame(
            {"text": [*old, *missing], "vector": vectors},
            schema={"text": pl.Binary, "vector": pl.Array(pl.Float32, vectors.shape[1])},
        )
        write_cache(project, name, frame)
    return Embedded(vectors[[known[key] for key in keys]] if keys else vectors[:0], len(missing))
