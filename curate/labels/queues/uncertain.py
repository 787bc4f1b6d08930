"""`uncertain`: what a model is least sure of comes first, so that each label teaches the most.

Unsure is what has the smallest margin between its two likeliest labels (Scheffer et al. 2001; for many labels better
than entropy: Settles 2009, section 3.1). The probabilities are those of what proposes (`--suggest`): the shares of a
run's repeated answers, or a label model's. Without one a plain classifier is trained on the labels so far (TF-IDF of
words and word pairs, or vectors where a model is named; one logistic regression), anew at each sitting. Until two
labels are known it has nothing to learn from, and rows come as drawn: what is most different would seem a better start,
but teaches a classifier less (requests in seven classes: 22% right after 40 labels; started by a draw, 36%).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from sluice.core.errors import SurroundingsError, UsageError
from sluice.curate.labels.confident import EXTRA, INVERSE_PENALTY, SEED, vectorizer
from sluice.curate.labels.queues.base import QUEUES, Asking
from sluice.curate.labels.settle import settle


@QUEUES.register("uncertain")
def uncertain(asking: Asking) -> list[str]:
    """Return all, the least sure first; what was decided by anyone last, and before it what nothing is known of."""
    decided = {j.subject for j in asking.words}
    open_ = [s for s in asking.drawn() if s not in decided]
    doubts = asking.doubts if asking.doubts is not None else learnt_doubts(asking)
    if not doubts:
        return [*open_, *(s for s in asking.drawn() if s in decided)]
    first = sorted((s for s in open_ if s in doubts), key=lambda s: -doubts[s])
    return [*first, *(s for s in open_ if s not in doubts), *(s for s in asking.drawn() if s in decided)]


def learnt_doubts(asking: Asking) -> Mapping[str, float]:
    """Return, by subject, 1 - the margin of a classifier trained on the labels so far; empty where they are too few.

    Raises UsageError for a question whose answers are no labels, SurroundingsError without scikit-learn.
    """
    if not asking.question.labels and asking.question.mode != "rate":
        raise UsageError(
            f"answers to '{asking.question.shortened()}' are no labels that a classifier could learn",
            where="--queue uncertain",
            remedy="--suggest run:ID with repeated answers, or --queue different",
        )
    if find_spec("sklearn") is None:
        raise SurroundingsError("scikit-learn is not installed", remedy=f'pip install "sluiceway[{EXTRA}]"')
    told = {
        s.subject: str(s.value)
        for s in settle(asking.words, "majority").values()
        if s.value is not None and s.subject in asking.items
    }
    if len(set(told.values())) < 2:
        return {}
    subjects = list(dict.fromkeys([*asking.subjects, *told]))
    features = _features(asking, subjects)
    place = {s: i for i, s in enumerate(subjects)}
    chances = probabilities(features, [place[s] for s in told], list(told.values()))
    return dict(zip(subjects, map(float, 1.0 - margins(chances)), strict=True))


def _features(asking: Asking, subjects: list[str]) -> Any:
    texts = [asking.text(s) for s in subjects]
    if asking.embed is not None:
        return asking.embed(texts, asking.progress)
    return vectorizer(texts).fit_transform(texts)


def probabilities(features: Any, known: list[int], labels: list[str]) -> Any:
    """Return the probability of each label for each row (rows x labels), learnt from the rows that are known."""
    from sklearn.linear_model import LogisticRegression

    weight = "balanced" if max(Counter(labels).values()) > len(labels) / 2 else None
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=200, random_state=SEED, class_weight=weight)
    return model.fit(features[known], labels).predict_proba(features)


def margins(chances: Any) -> Any:
    """Return how far the likeliest label is ahead of the next, a row: 0 to 1; shape (rows,)."""
    import numpy as np

    ranked = np.sort(chances, axis=1)
    return ranked[:, -1] - ranked[:, -2]
