"""Who is asked about what: rows are dealt to people, so that each gets k different ones and everybody a fair share.

A deal is written down as its parameters (`record.Deal`), and dealt anew from them whenever a person sits down: the same
rows, people, seed and earlier words give the same deal. Rows that came to the dataset later follow after those that
were there. A new deal takes up what was decided before it: who decided a row keeps it, and that counts in the share.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sluice.core.canonical import sha256_hex
from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.log import Log
from sluice.curate.labels.record import Deal, new_id, now

DOMAIN = "sluice/deal/1"


def deal(
    subjects: Iterable[Sequence[str]],
    people: Sequence[str],
    overlap: int,
    seed: int = 0,
    decided: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, list[str]]:
    """Return the subjects of each person.

    Each subject goes to the people with the fewest so far, equals in the order of a draw: so no two people differ by
    more than one row, unless what was decided before makes them.

    Args:
        subjects: one batch after the other; within each the order means nothing.
        people: their names.
        overlap: how many people decide each subject.
        seed: of the draws.
        decided: by subject, who of them decided it before.

    Raises UsageError where there are fewer people than an overlap asks for, or one is named twice.
    """
    check_people(people, overlap)
    found: dict[str, list[str]] = {who: [] for who in people}
    before = decided or {}
    for batch in subjects:
        drawn = sorted(batch, key=lambda s: sha256_hex(DOMAIN, f"{seed} {s}"))
        for subject in drawn:  # what is decided is a share already
            for who in [who for who in before.get(subject, ()) if who in found][:overlap]:
                found[who].append(subject)
        for subject in drawn:
            have = [who for who in before.get(subject, ()) if who in found][:overlap]
            rest = [who for who in people if who not in have]
            rest.sort(key=lambda who: (len(found[who]), sha256_hex(DOMAIN, f"{seed} {subject} {who}")))
            for who in rest[: overlap - len(have)]:
                found[who].append(subject)
    return found


def check_people(people: Sequence[str], overlap: int) -> None:
    """Raise UsageError where rows cannot be dealt so."""
    twice = next((who for i, who in enumerate(people) if who in people[:i]), None)
    if twice is not None or not all(people):
        what = f"{twice} is named twice" if twice else "a name is empty"
        raise UsageError(what, where="--people", remedy="name each once: --people ana,ben")
    if not 1 <= overlap <= len(people):
        raise UsageError(
            f"{overlap} of {len(people)} people cannot decide each row",
            where="--overlap",
            remedy=f"a number from 1 to {len(people)}, or name more people",
        )


def keep_deal(
    log: Log,
    question: str,
    people: Sequence[str],
    *,
    overlap: int,
    seed: int,
    dataset: str,
    version: int,
    by: str,
) -> Deal:
    """Return a deal; the one that holds already where it is the same."""
    check_people(people, overlap)
    held = log.deal(question)
    asked = (tuple(people), overlap, seed, dataset)
    if held is not None and asked == (held.people, held.overlap, held.seed, held.dataset):
        return held
    return Deal(
        id=new_id(),
        time=now(),
        by=by,
        question=question,
        people=tuple(people),
        overlap=overlap,
        seed=seed,
        dataset=dataset,
        version=version,
    )


def dealt_to(by: str, held: Deal, log: Log, subjects: Sequence[str], then: Iterable[str]) -> list[str]:
    """Return the subjects that a deal gives to a person.

    Args:
        by: the person.
        held: the deal.
        log: all that was said; what was said before the deal counts in it.
        subjects: what could be asked about now.
        then: what could be asked about in the version that was dealt.

    Raises InputError for a person who is not in the deal.
    """
    if by not in held.people:
        raise InputError(
            f"the rows are dealt to {', '.join(held.people)}: {by} has none",
            where="--by",
            remedy=f"deal anew: --people {','.join((*held.people, by))} --overlap {held.overlap}",
        )
    decided: dict[str, list[str]] = defaultdict(list)
    earlier = Log(tuple(r for r in log.records if r.time < held.time))
    for _, subject, who in earlier.last_words(question=held.question):
        decided[subject].append(who)
    first = set(then)
    here = set(subjects)
    shares = deal([sorted(first), sorted(here - first)], held.people, held.overlap, held.seed, decided)
    return [s for s in shares[by] if s in here]
