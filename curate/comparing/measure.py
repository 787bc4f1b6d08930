"""Measure rows: their lengths, labels, languages, sources and groups, as `comparing.distributions` compares them.

Labels are the task's (`stratify`), else the answer itself or the fields of an answer in JSON, where they take few
values. Languages are guessed on a sample of the longer texts, offline; where a check knows them for all rows, its
figures are taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sluice.core.canonical import dump_exact, structure_of
from sluice.core.rows import AnyRow, input_texts
from sluice.curate.checks.balance import few_values, label_values
from sluice.curate.checks.base import answers, wanted_answer
from sluice.curate.checks.columns import Columns
from sluice.curate.checks.language import row_languages
from sluice.curate.comparing.distributions import Categories, Lengths

TextTokens = Callable[[Sequence[str]], Sequence[int]]
"""Texts to how many tokens each has, without a template around it."""
Distribution = Lengths | Categories

LANGUAGE_ROWS = 2_000
"""Rows whose language is told: under a second, and a share of 5% is then known to within 1.3% (95%)."""
MOST_FIELDS = 4
JSON_SHARE = 0.9
"""Of the answers that have to be JSON objects for their fields to count as labels."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORDS = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[\w'’])+")


def word_count(text: str) -> int:
    """Return the words of a text: runs of letters and digits; in scripts without spaces each character is one."""
    return len(_WORDS.findall(text))


def measure(
    rows: Sequence[AnyRow],
    *,
    labelled: Sequence[str] | None = None,
    metadata: Mapping[str, Mapping[str, Any]] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    sources: Mapping[str, str] | None = None,
    languages: Mapping[str, int] | None = None,
    text_tokens: TextTokens | None = None,
) -> tuple[Distribution, ...]:
    """Measure all that there is to be measured.

    Args:
        rows: to be measured.
        labelled: paths of labels, such as `target.category`; None: those that `label_paths` finds.
        metadata: the columns beside a row, by row hash, for a label that is one of them.
        groups: group values by row hash.
        sources: the file that a row was first seen in, by row hash.
        languages: rows by language, where a check has found them.
        text_tokens: the tokens of texts; without it lengths are in words.
    """
    found: list[Distribution] = [Categories.of("kinds", "kind of row", (row.kind for row in rows))]
    found += lengths(rows, text_tokens)
    found += labels(rows, label_paths(rows) if labelled is None else labelled, metadata or {})
    if languages:
        ordered = sorted(languages.items(), key=lambda item: (-item[1], item[0]))
        found.append(Categories(name="languages", what="language", counts=dict(ordered)))
    elif (guessed := guess_languages(rows)) is not None:
        found.append(guessed)
    if sources:
        found.append(Categories.of("sources", "source", (sources.get(row.row) for row in rows)))
    if groups and any(groups.get(row.row) for row in rows):
        values = (", ".join(sorted(groups.get(row.row, ()))) or None for row in rows)
        found.append(Categories.of("groups", "group", values))
    return tuple(d for d in found if d.total)


def lengths(rows: Sequence[AnyRow], text_tokens: TextTokens | None = None) -> list[Lengths]:
    """Return how long inputs and answers are; of several answers (chosen, rejected) the one that is taught."""
    inputs = ["\n".join(input_texts(row.input).values()) for row in rows]
    given = [text for row in rows if (text := wanted_answer(row) or next(iter(answers(row).values()), None))]
    if text_tokens is not None:
        sides = [("input", text_tokens(inputs)), ("answer", text_tokens(given))]
        return [Lengths.of(name, "tokens", values) for name, values in sides]
    return [
        Lengths.of("input", "words", map(word_count, inputs)),
        Lengths.of("answer", "words", map(word_count, given)),
    ]


def label_paths(rows: Sequence[AnyRow], stratify: str | None = None) -> tuple[str, ...]:
    """Return where the labels are: the task's path; else `target`, or fields of a JSON answer, that take few values."""
    if stratify:
        return (stratify,)
    targets = [wanted_answer(row) for row in rows]
    if few_values(targets):
        return ("target",)
    held = _objects(targets)
    given = [value for value in held if value is not None]
    if not given or len(given) < JSON_SHARE * sum(target is not None for target in targets):
        return ()
    found: list[str] = []
    for name in dict.fromkeys(name for value in given[:100] for name in value):
        values = [_label(value[name]) for value in given if name in value]
        if few_values(values) and len(set(values)) > 1 and "." not in name:
            found.append(f"target.{name}")
    return tuple(found[:MOST_FIELDS])


def labels(rows: Sequence[AnyRow], paths: Sequence[str], metadata: Mapping[str, Mapping[str, Any]]) -> list[Categories]:
    """Return the rows by label, one distribution a path."""
    if len(paths) < 2:
        return [Categories.of("labels", f"label ({path})", label_values(rows, path, metadata)) for path in paths]
    held = _objects([wanted_answer(row) for row in rows])  # parsed once, not once a path
    found: list[Categories] = []
    for path in paths:
        name = path.removeprefix("target.")
        values = (_label(value[name]) if value is not None and name in value else None for value in held)
        found.append(Categories.of(f"labels {name}", f"label ({path})", values))
    return found


def _objects(targets: Sequence[str | None]) -> list[dict[str, Any] | None]:
    return [None if target is None else _object(target) for target in targets]


def _object(text: str) -> dict[str, Any] | None:
    value = structure_of(text)
    return value if isinstance(value, dict) else None


def _label(value: Any) -> str | None:
    return value if isinstance(value, str) else dump_exact(value)


def guess_languages(rows: Sequence[AnyRow]) -> Categories | None:
    """Return the languages of a sample of rows, told as the check `language` does; None where none is certain.

    The sample is every n-th row in order of their hashes, so that it is always the same.
    """
    ordered = sorted(rows, key=lambda row: row.row)
    sample = ordered[:: max(1, len(ordered) // LANGUAGE_ROWS)]
    found = row_languages(Columns.of(sample).frame).rows
    note = f"told by py3langid on {len(sample):,} of {len(rows):,} rows, where it is certain"
    guessed = Categories.of("languages", "language", found, note)
    return guessed if guessed.total else None
