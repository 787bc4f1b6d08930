"""The target of a training row against a wrong answer that a model really gave to it.

Half on-policy: what is rejected is the model's own. A target that the model would never write itself teaches by its
style as much as by what it says, which the audit's tells and likelihoods in training show.
"""

from __future__ import annotations

from sluice.curate.labels.items import answer_of
from sluice.curate.labels.sides import TARGET
from sluice.curate.pairs.candidate import Answer, Candidate, Gathered
from sluice.curate.pairs.material import Material
from sluice.curate.pairs.samples import as_answer, whole_answers
from sluice.curate.pairs.source import Asked, source

NAME = "gold"


@source
class Gold:
    """Reads a stored run over training rows, and its scores."""

    name = NAME
    takes = "RUN"
    what = "the target against a wrong answer that a model gave (sluice eval MODEL --on NAME/train)"

    def gather(self, material: Material, asked: Asked) -> Gathered:
        """Return, for each row with a target, the target against every answer under the best score."""
        found = Gathered()
        scored = material.scored(asked.of)
        for answers in scored.answers.values():
            taken: set[str] = set()
            for answer, score in whole_answers(answers, found):
                row = material.rows.get(answer.row)
                target = None if row is None else answer_of(row)
                if row is None or not target:
                    found.aside["the row has no target"] += 1
                elif score >= 1.0 or answer.text == target:
                    found.aside["the model's answer is right"] += 1
                elif answer.text not in taken:
                    taken.add(answer.text)
                    found.candidates.append(
                        Candidate(
                            answer.input,
                            row.input,
                            Answer(target, TARGET, score=1.0),
                            as_answer(scored, answer, score),
                            1.0 - score,
                            NAME,
                            ("the target",),
                            f"it is the target; {scored.metric} scored the model's answer {score:.2f}",
                            run=scored.run.id,
                        )
                    )
        return found
