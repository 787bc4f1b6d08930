"""Rows dealt to people: k different ones each, fair shares, the same again, and earlier work kept."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError, UsageError
from sluice.curate.labels.assign import deal, dealt_to, keep_deal
from sluice.curate.labels.log import Log
from sluice.curate.labels.record import Judgement

PEOPLE = ("ana", "ben", "cem", "dan", "eve")


def rows(count: int, start: int = 0) -> list[str]:
    return [f"row {n}" for n in range(start, start + count)]


@given(st.integers(0, 60), st.integers(1, 5), st.data())
def test_each_row_goes_to_k_different_people_and_shares_differ_by_one_at_most(count, people, data):
    overlap = data.draw(st.integers(1, people))
    seed = data.draw(st.integers(0, 99))
    shares = deal([rows(count)], PEOPLE[:people], overlap, seed)
    times = Counter(row for share in shares.values() for row in share)
    assert all(times[row] == overlap for row in rows(count))
    assert all(len(set(share)) == len(share) for share in shares.values())
    sizes = [len(share) for share in shares.values()]
    assert max(sizes) - min(sizes) <= 1
    assert shares == deal([rows(count)[::-1]], PEOPLE[:people], overlap, seed)


def test_every_two_people_meet_and_another_seed_is_another_deal():
    shares = deal([rows(300)], PEOPLE, 2)
    meetings = [len(set(shares[a]) & set(shares[b])) for a, b in combinations(PEOPLE, 2)]
    assert min(meetings) >= 15, f"30 each on average: {meetings}"
    assert shares != deal([rows(300)], PEOPLE, 2, seed=1)


def said(by: str, subject: str, time: str) -> Judgement:
    return Judgement(
        id=f"{by}{subject}{time}",
        time=time,
        by=by,
        seconds=1,
        mode="classify",
        question="q",
        field="target",
        dataset="d",
        row=subject,
        input=subject,
        value="a",
    )


def test_a_person_keeps_their_rows_while_all_work_and_the_dataset_grows():
    held = keep_deal(Log(()), "q", PEOPLE[:3], overlap=2, seed=0, dataset="d", version=1, by="ana")
    log = Log((held,))
    before = {who: dealt_to(who, held, log, rows(40), rows(40)) for who in held.people}
    later = Log((held, *(said("ana", row, "9999") for row in before["ana"][:9]), said("dan", "row 3", "9999")))
    for who in held.people:
        assert dealt_to(who, held, later, rows(40), rows(40)) == before[who]
        grown = dealt_to(who, held, later, rows(50), rows(40))
        assert set(before[who]) <= set(grown)
    assert later.deal("q") == held
    again = keep_deal(later, "q", PEOPLE[:3], overlap=2, seed=0, dataset="d", version=2, by="ben")
    assert again == held, "the same wish is the same deal"


def test_a_new_deal_leaves_what_was_decided_with_who_decided_it():
    earlier = [said("ana", row, "0001") for row in rows(12)]
    held = keep_deal(Log(tuple(earlier)), "q", ("ana", "ben"), overlap=1, seed=0, dataset="d", version=1, by="x")
    log = Log((*earlier, held))
    mine = dealt_to("ana", held, log, rows(30), rows(30))
    assert set(rows(12)) <= set(mine)
    assert len(mine) == 15, "they count in the share"


def test_what_cannot_be_dealt_is_refused():
    for people, overlap in ((("ana", "ana"), 1), (("ana", "ben"), 3), (("ana",), 0), (("ana", ""), 1)):
        with pytest.raises(UsageError):
            deal([rows(3)], people, overlap)
    held = keep_deal(Log(()), "q", ("ana", "ben"), overlap=1, seed=0, dataset="d", version=1, by="ana")
    with pytest.raises(InputError, match="cem has none") as problem:
        dealt_to("cem", held, Log((held,)), rows(3), rows(3))
    assert "ana,ben,cem" in (problem.value.remedy or "")
