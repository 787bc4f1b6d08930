"""Which labels are likely wrong: confident learning over out-of-fold probabilities. Texts and labels in, a ranking out.

A plain classifier (TF-IDF of words and word pairs, one logistic regression a label) is trained on four fifths of the
rows
and asked about the last fifth, five times. A row whose own label it holds far less likely than another, by
thresholds that
each label sets for itself, is named (Northcutt et al. 2021, arXiv 1911.00068, as cleanlab does it). The ranking is
by the
probability of the given label: what a person should look at first stands first. It is a hint, never a correction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from sluice.core.errors import SurroundingsError
from sluice.core.progress import Progress

FOLDS = 5
SEED = 0
FEWEST = 5
"""Rows of a label, below which it is not judged: each fold needs one of it."""
MOST_FEATURES = 200_000
INVERSE_PENALTY = 4.0
"""C of the logistic regressions: a little looser than scikit-learn's 1.0, since TF-IDF values are small."""
UNSPACED_SHARE = 0.25
EXTRA = "labels"
Embed = Callable[[Sequence[str], Progress | None], Any]


@dataclass(frozen=True)
class Suspect:
    """A label that is likely wrong."""

    place: int
    """Of the row in what was given."""
    given: str
    suggested: str
    quality: float
    """Probability of the given label, out of fold: 0 is surely wrong."""
    suggested_probability: float


@dataclass(frozen=True)
class Suspects:
    """What was found, the likeliest error first."""

    found: tuple[Suspect, ...]
    judged: int
    labels: int
    accuracy: float
    """Share of the labels that the classifier gives out of fold: near chance, its suspicions mean little."""


def available() -> bool:
    """Return whether cleanlab and scikit-learn are installed."""
    return find_spec("cleanlab") is not None and find_spec("sklearn") is not None


def suspects(
    texts: Sequence[str], labels: Sequence[str], *, embed: Embed | None = None, progress: Progress | None = None
) -> Suspects | None:
    """Return the labels that are likely wrong, or None where fewer than two labels have enough rows.

    Args:
        texts: what is labelled, one a row.
        labels: the label of each; labels of fewer than FEWEST rows are passed over.
        embed: turns texts into vectors (rows x dimensions), in the place of TF-IDF: an `embeddings.Kept` does.
        progress: called with (what, done, total).

    Raises SurroundingsError where the extra is not installed.
    """
    if not available():
        raise SurroundingsError("cleanlab is not installed", remedy=f'pip install "sluiceway[{EXTRA}]"')
    import numpy as np
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    counts = Counter(labels)
    places = [i for i, label in enumerate(labels) if counts[label] >= FEWEST]
    names, codes = np.unique(np.array([labels[i] for i in places], dtype=object).astype(str), return_inverse=True)
    if len(names) < 2:
        return None
    wanted = [texts[i] for i in places]
    features = embed(wanted, progress) if embed is not None else None
    chances = out_of_fold(wanted, codes, len(names), features, progress)
    issues = find_label_issues(codes, chances, filter_by="prune_by_noise_rate", n_jobs=1)
    quality = get_label_quality_scores(codes, chances, method="self_confidence")
    guesses = chances.argmax(axis=1)
    issues &= guesses != codes
    order = [int(i) for i in np.argsort(quality, kind="stable") if issues[i]]
    found = tuple(
        Suspect(
            places[i],
            str(names[codes[i]]),
            str(names[guesses[i]]),
            round(float(quality[i]), 4),
            round(float(chances[i, guesses[i]]), 4),
        )
        for i in order
    )
    return Suspects(found, len(places), len(names), round(float((guesses == codes).mean()), 4))


def out_of_fold(texts: Sequence[str], codes: Any, labels: int, features: Any, progress: Progress | None) -> Any:
    """Return the probability of each label for each row (rows x labels), by a model that has not seen the row."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.multiclass import OneVsRestClassifier

    chances = np.zeros((len(texts), labels))
    words = np.array(texts, dtype=object)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for done, (learn, held) in enumerate(folds.split(words, codes)):
        if progress:
            progress("judging labels", done, FOLDS)
        if features is not None:
            seen, asked = features[learn], features[held]
        else:
            tfidf = vectorizer(texts)
            seen, asked = tfidf.fit_transform(words[learn]), tfidf.transform(words[held])
        one = LogisticRegression(C=INVERSE_PENALTY, solver="liblinear", tol=1e-3, random_state=SEED)
        model = OneVsRestClassifier(one).fit(seen, codes[learn])
        given = model.predict_proba(asked)
        chances[np.ix_(held, model.classes_)] = given / np.maximum(given.sum(axis=1, keepdims=True), 1e-12)
    if progress:
        progress("judging labels", FOLDS, FOLDS)
    return chances


def vectorizer(texts: Sequence[str]) -> Any:
    """Return the TF-IDF of words and word pairs, or of characters where texts have no blanks; not fitted yet."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    from sluice.curate.similar.similarity import is_short, normalise

    some = [text for text in texts[:200] if text]
    without_blanks = sum(" " not in text.strip() and len(text) > 8 and is_short((normalise(text),)) for text in some)
    if some and without_blanks >= UNSPACED_SHARE * len(some):  # scripts that put no blanks between words
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, max_features=MOST_FEATURES)
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, max_features=MOST_FEATURES, token_pattern=r"(?u)\b\w+\b"
    )
