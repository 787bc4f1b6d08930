"""py3langid over many texts at once: the same languages and probabilities as its `classify`, an order of magnitude
faster.

langid.py walks each text byte by byte through an automaton that names features, counts them, and scores languages by
naive
Bayes (Lui & Baldwin 2012). Here all texts take a step at once, and the scores are one product of matrices. The model is
py3langid's own; a test holds the two together. It knows nothing of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

BATCH = 20_000
"""Texts a step: some 100 MB."""


@cache
def identifier() -> Any:
    """Return py3langid's identifier with probabilities, loaded once."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _tables() -> tuple[Any, Any, Any, Any, Any]:
    from typing import cast

    model = cast("Any", identifier())
    arrays = (model.tk_nextmove, model._rowbase, model.tk_output)
    step, base, out = (np.asarray(table).astype(np.int64) for table in arrays)
    return step, base, out, np.asarray(model.nb_ptc, dtype=np.float32), np.asarray(model.nb_pc, dtype=np.float32)


def classify_all(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return (ISO 639-1 code, probability) of each text; a text without a feature is as likely in every language."""
    found: list[tuple[str, float]] = []
    for first in range(0, len(texts), BATCH):
        found += _classify(texts[first : first + BATCH])
    return found


def _classify(texts: Sequence[str]) -> list[tuple[str, float]]:
    from scipy.sparse import csr_matrix

    model = identifier()
    step, base, out, table, prior = _tables()
    raw = [model._encode(text) for text in texts]
    order = np.argsort([-len(one) for one in raw], kind="stable")
    sizes = np.array([len(raw[i]) for i in order], dtype=np.int64)
    letters = np.zeros((len(raw), int(sizes[0]) if len(sizes) else 0), dtype=np.uint8)
    for place, i in enumerate(order):
        letters[place, : sizes[place]] = np.frombuffer(raw[i], dtype=np.uint8)
    state = np.zeros(len(raw), dtype=np.int64)
    where: list[Any] = []
    what: list[Any] = []
    for k in range(letters.shape[1]):
        live = int(np.searchsorted(-sizes, -k, side="left"))  # longest first: those with a byte left stand in front
        state[:live] = step[base[state[:live]] + letters[:live, k]]
        feature = out[state[:live]]
        hit = np.flatnonzero(feature >= 0)
        where.append(hit)
        what.append(feature[hit])
    rows = np.concatenate(where) if where else np.zeros(0, np.int64)
    features = np.concatenate(what) if what else np.zeros(0, np.int64)
    counts = csr_matrix((np.ones(len(rows), np.float32), (rows, features)), shape=(len(raw), len(table)))
    counts.sum_duplicates()
    counts.data = np.log1p(counts.data)
    seen = np.diff(counts.indptr) > 0
    scores = np.asarray(counts @ table) + np.where(seen[:, None], prior, np.float32(0))
    scores /= np.sqrt(np.maximum(sizes, 1))[:, None]
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    for kept, alias in model._alias_pairs:
        chances[:, kept] += chances[:, alias]
        chances[:, alias] = 0
    best = chances.argmax(axis=1)
    told: list[tuple[str, float]] = [("", 0.0)] * len(raw)
    for place, i in enumerate(order.tolist()):
        told[i] = (str(model.nb_classes[best[place]]), float(chances[place, best[place]]))
    return told
