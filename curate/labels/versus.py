"""Two answers to one input, side by side: of two stored runs, of a run and the target, or a pair that a row holds.

Which side an answer stands on is drawn for each input, the same for all people, so that their words can be put
together; the draw follows from the question and the input alone, and nobody sees where an answer came from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import sha256_hex
from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.core.rows import AnyRow, Example, Preference, input_texts
from sluice.core.runs import Run, all_runs
from sluice.curate.dataset import Version
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import Judgement
from sluice.curate.labels.session import Answer, Item
from sluice.curate.labels.sides import PAIR, TARGET, side_of_run


@dataclass(frozen=True)
class Side:
    """Where answers come from, and those that there are, by row hash."""

    source: str
    answers: Mapping[str, str]


def open_side(version: Version, word: str) -> Side:
    """Return the answers that a word means: `target`, the id of a run, or the label of an adapter or prompt.

    Of several runs with that label the one that answers most rows of the version counts, then the newest.

    Raises InputError where there is none, Tampered where its answers are not those that were sealed.
    """
    rows = version.rows()
    if word == TARGET:
        return Side(TARGET, {r.row: r.target for r in rows if isinstance(r, Example) and r.target is not None})
    here = {row.row for row in rows}
    named = [run for run in all_runs(version.project) if run.closed and word in (run.id, run.spec.label)]
    found = [(run, kept) for run in named if (kept := _answers(run, here))]
    if not found:
        raise InputError(
            f"no finished run called '{word}' answers rows of {version.ref}",
            where="--answers",
            remedy=_known(version.project, here),
        )
    best, answers = max(found, key=lambda f: (len(f[1]), (f[0].folder / "closed.json").stat().st_mtime_ns))
    best.check()
    return Side(side_of_run(best.id), answers)


def between(first: Side, second: Side) -> tuple[str, ...]:
    """Return what is compared, as the question holds it. Raises UsageError where both sides are one and the same."""
    if first.source == second.source:
        raise UsageError(f"{first.source} would be compared with itself", where="--against", remedy="name another one")
    return tuple(sorted((first.source, second.source)))


def versus_items(version: Version, question: Question, first: Side, second: Side) -> list[Item]:
    """Return the inputs that both sides answer, and differently, each once, with the answers on drawn sides.

    Raises InputError where there are none.
    """
    pairs = [
        (row, Answer(first.answers[row.row], first.source), Answer(second.answers[row.row], second.source))
        for row in version.rows()
        if row.row in first.answers and row.row in second.answers
    ]
    return _items(version, question, pairs)


def pair_items(version: Version, question: Question) -> list[Item]:
    """Return the pairs that the rows of a preference dataset hold, to be judged anew.

    Raises InputError where no row holds a pair.
    """
    pairs = [
        (row, Answer(row.chosen, PAIR[0]), Answer(row.rejected, PAIR[1]))
        for row in version.rows()
        if isinstance(row, Preference)
    ]
    if not pairs:
        raise InputError(
            "its rows hold no pairs of answers", where=version.ref, remedy="--answers RUN --against RUN, or target"
        )
    return _items(version, question, pairs)


def _items(version: Version, question: Question, pairs: Sequence[tuple[AnyRow, Answer, Answer]]) -> list[Item]:
    found: dict[str, Item] = {}
    for row, one, other in pairs:
        if one.text.strip() == other.text.strip():
            continue
        ordered = sorted((one, other), key=lambda a: a.source)
        swapped = int(sha256_hex("sluice/sides/1", f"{question.hash} {row.input_hash}")[0], 16) % 2
        item = Item(
            dataset=version.dataset,
            row=row.row,
            input=row.input_hash,
            texts=tuple(input_texts(row.input).items()),
            answers=tuple(ordered[::-1] if swapped else ordered),
        )
        found.setdefault(row.input_hash, item)
    if not found:
        why = "both give the same answers" if pairs else "they answer no row in common"
        raise InputError(f"there is nothing to compare: {why}", where=version.ref, remedy="name two other runs")
    return list(found.values())


class Tally(BaseModel):
    """What a person preferred, by where it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    better: dict[str, int]
    """How often each source was the better one."""
    tie: int
    both_bad: int
    cannot_tell: int
    first_side: int
    """How often the answer on the first side was preferred: of all preferences about half, or sides sway the person."""


def tally(words: Sequence[Judgement]) -> Tally:
    """Return what was preferred in comparisons, sides undone."""
    better: Counter[str] = Counter()
    for word in words:
        sides = word.shown.sides if word.shown else ()
        if word.value in ("a", "b") and len(sides) == 2:
            better.update({sides["ab".index(str(word.value))]: 1, sides["ba".index(str(word.value))]: 0})
    return Tally(
        better=dict(sorted(better.items())),
        tie=sum(w.value == "tie" for w in words),
        both_bad=sum(w.value == "both-bad" for w in words),
        cannot_tell=sum(w.value is None for w in words),
        first_side=sum(w.value == "a" for w in words),
    )


def _answers(run: Run, rows: set[str]) -> dict[str, str]:
    stored = run.answers()
    return {row: a.text for (row, repeat), a in stored.items() if repeat == 0 and row in rows and a.error is None}


def _known(project: Project, rows: set[str]) -> str:
    labels = sorted({run.spec.label for run in all_runs(project) if run.closed and _answers(run, rows)})
    return f"one of: {', '.join([*labels, TARGET])}" if labels else "measure one on these rows first: sluice eval"
