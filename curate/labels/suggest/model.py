"""`--suggest model`: what a label model makes of rules and people together.

From three annotators on Dawid-Skene, or MACE where one of them only ever gives one label, as most rules do: of such a
one Dawid-Skene learns nothing, since it asks what is said and not whether anything is (seen: one rule alone on a row
left it at even odds). With fewer annotators the majority; `model:mace` names one. The words of other people are in it,
so that it is kept from a person until they have decided wherever several decide each row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.agreement.judgements import Judgement as Word
from sluice.curate.labels.suggest.rules import FOLDER, own_rules, rule_words
from sluice.curate.labels.suggest.source import SOURCES, Proposal, Proposals, Wanted


@SOURCES.register("model")
def of_model(wanted: Wanted) -> Proposals:
    """Return what the model holds likeliest of each subject that a rule or a person said something of.

    Raises UsageError for an unknown model, InputError where nothing was said, SurroundingsError without crowd-kit.
    """
    from sluice.curate.labels.models import combine, combine_sets
    from sluice.curate.labels.models.combine import FEWEST_PEOPLE, MODELS
    from sluice.curate.labels.models.crowd import available

    if wanted.of and wanted.of not in MODELS:
        raise UsageError(
            f"no label model is called '{wanted.of}'", where="--suggest", remedy=f"one of {', '.join(MODELS)}"
        )
    words = people_words(wanted)
    if own_rules(wanted.project.root, wanted.question.field):
        told = rule_words(wanted)
        words += [Word(s, f"rule {name}", value) for name, said in told.items() for s, value in said.items()]
    if not words:
        raise InputError(
            "neither a person nor a rule has said anything yet",
            where="--suggest model",
            remedy=f"label some rows first, or write a rule: {FOLDER}/NAME.py",
        )
    single = one_sided(words)
    enough = len({word.annotator for word in words}) >= FEWEST_PEOPLE and available()
    model = wanted.of or ("majority" if not enough else "mace" if single else "dawid-skene")
    cautions = (f"dawid-skene learns nothing of who only ever gives one label: {', '.join(single)}",)
    together = combine_sets if wanted.question.many else combine
    found = together(words, model=model, seed=wanted.seed, progress=wanted.progress)
    by = f"model:{model}"
    return Proposals(
        {one.item: Proposal(one.label, by) for one in found.items if not one.tie and one.item in wanted.items},
        {one.item: 1.0 - one.probability for one in found.items if one.item in wanted.items},
        (*found.cautions, *(cautions if single and model == "dawid-skene" else ())),
        of_people=True,
    )


def people_words(wanted: Wanted) -> list[Word]:
    """Return what people said of the question, in the terms of a label model; "cannot tell" is left out."""
    said = wanted.log.last_words(question=wanted.question.hash).values()
    return [Word(j.subject, j.by, j.meaning) for j in said if j.meaning is not None]


def one_sided(words: Sequence[Word]) -> list[str]:
    """Return the annotators who only ever gave one value, by name."""
    given: dict[str, set[object]] = defaultdict(set)
    for word in words:
        given[word.annotator].add(tuple(word.value) if isinstance(word.value, list | tuple) else word.value)
    return sorted(who for who, values in given.items() if len(values) == 1)
