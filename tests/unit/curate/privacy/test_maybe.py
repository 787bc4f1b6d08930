"""The pattern that lets whole columns be passed over: what it does not match holds nothing."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.core.rows import Example
from sluice.curate.checks import CHECKS, CheckContext
from sluice.curate.checks.personal import BLOCK
from sluice.curate.privacy import KINDS, find_personal
from sluice.curate.privacy.scan import MAYBE

PIECES = [kind.example for kind in KINDS] + [
    *("password is hunterhunter", "api_key = abcdefghijklmnopqrstuvwxyzABCD", "ftp://me:secretword@host", "sk-proj-"),
    *("-----BEGIN RSA PRIVATE KEY-----", "AKIA", "ABCDEFGHIJKLMNOP", "ghp_", "a" * 36, "call me: ", "SG.", "xoxb-"),
    *("٣٤٥ ٦٧٨", "½", "²³", "eyJ", "b" * 9, ".", ":", "token=", "Passwort: "),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=6))
def test_where_it_does_not_match_nothing_is_found(pieces: list[str]):
    text = "".join(pieces)
    for part in (text, re.sub(r"[0-9@]", "", text), re.sub(r"[0-9@]", "x", text)):
        if not re.search(MAYBE, part):
            assert not find_personal(part), part


def test_every_kind_is_seen():
    assert all(re.search(MAYBE, kind.example) for kind in KINDS)


def test_the_labelled_texts_are_seen_as_they_were():
    file = Path(__file__).parents[3] / "data" / "personal-texts.tsv"
    for line in file.read_text(encoding="utf-8").splitlines():
        if find_personal(line):
            assert re.search(MAYBE, line)


def test_the_check_says_of_each_row_what_its_texts_hold_across_blocks():
    rows = [Example(input={"text": f"note {i}"}, target="x") for i in range(BLOCK + 3)]
    rows[1] = Example(input={"text": "Write to jane.doe@example.com"}, target="call +49 30 1234567 and nobody else")
    rows[BLOCK + 1] = Example(input={"phone": "none"}, target="AKIAIOSFODNN7EXAMPLE")
    beside = {rows[BLOCK + 2].row: {"mail": "jo@example.org", "more": "jo@example.org"}}
    found = CHECKS.get("personal").run(CheckContext(rows, metadata=beside))
    assert [finding.row for finding in found.rows] == [rows[i].row for i in (1, BLOCK + 1, BLOCK + 2)]
    assert found.rows[0].detail == "email j***@e***.com in text, phone ***67 in target"
    assert (found.figures["email"], found.figures["secret"], found.figures["rows_with_columns"]) == (3, 1, 1)
