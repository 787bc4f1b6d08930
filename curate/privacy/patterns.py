"""What personal data looks like: for each kind a pattern for candidates, and a proof that a candidate is one.

Precision comes first: a warning on every order id teaches people to look away. So a number alone is never a phone
(it needs a plus, a known grouping, or a word such as "call" before it), cards need the Luhn sum and an issuer's
prefix, IBANs their country's length and mod 97, and version numbers are not addresses. This module knows texts, not
rows.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]

IBAN_LENGTH = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SD": 18,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip
"""Characters of an IBAN by country (SWIFT IBAN registry, release 99)."""

FILE_ENDINGS = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "html", "json"})
"""What follows an `@` in file names (`icon@2x.png`); none of them is a top-level domain."""


@dataclass(frozen=True)
class Kind:
    """One kind of personal data.

    `hint` is a cheap test that a text can hold it at all; `spans` yields the places that are proven; `mask` gives the
    form that may be shown.
    """

    name: str
    what: str
    hint: Callable[[str], bool]
    spans: Callable[[str], Iterator[Span]]
    mask: Callable[[str], str]


def luhn(digits: str) -> bool:
    """Return whether the check digit of a card number holds (ISO/IEC 7812-1, annex B)."""
    total = 0
    for i, c in enumerate(reversed(digits)):
        d = int(c)
        if i % 2:
            d = d * 2 - 9 if d > 4 else d * 2
        total += d
    return total % 10 == 0


def iban_holds(text: str) -> bool:
    """Return whether country length and check digits of an IBAN without blanks hold (ISO 13616, mod 97 = 1)."""
    text = text.upper()
    if IBAN_LENGTH.get(text[:2]) != len(text) or not text.isascii() or not text.isalnum():
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


_HAS_DIGIT = re.compile(r"[0-9]")


def _digit(text: str) -> bool:
    return _HAS_DIGIT.search(text) is not None


def _only_digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


# e-mail: the dot-atom of RFC 5322 before the @, host names (RFC 1035) with a top-level domain of letters after it
_EMAIL = re.compile(
    r"(?<![\w.%+-])(?<!\w')\w[\w.%+'-]{0,63}@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}([^\W\d_]{2,24}))(?![\w@])",
    re.UNICODE,
)


def _emails(text: str) -> Iterator[Span]:
    for m in _EMAIL.finditer(text):
        if m[2].lower() not in FILE_ENDINGS:
            yield m.span()


# card: 13 to 19 digits, bare or in the groups that are printed on cards
_CARD = re.compile(
    r"(?<![\w.,+-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})"
    r"(?!\w|[.,-]\d)",
    re.ASCII,
)
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners
    r"|(?:6011|65\d{2}|64[4-9]\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
)


def _cards(text: str) -> Iterator[Span]:
    for m in _CARD.finditer(text):
        digits = _only_digits(m[0])
        if _ISSUER.fullmatch(digits) and luhn(digits):
            yield m.span()


_IBAN_START = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ -]?[A-Za-z0-9])", re.ASCII)


def _ibans(text: str) -> Iterator[Span]:
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


# phone: E.164 has at most 15 digits; below 7 a number is anything
_WORDS = "phone|telephone|tel|mobile|cell|fax|whatsapp|handy|telefon|tél|téléphone|móvil|call|text|ring|reach|dial"
_LINKS = "me|us|him|her|them|back|on|at|is|my|number|num|no|nr|under|anytime"
_CUE = re.compile(
    rf"\b(?:{_WORDS})\b\.?(?:\s+(?:{_LINKS})\b\.?){{0,4}}\s*[:=#]?\s*(\(?\+?[0-9][0-9 ()./-]{{5,22}}[0-9])"
    r"(?!\w|[-.,]\d)",
    re.IGNORECASE,
)
_PLUS = re.compile(r"(?<![\w+])\+ ?[1-9](?:[ ()./-]{0,2}[0-9]){7,14}(?![\w]|[.,]\d)", re.ASCII)
_GROUPED = re.compile(
    r"(?<![\w.,+#/-])(?<![0-9][ -])(?:"
    r"(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([ .-]))\d{3}(?(1)\1|[ .-])\d{4}"  # North America: 212-555-0134
    r"|555-01\d{2}"  # its numbers for fiction, often in samples
    r"|0[1-9](?:[ .-]\d{2}){4}"  # France: 06 12 34 56 78
    r"|\(?0[1-9]\d{1,3}\)?[ /-]{1,2}\d{3,8}(?:[ -]\d{2,6}){0,3}"  # trunk 0: 020 7946 0958, 0151/23456789
    r"|00[1-9]\d{0,2}[ -]\d{1,5}(?:[ -]\d{2,8}){1,4}"  # 0049 30 1234567
    r")(?![\w]|[-.,/]\d)",
    re.ASCII,
)
_DATE = re.compile(r"(?<!\d)(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2}))(?!\d)")
_PAIRS = re.compile(r"0[1-9](?:[ .-]\d{2}){4}")


def _phones(text: str) -> Iterator[Span]:
    for pattern, group, least in ((_PLUS, 0, 8), (_GROUPED, 0, 7), (_CUE, 1, 7)):
        for m in pattern.finditer(text):
            number = m[group]
            digits = len(_only_digits(number))
            if not least <= digits <= 15 or (_DATE.match(number.lstrip("(")) and not _PAIRS.fullmatch(number)):
                continue
            if pattern is _GROUPED and number[0] in "(0" and digits < 9:
                continue
            yield m.span(group)


# IP: an address that can belong to a person; private, loopback and network masks name nobody
_IPV4 = re.compile(r"(?<![\w.+-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|[.-]\d|-\w)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:])", re.ASCII)
_VERSION_WORD = re.compile(
    r"(?:\bv|version|versions|ver\.?|release|build|firmware|driver|update|revision|rev\.?|section|chapter|clause|§)"
    r"[\s:=(]*(?:(?:no\.?|number|to|from|is|was|of)[\s:]+)?$",
    re.IGNORECASE,
)
_NOBODY = tuple(
    ipaddress.ip_network(n)
    for n in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)


def _addresses(text: str) -> Iterator[Span]:
    if text.count(".") >= 3:
        for m in _IPV4.finditer(text):
            parts = m[0].split(".")
            if any(int(p) > 255 or (len(p) > 1 and p[0] == "0") for p in parts) or all(len(p) == 1 for p in parts):
                continue  # four single digits are a version number or a heading far more often than a person
            address = ipaddress.IPv4Address(m[0])
            if any(address in net for net in _NOBODY) or _VERSION_WORD.search(text[max(0, m.start() - 24) : m.start()]):
                continue
            yield m.span()
    if text.count(":") >= 2:
        for m in _IPV6.finditer(text):
            try:
                ipaddress.IPv6Address(m[0])
            except ValueError:
                continue
            yield m.span()


# keys: the issuers' own prefixes; a password only where it is named and holds letters and digits
_KEYS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_-]{20,255}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,255}"
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}"
    r"|sk-(?:proj-|ant-|svcacct-)?(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{24,255}"
    r"|AIza[A-Za-z0-9_-]{35}|hf_[A-Za-z0-9]{30,255}|npm_[A-Za-z0-9]{36}|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"
    r"|eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}"
    r")(?![A-Za-z0-9_])"
    r"|-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY-----"
)
_NAMED = re.compile(
    r"(?:\b(?:password|passwort|passwd|pwd|passphrase)\b|\bapi[ _-]?key\b|\b(?:secret|access)[ _-](?:key|token)\b)"
    r"\s*(?:is|was|:|=)\s*[\"'`]?(?=\S{0,60}[0-9])(?=\S{0,60}[A-Za-z])([^\s\"'`,;]{8,128})",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,16}://[^\s/:@]{1,64}:([^\s/:@]{3,128})@", re.IGNORECASE)


def _secrets(text: str) -> Iterator[Span]:
    for m in _KEYS.finditer(text):
        yield m.span()
    for m in _NAMED.finditer(text):
        yield m.span(1)
    for m in _IN_ADDRESS.finditer(text):
        yield m.span(1)


def _mask_email(text: str) -> str:
    host = text.rpartition("@")[2]
    return f"{text[0]}***@{host[0]}***.{host.rpartition('.')[2]}"


def _keep_ends(front: int, back: int) -> Callable[[str], str]:
    return lambda text: f"{text[:front]}***{text[-back:] if back else ''}"


KINDS: tuple[Kind, ...] = (
    Kind("secret", "a key, token or password", lambda t: len(t) > 10, _secrets, lambda text: f"{text[:2]}***"),
    Kind("iban", "a bank account number (IBAN, mod 97)", _digit, _ibans, _keep_ends(2, 2)),
    Kind("card", "a payment card number (Luhn)", _digit, _cards, _keep_ends(0, 4)),
    Kind("email", "an e-mail address", lambda t: "@" in t, _emails, _mask_email),
    Kind("ip", "a public IP address", lambda t: "." in t or ":" in t, _addresses, _keep_ends(2, 0)),
    Kind("phone", "a phone number", _digit, _phones, _keep_ends(0, 2)),
)
"""In order of proof: what an earlier kind has taken, a later one does not name again."""
