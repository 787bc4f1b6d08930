"""How a person pays: card numbers (Luhn and an issuer's prefix) and bank accounts (IBAN, mod 97)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sluice.curate.privacy.checksums import IBAN_LENGTH, iban_holds, luhn
from sluice.curate.privacy.kind import Kind, Regions, Span, has_digit, keep_ends, names_a_thing, only_digits, plain

_CARD = re.compile(
    r"(?<![\w.,+-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})"
    r"(?!\w|[.,-]\d)",
    re.ASCII,
)
"""13 to 19 digits, bare or in the groups that are printed on cards."""
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners
    r"|(?:6011|65\d{2}|64[4-9]\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
)


def _cards(text: str, _regions: Regions) -> Iterator[Span]:
    for m in _CARD.finditer(text):
        digits = only_digits(m[0])
        bare = digits == m[0]  # one bare number in ten passes Luhn: a word that names it a parcel's counts for more
        if _ISSUER.fullmatch(digits) and luhn(digits) and not (bare and names_a_thing(text, m.start())):
            yield m.span()


_IBAN_START = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ -]?[A-Za-z0-9])", re.ASCII)


def _ibans(text: str, _regions: Regions) -> Iterator[Span]:
    for m in _IBAN_START.finditer(text):
        wanted = IBAN_LENGTH.get(m[1].upper())
        if wanted is None:
            continue
        taken, at = 0, m.start()
        while taken < wanted and at < len(text):
            c = text[at]
            if c.isascii() and c.isalnum():
                taken += 1
            elif not (c in " -" and text[at - 1] not in " -"):
                break
            at += 1
        ended = at == len(text) or not text[at].isalnum()
        if taken == wanted and ended and iban_holds(re.sub(r"[ -]", "", text[m.start() : at])):
            yield m.start(), at


IBAN = Kind(
    name="iban",
    what="a bank account number",
    source="ISO 13616: length by country (SWIFT IBAN registry, release 99), mod 97",
    hint=has_digit,
    spans=_ibans,
    mask=keep_ends(2, 2),
    normal=plain,
    example="Refund to DE89 3704 0044 0532 0130 00 please",
    clean="DE89 3704 0044 0532 0130 01 fails its check digits",
)
CARD = Kind(
    name="card",
    what="a payment card number",
    source="ISO/IEC 7812: Luhn, and the prefix and length of an issuer",
    hint=has_digit,
    spans=_cards,
    mask=keep_ends(0, 4),
    normal=plain,
    example="card 4111 1111 1111 1111 was charged",
    clean="4111 1111 1111 1112 fails its check digit",
)
