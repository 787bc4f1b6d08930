"""Corrections (`label --mode correct`): the edited answer is chosen, the one that was edited rejected.

Who edits an answer says that it was not good enough; by how much nobody says, so the margin is 1. Where another person
left the same answer as it was, people disagree, and there is no pair.
"""

from __future__ import annotations

from collections import defaultdict

from sluice.curate.labels.items import answer_of, field_value, with_field
from sluice.curate.labels.record import Judgement
from sluice.curate.pairs.candidate import Answer, Candidate, Gathered
from sluice.curate.pairs.choices import last_by_row, of_dataset, rows_of
from sluice.curate.pairs.material import Material
from sluice.curate.pairs.source import Asked, source

NAME = "corrections"


@source
class Corrections:
    """Reads decisions of mode correct."""

    name = NAME
    takes = ""
    what = "answers that people edited, against what they were (sluice label NAME --mode correct)"

    def gather(self, material: Material, asked: Asked) -> Gathered:
        """Return one candidate for each edit.

        Raises InputError where nobody corrected answers of the dataset, or all corrected rows are gone.
        """
        found = Gathered()
        said = of_dataset(material, "correct", "corrected")
        rows = rows_of(material, said, found)
        last = last_by_row(said, rows, str)
        for (_, digest), words in last.items():
            row = rows[digest]
            before = answer_of(row)
            if before is None:
                continue
            edits: dict[str, list[str]] = defaultdict(list)
            left: list[str] = []
            for by, word in words.items():
                after = _edited(before, word)
                (left if after == before else edits[after]).append(by)
            if left:
                found.aside["people disagree whether to edit" if edits else "left as it was"] += 1
                continue
            for after, people in edits.items():
                found.candidates.append(
                    Candidate(
                        row.input_hash,
                        row.input,
                        Answer(after, "edited"),
                        Answer(before, f"row {digest[:10]}"),
                        1.0,
                        NAME,
                        tuple(people),
                        f"{', '.join(people)} corrected it",
                    )
                )
        return found


def _edited(before: str, word: Judgement) -> str:
    if word.field == "target":
        return str(word.value)
    if field_value(before, word.field) == word.value:
        return before
    return with_field(before, word.field, str(word.value))
