"""Answers that a model gave to training rows, as the task's grader scored them: the best against worse ones.

On-policy pairs: both answers are the model's own, so that what is learnt is which of the things it does say to say
(Tajwar et al. 2024, arXiv 2404.14367: on-policy data matters most where the best answer is unlikely). An answer that
was cut is never in a pair: that it has no end would tell it apart, whatever it says.
"""

from __future__ import annotations

from sluice.core.canonical import sha256_hex
from sluice.core.runs import StoredAnswer
from sluice.curate.labels.sides import side_of_run
from sluice.curate.pairs.candidate import Answer, Candidate, Gathered
from sluice.curate.pairs.material import Material, Scored
from sluice.curate.pairs.source import Asked, source

NAME = "samples"
FEW = "fewer than two different answers"


@source
class Samples:
    """Reads a stored run over training rows, and its scores."""

    name = NAME
    takes = "RUN"
    what = "several answers of a model to each training row, the best against worse (sluice eval --samples)"

    def gather(self, material: Material, asked: Asked) -> Gathered:
        """Return, for each input, its best answer against each that scored worse. Raises as `Material.scored`."""
        found = Gathered()
        scored = material.scored(asked.of)
        for digest, answers in scored.answers.items():
            whole = whole_answers(answers, found)
            if len({answer.text for answer, _ in whole}) < 2:
                found.aside[FEW] += 1
                continue
            top = max(score for _, score in whole)
            best = min((a for a, score in whole if score == top), key=lambda a: drawn(asked.seed, a.text, digest))
            worse = {a.text: (a, score) for a, score in reversed(whole) if score < top}
            if not worse:
                found.aside["tie"] += 1
                continue
            content = material.content_of(digest)
            if content is None:
                continue
            for answer, score in sorted(worse.values(), key=lambda pair: pair[0].repeat):
                found.candidates.append(
                    Candidate(
                        digest,
                        content,
                        as_answer(scored, best, top),
                        as_answer(scored, answer, score),
                        top - score,
                        NAME,
                        (scored.metric,),
                        f"{scored.metric} scored it {top:.2f}, the other one {score:.2f}",
                        run=scored.run.id,
                    )
                )
        return found


def whole_answers(answers: list[tuple[StoredAnswer, float]], to: Gathered) -> list[tuple[StoredAnswer, float]]:
    """Return the answers that ended by themselves; the others are counted."""
    whole = [(answer, score) for answer, score in answers if answer.stop == "end"]
    if len(answers) > len(whole):
        to.aside["the answer was cut or failed"] += len(answers) - len(whole)
    return whole


def as_answer(scored: Scored, answer: StoredAnswer, score: float) -> Answer:
    """Return a stored answer as one of a pair."""
    return Answer(answer.text, side_of_run(scored.run.id, answer.repeat), scored.model, score)


def drawn(seed: int, *texts: str) -> str:
    """Return what to sort by for an order that is drawn at random, the same each time."""
    return sha256_hex("sluice/pairs/1", "\n".join((str(seed), *texts)))
