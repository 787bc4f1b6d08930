"""Ratings of answers (`label --mode rate`): of two answers to one input, the one that people rated higher is chosen.

An answer's rating is the mean of people's last words on one question, put on a scale from 0 to 1; the margin is the
difference of two of them. Ratings of different questions are never held against each other.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

from sluice.curate.labels.items import answer_of
from sluice.curate.labels.question import STARS
from sluice.curate.labels.record import Judgement
from sluice.curate.pairs.candidate import Answer, Candidate, Gathered
from sluice.curate.pairs.choices import last_by_row, of_dataset, rows_of
from sluice.curate.pairs.material import Material
from sluice.curate.pairs.source import Asked, source

NAME = "ratings"


@source
class Ratings:
    """Reads decisions of mode rate."""

    name = NAME
    takes = ""
    what = "answers to one input that people rated apart (sluice label NAME --mode rate)"

    def gather(self, material: Material, asked: Asked) -> Gathered:
        """Return every two answers to one input that have different ratings.

        Raises InputError where nobody rated answers of the dataset, or all rated rows are gone.
        """
        found = Gathered()
        said = of_dataset(material, "rate", "rated")
        rows = rows_of(material, said, found)
        scales = {question.hash: question.scale or STARS for question in material.log.questions()}
        last = last_by_row(said, rows, int)
        rated: dict[tuple[str, str], list[tuple[Answer, float, dict[str, Judgement]]]] = defaultdict(list)
        for (question, row), words in last.items():
            text = answer_of(rows[row])
            if text is None:
                continue
            low, high = scales.get(question, STARS)
            mean = fmean(float(w.value) for w in words.values() if isinstance(w.value, int))
            answer = Answer(text, f"row {row[:10]}", score=(mean - low) / (high - low))
            rated[question, rows[row].input_hash].append((answer, mean, words))
        for (_, digest), answers in rated.items():
            content = next(rows[row].input for (_, row) in last if rows[row].input_hash == digest)
            if len(answers) < 2:
                found.aside["only one answer to the input was rated"] += 1
            for i, one in enumerate(answers):
                for other in answers[i + 1 :]:
                    if one[1] == other[1]:
                        found.aside["tie"] += 1
                        continue
                    better, worse = (one, other) if one[1] > other[1] else (other, one)
                    people = tuple(dict.fromkeys([*better[2], *worse[2]]))
                    why = f"{', '.join(people)} rated it {better[1]:g}, the other one {worse[1]:g}"
                    margin = (better[0].score or 0.0) - (worse[0].score or 0.0)
                    found.candidates.append(Candidate(digest, content, better[0], worse[0], margin, NAME, people, why))
        return found
