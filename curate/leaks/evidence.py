"""The evidence of `decontaminate`: dropped rows beside what they repeat, what each eval row cost, and what is odd."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sluice.core.rows import AnyRow, from_record, input_texts, to_record
from sluice.core.wording import counted
from sluice.curate.drops import ShownRow, one_line, shown_row
from sluice.curate.leaks.against import Reference
from sluice.curate.leaks.find import Leak
from sluice.curate.leaks.repeats import Repeat, Repeats, answers_of
from sluice.curate.leaks.result import (
    TOO_MANY,
    Asked,
    DecontaminateResult,
    LeakShown,
    LostTo,
    Neighbour,
    Sides,
    TextLeak,
)
from sluice.curate.similar.row_texts import ANSWERS
from sluice.curate.similar.shared_words import shared_words
from sluice.curate.similar.similarity import CONTAINED_TENTHS, is_short, ngrams, normalise

if TYPE_CHECKING:
    import polars as pl

FIRST = 5
WARNED = 3
"""Eval rows that cost too much, by name; the rest are counted."""
TEXT = 2_000
"""Characters of a text that evidence shows."""


def result_of(
    dataset: str,
    version: int,
    held: Sequence[Reference],
    frame: pl.DataFrame,
    goes: pl.DataFrame,
    repeats: Repeats,
    in_texts: Sequence[Leak],
    texts_read: tuple[str, ...],
    nearest: Sequence[Neighbour],
    asked: Asked,
    *,
    changed: bool,
    dry_run: bool,
) -> DecontaminateResult:
    """Return the record of a decontamination from what it found.

    Args:
        dataset, version: what it is now.
        held: what the rows were held against.
        frame, goes: all rows, and those of them that go.
        repeats: which rows repeat which.
        in_texts, texts_read: eval rows in texts of the project, and which texts were read.
        nearest, asked: see `DecontaminateResult`.
    """
    eval_rows: dict[str, AnyRow] = {}
    for one in held:
        for row in one.rows:
            eval_rows.setdefault(row.row, row)
    documents = {one.name: one.document for one in held if one.document is not None}
    counts: dict[str, int] = {}
    for repeat in repeats.strongest:
        counts[repeat.how] = counts.get(repeat.how, 0) + 1
    records = {record["row"]: record for record in goes.iter_rows(named=True)}
    sides = {r.row: _sides(r, records[r.row], eval_rows.get(r.eval_row)) for r in repeats.strongest}
    lost = _lost(repeats, eval_rows, documents, frame.height)
    return DecontaminateResult(
        dataset=dataset,
        version=version,
        changed=changed,
        rows_in=frame.height,
        rows=frame.height - goes.height,
        dropped=goes.height,
        counts=counts,
        sides=Sides(
            question=sum(q and not a for q, a in sides.values()),
            answer=sum(a and not q for q, a in sides.values()),
            both=sum(q and a for q, a in sides.values()),
            neither=sum(not q and not a for q, a in sides.values()),
        ),
        against=tuple(one.name for one in held),
        eval_rows=len(eval_rows),
        asked=asked,
        lost=lost,
        warnings=_warnings(lost, asked, len(eval_rows)),
        first_dropped=tuple(
            _shown(r, records[r.row], eval_rows, documents, sides[r.row]) for r in _first_of_each(repeats.strongest)
        ),
        texts=tuple(TextLeak(text=x.row, eval_row=x.eval_row, how=x.how, span=x.span) for x in in_texts),
        texts_read=texts_read,
        nearest=tuple(nearest),
        dry_run=dry_run,
    )


def _first_of_each(repeats: Sequence[Repeat]) -> list[Repeat]:
    """Return the first repeats, one of each way before a second of any."""
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int]] = []
    for number, repeat in enumerate(repeats):
        seen[repeat.how] = seen.get(repeat.how, 0) + 1
        ranked.append((seen[repeat.how], number))
    return [repeats[number] for _, number in sorted(ranked)[:FIRST]]


def _lost(
    repeats: Repeats, eval_rows: Mapping[str, AnyRow], documents: Mapping[str, str], total: int
) -> tuple[LostTo, ...]:
    found = [
        LostTo(
            eval_row=_eval_shown(name, eval_rows, documents),
            where=where or None,
            rows=number,
            share=number / total,
            too_many=number > 1 and number > TOO_MANY * total,
        )
        for (where, name), number in repeats.lost.items()
    ]
    return tuple(sorted(found, key=lambda x: (-x.rows, x.where or "", x.eval_row.row)))


def _eval_shown(name: str, eval_rows: Mapping[str, AnyRow], documents: Mapping[str, str]) -> ShownRow:
    if name in eval_rows:
        return shown_row(to_record(eval_rows[name]))
    return ShownRow(row=name, input={"text": documents[name][:TEXT]})


def _sides(repeat: Repeat, record: dict[str, Any], eval_row: AnyRow | None) -> tuple[bool, bool]:
    """Return whether the input and whether the answer of an eval row were found in a row."""
    question = repeat.how != "group" and repeat.part == "question" and repeat.field != "changes"
    if repeat.part == "answer" or eval_row is None:
        return question, repeat.part == "answer"
    wanted = [normalise(text) for text in answers_of(eval_row)]
    there = [normalise(record[name]) for name in ANSWERS if record[name]]
    return question, any(w and any(w == t or _holds(t, w) for t in there) for w in wanted)


def _holds(text: str, wanted: str) -> bool:
    """Return whether a normalised text holds 80% of a long one's n-grams."""
    if is_short((wanted,)) or len(text) < len(wanted) // 2:
        return False
    grams = ngrams(wanted, "word")
    return 10 * len(grams & ngrams(text, "word")) >= CONTAINED_TENTHS * len(grams)


def _shown(
    repeat: Repeat,
    record: dict[str, Any],
    eval_rows: Mapping[str, AnyRow],
    documents: Mapping[str, str],
    sides: tuple[bool, bool],
) -> LeakShown:
    row = from_record(record)
    whole = " ".join(input_texts(row.input).values())
    eval_row = eval_rows.get(repeat.eval_row)
    if eval_row is None:
        eval_text = repeat.span
    elif repeat.part == "answer":
        eval_text = " ".join(answers_of(eval_row))
    else:
        eval_text = " ".join(input_texts(eval_row.input).values())
    row_text, eval_text = _about(row.texts().get(repeat.field, whole), repeat.span), eval_text[:TEXT]
    eval_shared, row_shared = shared_words(eval_text, row_text)
    return LeakShown(
        row=shown_row(record),
        eval_row=_eval_shown(repeat.eval_row, eval_rows, documents),
        where=repeat.where,
        how=repeat.how,
        share=repeat.share,
        field=repeat.field,
        span=repeat.span,
        row_text=row_text,
        eval_text=eval_text,
        row_shared=row_shared,
        eval_shared=eval_shared,
        question=sides[0],
        answer=sides[1],
    )


def _about(text: str, span: str) -> str:
    """Return a text, or where it is long the part around the first words of a span."""
    if len(text) <= TEXT:
        return text
    first = re.compile(r"\W+".join(map(re.escape, span.split()[:3])), re.IGNORECASE).search(text)
    low = max(0, (first.start() if first else 0) - TEXT // 4)
    return text[low : low + TEXT]


def _warnings(lost: Sequence[LostTo], asked: Asked, eval_rows: int) -> tuple[str, ...]:
    dear = [one for one in lost if one.too_many]
    found = [
        f"{one.where or one.eval_row.row[:10]} takes {counted(one.rows, 'row')}, {one.share:.1%} of all: a common "
        f'phrase, or a topic? "{one_line(one.eval_row.input, 60)}"'
        for one in dear[:WARNED]
    ]
    if len(dear) > WARNED:
        found.append(f"so do {len(dear) - WARNED:,} more eval rows, each over {TOO_MANY:.0%}: they look like a topic")
    if asked.common_ngrams:
        some = counted(asked.common_ngrams, f"{asked.ngrams}-gram")
        found.append(f"{some} of eval rows that more than 10 rows hold: common phrases, passed over")
    if asked.too_short_for_ngrams:
        some = counted(asked.too_short_for_ngrams, "eval row has", "eval rows have")
        found.append(f"{some} no text of {asked.ngrams} words: looked for by the relation only, not by n-grams")
    if asked.answers_too_short:
        some = counted(asked.answers_too_short, "answer is", "answers are")
        found.append(f"{some} too short to be a leak by itself (under 8 words, 40 characters)")
    if asked.answers_shared:
        found.append(f"{counted(asked.answers_shared, 'answer')} of several eval rows, or JSON: labels, not looked for")
    return tuple(found)
