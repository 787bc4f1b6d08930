"""Patterns of personal data: what they find, what they must leave alone, and that nothing found is shown whole."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.curate.privacy import find_personal, mask_personal
from sluice.curate.privacy.checksums import iban_holds, luhn

FOUND = [
    ("email", "jane.doe@example.com", "Write to jane.doe@example.com, please."),
    ("email", "o'hara+shop@mail.co.uk", "<o'hara+shop@mail.co.uk>"),
    ("email", "jürgen@müller.de", "Von: jürgen@müller.de."),
    ("email", "jane@doe.com", "she wrote 'jane@doe.com' in quotes"),
    ("email", "a@b.io", "mailto:a@b.io?subject=x"),
    ("email", "USER_99@SUB.DOMAIN.ORG", "(USER_99@SUB.DOMAIN.ORG)"),
    ("phone", "+49 30 1234567", "Tel. +49 30 1234567"),
    ("phone", "+1 (212) 555-0134", "I am at +1 (212) 555-0134 today"),
    ("phone", "+447700900123", "my number +447700900123."),
    ("phone", "(212) 555-0134", "Reach me: (212) 555-0134"),
    ("phone", "212-555-0134", "212-555-0134 is mine"),
    ("phone", "555.867.5309", "555.867.5309"),
    ("phone", "555-0134", "or just 555-0134, thanks"),
    ("phone", "06 12 34 56 78", "Appelez le 06 12 34 56 78 svp"),
    ("phone", "020 7946 0958", "London office 020 7946 0958!"),
    ("phone", "0151/23456789", "Handynummer lautet 0151/23456789"),
    ("phone", "0049 30 1234567", "0049 30 1234567"),
    ("phone", "5551234567", "call me at 5551234567"),
    ("phone", "07700900123", "Phone number: 07700900123"),
    ("card", "4111 1111 1111 1111", "card 4111 1111 1111 1111 was charged"),
    ("card", "5555555555554444", "5555555555554444"),
    ("card", "3782-822463-10005", "Amex 3782-822463-10005"),
    ("iban", "DE89 3704 0044 0532 0130 00", "refund to DE89 3704 0044 0532 0130 00 AND hurry"),
    ("iban", "GB82WEST12345698765432", "iban GB82WEST12345698765432."),
    ("iban", "nl91abna0417164300", "nl91abna0417164300"),
    ("ip", "203.0.113.42", "logged in from 203.0.113.42."),
    ("ip", "84.17.46.200", "IP is 84.17.46.200, port 443"),
    ("ip", "2001:db8:85a3::8a2e:370:7334", "over 2001:db8:85a3::8a2e:370:7334 it fails"),
    ("secret", "AKIAIOSFODNN7EXAMPLE", "key AKIAIOSFODNN7EXAMPLE leaked"),
    ("secret", "ghp_" + "a1B2" * 9, "export T=ghp_" + "a1B2" * 9),
    ("secret", "sk-proj-abc123def456ghi789jkl012", "OPENAI=sk-proj-abc123def456ghi789jkl012"),
    ("secret", "hunter2hunter2", "my password is hunter2hunter2"),
    ("secret", "s3cretpw", "postgres://bob:s3cretpw@db.internal/x"),
    (
        "secret",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7k3pLx0v==",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7k3pLx0v==\n\nThat is it.",
    ),
]

CLEAN = [
    "Where is order A-48213?",
    "order 5551234567 has not arrived",
    "ticket #0001234567, reference 20240501123456",
    "Ordered on 2024-05-01, delivered 01.02.2024 12:30, due 12/31/2025",
    "2024-05-01 2024-06-01 2024-07-01",
    "01-02-2024",
    "from 01.02.2024 - 03.04.2024",
    "It cost $1,234,567.89 and not 1.234.567,89 EUR",
    "prices 199.99 249.99 1299.00",
    "version 2.4.1.10 of the firmware",
    "v10.15.7.21 crashes, 10.15.7 did not",
    "Chrome/120.0.6099.109 on build 19.20.30.40",
    "upgraded from version 12.11.10.9",
    "see section 4.1.2.3 and 10.1.1",
    "router at 192.168.0.1, host 127.0.0.1, mask 255.255.255.0, 10.20.30.40",
    "1.1.1.1",
    "999.300.1.1 is no address",
    "4111 1111 1111 1112 fails its check digit",
    "1234567890123456",
    "timestamp 1700000000000 ms, 1714567890123",
    "SKU 4006381333931, EAN 9783161484100",
    "tracking 1Z999AA10123456784",
    "DE89 3704 0044 0532 0130 01",
    "GB82 is a postcode area? XX82WEST12345698765432",
    "icon@2x.png and logo@3x.svg, npm i left-pad@1.3.0",
    "@anna and @bob: see you @ 5pm",
    "std::vector, 12:30:45, 2024:05:06, dead::beef",
    "call 3 times about order 12345678",
    "call about 48213 items",
    "my password is wrong, reset password: please",
    "sk-learn and task-based approaches, risk-taking-behaviour-in-the-large",
    "uuid 123e4567-e89b-12d3-a456-426614174000",
    "sha 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "room 101, 3-4 people, 50-60%, 1/2 or 3/4, 10:15-11:45",
    "coordinates 48.8566, 2.3522 and 37.7749,-122.4194",
    "3.14159265358979323846",
    "pages 212-555, items 100-200-3000",
    "ISBN 978-3-16-148410-0",
    "text 160 characters, ring size 12, dial 911",
    "the number is 1,500,000",
]


@pytest.mark.parametrize("kind, piece, text", FOUND, ids=[f"{k}-{i}" for i, (k, _, _) in enumerate(FOUND)])
def test_finds_the_piece_and_only_it(kind: str, piece: str, text: str):
    assert [(h.kind, text[h.start : h.end]) for h in find_personal(text)] == [(kind, piece)]


@pytest.mark.parametrize("text", CLEAN)
def test_leaves_numbers_that_name_nobody_alone(text: str):
    assert find_personal(text) == []


@pytest.mark.parametrize("kind, piece, text", FOUND, ids=[f"{k}-{i}" for i, (k, _, _) in enumerate(FOUND)])
def test_nothing_found_is_shown_whole(kind: str, piece: str, text: str):
    masked = mask_personal(text)
    assert piece not in masked
    (hit,) = find_personal(text)
    assert hit.masked in masked
    assert sum(c.isalnum() for c in hit.masked) <= max(4, len(piece) // 2)
    assert masked.startswith(text[: hit.start])
    assert masked.endswith(text[hit.end :])


def test_several_in_one_text_come_in_order():
    text = "b@c.de, 212-555-0134, 4111111111111111, a@b.com"
    assert [h.kind for h in find_personal(text)] == ["email", "phone", "card", "email"]


def test_luhn_and_mod_97_on_published_numbers():
    assert luhn("79927398713")
    assert not luhn("79927398710")
    assert iban_holds("GB82WEST12345698765432")
    assert not iban_holds("GB82WEST12345698765431")
    assert not iban_holds("GB82WEST1234569876543")


@given(st.text(alphabet=st.characters(codec="utf-16", exclude_categories=()), max_size=300))
def test_any_text_gives_ordered_disjoint_hits(text: str):
    hits = find_personal(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(hits))
    assert all(h.start < h.end <= len(text) for h in hits)


@given(st.text(alphabet="0123456789 -.+()/:@aeZ", max_size=200))
def test_number_soup_gives_ordered_disjoint_hits(text: str):
    hits = find_personal(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(hits))


@pytest.mark.parametrize(
    "soup",
    [
        *("1 " * 100_000, "a@" * 100_000, "1" * 200_000, "call me " * 30_000, "x." * 100_000 + "@", "+1 (" * 60_000),
        *("2001:" * 40_000, "aB1-" * 60_000, "sk-" + "a" * 200_000, "password is " * 20_000, "a@b.co " * 30_000),
        *("eyJ" + "a" * 100_000 + ".eyJ", "http://" * 30_000, "call " + "1-" * 100_000, "0" * 50_000 + " 0" * 50_000),
        *("4111 " * 40_000, "1.2.3." * 40_000, "DE89 " * 40_000, "-----BEGIN " * 20_000, "https://a:b" * 20_000),
    ],
    ids=range(20),
)
def test_long_texts_take_no_more_than_linear_time(soup: str):
    start = time.perf_counter()
    find_personal(soup)
    assert time.perf_counter() - start < 2.0
