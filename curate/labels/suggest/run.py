"""`--suggest run:ID`: what a model answered in a stored run, read at the field that is asked about.

Of repeated answers to an input the most frequent one is proposed, and how divided they are says how unsure the model is
(self-consistency, Wang et al. 2022, arXiv 2203.11171). An answer that is none to the question proposes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from sluice.core.errors import InputError, UsageError
from sluice.core.project import Project
from sluice.core.runs import Run, StoredAnswer, all_runs
from sluice.core.wording import counted
from sluice.curate.labels.items import field_value
from sluice.curate.labels.question import Question
from sluice.curate.labels.record import OF_INPUT, Value
from sluice.curate.labels.suggest.source import SOURCES, Proposal, Proposals, Wanted, checked

SHORTEST = 6
"""Characters that a run is named by, at least, where it is not its whole id."""


@SOURCES.register("run")
def of_run(wanted: Wanted) -> Proposals:
    """Return what the run's answers propose.

    Raises InputError where it has none to these rows, Tampered where they are not those that were sealed.
    """
    run = find_run_by_id(wanted.project, wanted.of)
    run.check()
    answered: dict[str, list[StoredAnswer]] = defaultdict(list)
    for answer in run.answers().values():
        answered[answer.input].append(answer)
    found: dict[str, Proposal] = {}
    doubts: dict[str, float] = {}
    met = odd = 0
    for subject, item in wanted.items.items():
        values = [read_answer(wanted.question, answer) for answer in answered.get(item.input, ())]
        told = Counter(value for value in values if value is not None)
        met += bool(values)
        odd += bool(values) and not told
        if not told:
            continue
        (first, most), *others = told.most_common(2)
        found[subject] = Proposal(first, f"run:{run.id}")
        if len(values) > 1:
            doubts[subject] = 1.0 - (most - (others[0][1] if others else 0)) / len(values)
    if not met:
        which = "inputs" if wanted.question.mode in OF_INPUT else "rows"
        raise InputError(
            f"the run answered none of these {which}",
            where=run.id,
            remedy=f"sluice eval MODEL --on {next(iter(wanted.items.values())).dataset}" if wanted.items else "",
        )
    cautions = (f"{counted(odd, 'answer')} of {run.id} say nothing that could be said here",) if odd else ()
    return Proposals(found, doubts or None, cautions)


def read_answer(question: Question, answer: StoredAnswer) -> Value:
    """Return what a stored answer says at the question's field; None where that is no answer to it."""
    if answer.error is not None or answer.cut:
        return None
    said: object = field_value(answer.text.strip(), question.field)
    if question.many and isinstance(said, str):
        said = [part.strip() for part in said.split(",")]
    try:
        return checked(question, said)
    except InputError:
        return None


def find_run_by_id(project: Project, word: str) -> Run:
    """Return the run of an id, or of its beginning.

    Raises UsageError where none is given, InputError where none, or more than one, is meant.
    """
    runs = all_runs(project)
    some = ", ".join(run.id for run in runs[-5:])
    if not word:
        raise UsageError("which run?", where="--suggest", remedy=f"--suggest run:ID; here: {some or 'none'}")
    found = [run for run in runs if run.id == word]
    found = found or [run for run in runs if len(word) >= SHORTEST and run.id.startswith(word)]
    if len(found) != 1:
        what = f"no run is called '{word}'" if not found else f"{len(found)} runs begin with '{word}'"
        raise InputError(what, where="--suggest", remedy=f"runs here: {some or 'none'}")
    return found[0]
