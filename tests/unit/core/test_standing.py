"""What holds now of facts that copies of a project wrote apart."""

from __future__ import annotations

from sluice.core.ledger import Fact, Facts
from sluice.core.standing import decided


def fact(name: str, kind: str, digest: str, *parents: str) -> Fact:
    return Fact(
        hash=name, project="p", kind=kind, body={"set": digest}, parents=parents, time="", account="ana", tool="t"
    )


def facts(*some: Fact) -> Facts:
    return Facts(facts=some, problems=(), written_back=(), uncommitted=None)


FIRST, ONE, OTHER = fact("0", "frozen", "old"), fact("1", "frozen", "one", "0"), fact("2", "frozen", "other", "0")


def word(*choices: Fact) -> tuple[str | None, int]:
    found, apart = decided(facts(FIRST, ONE, OTHER, *choices), [FIRST, ONE, OTHER])
    return (None if found is None else str(found.body["set"])), len(apart)


def test_a_choice_between_sets_counts_where_it_stands_on_all_of_them_and_nobody_chose_otherwise():
    assert word() == (None, 2)
    assert word(fact("3", "chosen", "other", "1", "2")) == ("other", 0)
    assert word(fact("3", "chosen", "other", "2")) == (None, 2)
    assert word(fact("3", "chosen", "old", "1", "2")) == (None, 2), "it is none of those that it chooses from"
    assert word(fact("3", "chosen", "one", "1", "2"), fact("4", "chosen", "other", "1", "2")) == (None, 2)
    assert word(fact("3", "chosen", "one", "1", "2"), fact("4", "chosen", "other", "3")) == ("other", 0)
    assert decided(facts(FIRST, ONE), [FIRST, ONE]) == (ONE, [])
