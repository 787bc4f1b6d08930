"""People's choices between two answers (`label --mode compare`): what more people preferred is chosen.

Votes on one question and one pair of answers are put together, whichever side each stood on. The margin is the share
of the votes for less the share against; a tie counts as half for either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow
from sluice.core.wording import counted
from sluice.curate.labels.record import Judgement
from sluice.curate.pairs.candidate import Answer, Candidate, Gathered, Judged
from sluice.curate.pairs.material import Material
from sluice.curate.pairs.source import Asked, source

NAME = "choices"

LastWords = dict[tuple[str, str], dict[str, Judgement]]
"""(question, row) to the last word of each person."""


@source
class Choices:
    """Reads decisions of mode compare."""

    name = NAME
    takes = ""
    what = "what people preferred, side by side (sluice label NAME --mode compare)"

    def gather(self, material: Material, asked: Asked) -> Gathered:
        """Return one candidate for each pair of answers that people do not tie on.

        Raises InputError where nobody compared answers of the dataset, or the rows of all comparisons are gone.
        """
        found = Gathered()
        said = of_dataset(material, "compare", "compared")
        rows = rows_of(material, said, found)
        votes: dict[tuple[str, str, tuple[str, ...]], dict[str, Judgement]] = defaultdict(dict)
        for judgement in said:  # oldest first: a person's last word on just these two answers counts
            sides = judgement.shown.sides if judgement.shown else ()
            if judgement.row not in rows:
                continue
            if len(sides) != 2:
                found.aside["the answers that were compared are not on record"] += 1
                continue
            votes[judgement.question, judgement.input, tuple(sorted(sides))][judgement.by] = judgement
        for (_, _, sides), words in votes.items():
            self._settle(material, rows, sides, list(words.values()), found)
        return found

    def _settle(
        self, material: Material, rows: dict[str, AnyRow], sides: tuple[str, ...], words: list[Judgement], to: Gathered
    ) -> None:
        telling = [w for w in words if w.value is not None]
        if not telling:
            to.aside["nobody can tell"] += 1
            return
        row = rows[telling[-1].row]
        answers = {side: material.answer_at(side, row) for side in sides}
        if any(answer is None for answer in answers.values()):
            to.aside["an answer that was compared is gone"] += 1
            return
        texts = {side: answer for side, answer in answers.items() if answer is not None}
        bad = [w for w in telling if w.value == "both-bad"]
        if len(bad) * 2 > len(telling):
            to.aside["both answers are bad"] += 1
            by = tuple(w.by for w in bad)
            to.judged += [
                Judged(row.input_hash, row.input, answer, False, NAME, by, f"{', '.join(by)}: both answers are bad")
                for answer in texts.values()
            ]
            return
        support = {side: [w for w in telling if _preferred(w) == side] for side in sides}
        first, second = sorted(sides, key=lambda side: -len(support[side]))
        margin = (len(support[first]) - len(support[second])) / len(telling)
        if margin <= 0:
            to.aside["tie"] += 1
            return
        to.candidates.append(_candidate(row, texts[first], texts[second], margin, support[first], telling))


def _preferred(judgement: Judgement) -> str | None:
    place = {"a": 0, "b": 1}.get(str(judgement.value))
    return None if place is None or judgement.shown is None else judgement.shown.sides[place]


def _candidate(
    row: AnyRow, chosen: Answer, rejected: Answer, margin: float, pro: list[Judgement], telling: list[Judgement]
) -> Candidate:
    by = tuple(w.by for w in pro)
    places = {w.value for w in pro}
    reasons = [f"{w.by}: {w.reason or w.comment}" for w in pro if w.reason or w.comment]
    against = len(telling) - len(pro)
    why = f"{', '.join(by)} preferred {chosen.origin} to {rejected.origin}"
    why += f" ({against} of {counted(len(telling), 'vote')} did not)" if against else ""
    return Candidate(
        row.input_hash, row.input, chosen, rejected, margin, NAME, by,
        why + (f"; {'; '.join(reasons)}" if reasons else ""),
        first=None if len(places) > 1 else "chosen" if places == {"a"} else "rejected",
    )  # fmt: skip


def of_dataset(material: Material, mode: str, did: str) -> list[Judgement]:
    """Return the decisions of a mode about a dataset or its parts that were not undone, oldest first.

    Args:
        material: of the dataset.
        mode: of the decisions.
        did: what people did with answers in that mode, for the error.

    Raises InputError where there are none.
    """
    said = [
        judgement
        for judgement in material.log.judgements()
        if judgement.mode == mode and judgement.dataset.partition("/")[0] == material.name
    ]
    if not said:
        raise InputError(
            f"nobody has {did} answers of {material.name}",
            where="decisions",
            remedy=f"sluice label {material.name} --mode {mode}",
        )
    return said


def last_by_row(said: Sequence[Judgement], rows: Mapping[str, AnyRow], sort: type) -> LastWords:
    """Return each person's last word on each row that is there, by question and row; values of one type alone."""
    last: LastWords = defaultdict(dict)
    for judgement in said:  # oldest first
        if judgement.row in rows and isinstance(judgement.value, sort):
            last[judgement.question, judgement.row][judgement.by] = judgement
    return last


def rows_of(material: Material, said: Sequence[Judgement], to: Gathered) -> dict[str, AnyRow]:
    """Return the rows that decisions are about; those about rows that are nowhere are counted.

    Raises InputError where all of them are gone.
    """
    rows = material.judged_rows(list({judgement.row for judgement in said}))
    gone = [judgement for judgement in said if judgement.row not in rows]
    if len(gone) == len(said):
        raise InputError(
            f"the rows of all {counted(len(gone), 'decision')} are gone: no version of {material.name} that is here "
            f"holds them, for example {gone[0].row[:10]}",
            where="decisions",
            remedy=f"bring back the data that was labelled: sluice ls {material.name}",
        )
    if gone:
        to.aside["the row that was judged is gone"] += len(gone)
    return rows
