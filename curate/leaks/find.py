"""Leaks: where an eval row is repeated by other rows, or by the texts around them (prompts, schema, documents).

Exact evidence for each: which eval row, in which field, how, how much of it, and the words. The relation is the one of
`sluice.curate.similar.similarity`; equal inputs, near-equal ones, contained ones, rows of one group and rows that
became one another by a change are all found. It finds copies, not meaning: a paraphrase or a translation passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import dump_exact, structure_of
from sluice.core.progress import Progress
from sluice.core.rows import AnyRow
from sluice.curate.similar.clusters import Asked, Groups, Tie, histories, is_tiny, links
from sluice.curate.similar.join import Pairs, Side, each, related
from sluice.curate.similar.similarity import (
    Hashes,
    Prepared,
    Relation,
    Segments,
    Sort,
    ngrams_in_order,
    normalise,
    stretch,
)

BATCH = 20_000  # rows that are indexed together: bounds memory, changes no result
SPAN = 160  # characters of evidence shown

How = Literal["equal", "near-equal", "contained", "group"]
_ORDER: dict[str, int] = {"equal": 0, "near-equal": 1, "contained": 2, "group": 3}
_QUOTED = re.compile(r'"([^"\n]+)"|“([^”\n]+)”|`([^`\n]+)`|«([^»\n]+)»')


class Leak(BaseModel):
    """One eval row that another row or text repeats."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    """Hash of the row that repeats it; for a text, its name."""
    eval_row: str
    """Hash of the eval row."""
    how: How
    share: float
    """Jaccard (equal: 1), the share of the eval input's n-grams that were found, or 1 for a group."""
    field: str
    """Where: "input", a field or turn of the row, "groups" or "changes"; for a text, its name."""
    span: str
    """What was found there, normalised, at most 160 characters. For people, never for the ledger."""


def find_leaks(
    rows: Sequence[AnyRow],
    eval_rows: Sequence[AnyRow],
    relation: Relation,
    groups: Groups | None = None,
    eval_groups: Groups | None = None,
    edges: Iterable[tuple[str, str]] = (),
    progress: Progress | None = None,
) -> list[Leak]:
    """Return every leak from eval rows into rows: one for each pair of rows, the strongest way first.

    Args:
        rows: training or dev rows; all their fields are searched.
        eval_rows: rows whose inputs are looked for. The whole input counts; targets are not looked for.
        relation: with the boilerplate that was pinned with the eval set.
        groups: group values by row hash, of `rows` and (unless `eval_groups` is given) of `eval_rows`.
        eval_groups: group values of the eval rows, where they are pinned elsewhere.
        edges: (old, new) row hashes of changes; a row that became an eval row, or came from it, is a leak ("equal").
        progress: told how many rows were searched.

    Returns leaks in the order of `rows`, then of `eval_rows`.
    """
    found: dict[tuple[int, int], Leak] = {}

    def keep(number: int, eval_number: int, leak: Leak) -> None:
        best = found.get((number, eval_number))
        if best is None or _strength(leak) < _strength(best):
            found[number, eval_number] = leak

    for low in range(0, len(rows), BATCH):
        batch = rows[low : low + BATCH]
        best: dict[tuple[int, int], tuple[tuple[Any, ...], Tie]] = {}
        for tie in links(eval_rows, batch, relation):
            key = (tie.answers, tie.asks)
            rank = (not tie.near, -tie.share, tie.field != "input", tie.field)
            if key not in best or rank < best[key][0]:
                best[key] = (rank, tie)
        for (number, eval_number), (_, tie) in best.items():
            keep(low + number, eval_number, _leak(batch[number], eval_rows[eval_number], tie, relation))
        if progress is not None:
            progress("leaks", min(low + BATCH, len(rows)), len(rows))
    for number, eval_number, field, value in _by_hash(rows, eval_rows, groups or {}, eval_groups, edges):
        how: How = "group" if field == "groups" else "equal"
        keep(
            number,
            eval_number,
            Leak(
                row=rows[number].row,
                eval_row=eval_rows[eval_number].row,
                how=how,
                share=1.0,
                field=field,
                span=value[:SPAN],
            ),
        )
    return [found[key] for key in sorted(found)]


def _strength(leak: Leak) -> tuple[int, float]:
    return _ORDER[leak.how], -leak.share


def _leak(row: AnyRow, eval_row: AnyRow, tie: Tie, relation: Relation) -> Leak:
    how: How = "contained" if not tie.near else "equal" if tie.looked_for == tie.found else "near-equal"
    span = " ".join(tie.found) if tie.near else _span(tie.looked_for, tie.found[0], relation)
    return Leak(row=row.row, eval_row=eval_row.row, how=how, share=tie.share, field=tie.field, span=span[:SPAN])


def _span(wanted: Segments, field: str, relation: Relation) -> str:
    """Return the words of a field that hold a text."""
    both = relation.prepare([wanted, (field,)])
    sort: Sort = "char" if both.short.any() else "word"
    return stretch(both.left[sort].of(0), field, sort)[1]


def _by_hash(
    rows: Sequence[AnyRow],
    eval_rows: Sequence[AnyRow],
    groups: Groups,
    eval_groups: Groups | None,
    edges: Iterable[tuple[str, str]],
) -> Iterator[tuple[int, int, str, str]]:
    """Yield (row, eval row, "groups" or "changes", what they share) for ties that are no matter of texts."""
    history = histories(edges)
    of_group: dict[str, list[int]] = {}
    of_history: dict[int, list[int]] = {}
    pinned = groups if eval_groups is None else eval_groups
    for number, row in enumerate(eval_rows):
        for value in pinned.get(row.row, ()):
            of_group.setdefault(value, []).append(number)
        if row.row in history:
            of_history.setdefault(history[row.row], []).append(number)
    for number, row in enumerate(rows):
        for value in groups.get(row.row, ()):
            for eval_number in of_group.get(value, ()):
                yield number, eval_number, "groups", value
        for eval_number in of_history.get(history.get(row.row, -1), ()):
            yield number, eval_number, "changes", ""


def find_leaks_in_texts(named: Mapping[str, str], eval_rows: Sequence[AnyRow], relation: Relation) -> list[Leak]:
    """Return every eval row that stands in a text: prompt file, system text, schema, few-shot example, document.

    A text holds an eval row where it contains its input, or where a part of it (a line, what follows a colon or a list
    mark in it, something in quotes, a value of JSON) is equal or near-equal to the input. Parts under 3 words and 10
    characters do not count: "yes" stands in every prompt. An input that stands there in full (every n-gram) counts even
    where all of it is boilerplate, as in the examples of a system message that all rows share.

    Args:
        named: text by the name it is reported under, such as "prompts/strong.md".
        eval_rows: rows whose inputs are looked for.
        relation: with the boilerplate that was pinned with the eval set.

    Returns one leak for each text and eval row, the strongest way, in the order of `named`.
    """
    parts: list[tuple[str, Segments, bool]] = [
        (name, (part,), whole) for name, text in named.items() for part, whole in parts_of_text(text)
    ]
    holds = np.array([whole for _, _, whole in parts], dtype=bool)
    near = np.array([not is_tiny(text[0]) for _, text, _ in parts], dtype=bool)
    names = {name: place for place, name in enumerate(named)}
    best: dict[tuple[int, int], tuple[tuple[Any, ...], Leak]] = {}
    for used in (relation, Relation()) if relation.boilerplate.ngrams else (relation,):
        asked, answering = Asked(eval_rows, used), used.prepare([text for _, text, _ in parts])
        for pairs in related(Side(asked.texts), Side(answering, near, holds)):
            for i, j, is_near, share, span in _with_spans(pairs, asked.texts, answering):
                name, text, _ = parts[j]
                if used is not relation and share < 1:
                    continue
                how: How = "contained" if not is_near else "equal" if text == asked.texts.texts[i] else "near-equal"
                for number in asked.owners[i]:
                    leak = Leak(row=name, eval_row=eval_rows[number].row, how=how, share=share, field=name, span=span)
                    rank = (*_strength(leak), leak.span)
                    key = (names[name], number)
                    if key not in best or rank < best[key][0]:
                        best[key] = (rank, leak)
    return [best[key][1] for key in sorted(best)]


def _with_spans(pairs: Pairs, asked: Prepared, texts: Prepared) -> Iterator[tuple[int, int, bool, float, str]]:
    """Yield (left, right, near, share, the words that were found) of pairs with texts of one segment, text by text."""
    hashes: dict[Sort, Hashes] = {}
    last = -1
    for i, j, near, share in sorted(each(pairs), key=lambda pair: pair[1]):
        field = texts.texts[j][0]
        if near:
            yield i, j, near, share, field[:SPAN]
            continue
        sort: Sort = "char" if asked.short[i] or texts.short[j] else "word"
        if j != last:
            hashes, last = {}, j
        if sort not in hashes:  # those of a long document are made once
            hashes[sort] = ngrams_in_order(field, sort)
        yield i, j, near, share, stretch(asked.left[sort].of(i), field, sort, hashes[sort])[1][:SPAN]


def parts_of_text(text: str) -> list[tuple[str, bool]]:
    """Return (normalised text, whether it is the whole) of a text, and of its parts that may be a whole input each."""
    return [(normalise(text), True), *((part, False) for part in sorted(_parts(text)))]


def _parts(text: str) -> set[str]:
    found: set[str] = set(_json_texts(text))
    for line in text.splitlines():
        found.add(line)
        for place in (line.find(":"), line.find("=>"), line.find("->"), line.find("|")):
            if place >= 0:
                found.update((line[:place], line[place + 1 :].lstrip(">")))
        found.update(word for match in _QUOTED.findall(line) for word in match if word)
        found.update(_json_texts(line[line.find("{") :] if "{" in line else ""))
    found.update("".join(block.splitlines(keepends=True)) for block in re.split(r"\n\s*\n", text))
    return {part for raw in found if (part := normalise(raw)) and not is_tiny(part)}


def _json_texts(text: str) -> list[str]:
    """Return all texts within a JSON document, or none where it is not one."""
    texts: list[str] = []
    waiting: list[Any] = [structure_of(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            waiting += value.values()
            texts.append(dump_exact(value))
        elif isinstance(value, list):
            waiting += value
    return texts
