"""How a person is reached: e-mail addresses, phone numbers, public IP addresses."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from sluice.core.errors import InputError
from sluice.curate.privacy.kind import Kind, Regions, Span, has_digit, keep_ends, names_a_thing, only_digits

FILE_ENDINGS = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "html", "json"})
"""What follows an `@` in file names (`icon@2x.png`); none of them is a top-level domain."""

# e-mail: the dot-atom of RFC 5322 before the @, host names (RFC 1035) with a top-level domain of letters after it
_UNSPACED = "\u0900-\u097f\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Letters of scripts that stand before and behind an address without a blank; a mailbox in one of them is not read."""
_EMAIL = re.compile(
    rf"(?<![^\W{_UNSPACED}.%+-])(?<![.%+-])(?<!\w')[^\W{_UNSPACED}](?:[^\W{_UNSPACED}]|[.%+'-]){{0,63}}@((?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}"
    rf"((?:(?![{_UNSPACED}])[^\W\d_]){{2,24}}))(?![^\W{_UNSPACED}]|@)",
    re.UNICODE,
)


def _emails(text: str, _regions: Regions) -> Iterator[Span]:
    for m in _EMAIL.finditer(text):
        to_a_machine = m[0].startswith("git@") and text[m.end() : m.end() + 1] in (
            ":",
            "/",
        )  # git@github.com:owner/name
        if m[2].lower() not in FILE_ENDINGS and not to_a_machine:
            yield m.span()


def _mask_email(text: str) -> str:
    host = text.rpartition("@")[2]
    return f"{text[0]}***@{host[0]}***.{host.rpartition('.')[2]}"


# phone: E.164 has at most 15 digits; below 7 a number is anything
_WORDS = (
    "phone|telephone|tel|mobile|cell|fax|whatsapp|handy|handynummer|telefon|telefonnummer|mobilnummer|rufnummer|tél|"
    "téléphone|portable|móvil|teléfono|telefono|cellulare|telefone|celular|fone|telefoon|telefoonnummer|gsm|mobiel|"
    "telefonu|komórka|puhelin|puhelinnumero|mobil|mobilen|call|text|ring|reach|dial|appelez|llama|llame|chiama|bel|zadzwoń|"
    "电话|手机|電話|फोन|मोबाइल"
)
_LINKS = (
    "me|us|him|her|them|back|on|at|is|my|number|num|numer|no|nr|under|unter|anytime|ist|lautet|est|le|al|es|el|il|è|op|på|"
    "på|er|é|pod|to|是|号码|नंबर|है"
)
_CUE = re.compile(
    rf"(?<![A-Za-zÀ-žḀ-ỿ0-9_])(?:{_WORDS})\.?(?:\s*(?:{_LINKS})(?![a-z])\.?){{0,4}}\s*[:=#：]?\s*"
    r"(\(?\+?[0-9][0-9 ()./-]{5,22}[0-9])(?![^\W_]|[-.,]\d)",
    re.IGNORECASE,
)
_PLUS = re.compile(r"(?<![\w+])\+ ?[1-9](?:[ ()./-]{0,2}[0-9]){7,14}(?![\w]|[.,]\d)", re.ASCII)
_GROUPED = re.compile(
    r"(?<![\w.,+#/-])(?<![0-9][ -])(?:"
    r"(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([ .-]))\d{3}(?(1)\1|[ .-])\d{4}"  # North America: 212-555-0134
    r"|555-01\d{2}"  # its numbers for fiction, often in samples
    r"|0[1-9](?:[ .-]\d{2}){4}"  # France: 06 12 34 56 78
    r"|\(?0[1-9]\d{1,3}\)?(?:[ /-]{1,2}| / )\d{3,8}(?:[ -]\d{2,6}){0,3}"  # trunk 0: 020 7946 0958, 0151/23456789
    r"|00[1-9]\d{0,2}[ -]\d{1,5}(?:[ -]\d{2,8}){1,4}"  # 0049 30 1234567
    r")(?![\w]|[-.,/]\d)",
    re.ASCII,
)
_NATIONAL = re.compile(
    r"(?<![\w.,+#/-])(?<![0-9][ -])\(?[0-9]{2,5}\)?(?:[ ./-]{1,2}[0-9]{2,6}){1,4}(?![\w]|[-.,/]\d)(?! ?[€$£%])",
    re.ASCII,
)
"""Groups of digits: a phone only where they are a valid number of a country in question."""
_DATE = re.compile(r"(?<!\d)(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2}))(?!\d)")
_PAIRS = re.compile(r"0[1-9](?:[ .-]\d{2}){4}")
_NANP = re.compile(r"1?[2-9]\d{2}[2-9]\d{6}")
_REGIONS = {
    "de": ("DE", "AT", "CH"), "en": ("GB", "US"), "fr": ("FR", "BE", "CH"), "es": ("ES", "MX", "AR"), "it": ("IT",),
    "nl": ("NL", "BE"), "pl": ("PL",), "sv": ("SE",), "fi": ("FI",), "no": ("NO",), "nb": ("NO",), "nn": ("NO",),
    "da": ("DK",), "pt": ("BR", "PT"), "hi": ("IN",), "zh": ("CN",), "ja": ("JP",), "cs": ("CZ",), "tr": ("TR",),
}  # fmt: skip
"""Where a language is mostly written, for numbers without a country's prefix."""


def known_regions(names: Sequence[str] | None) -> Regions:
    """Return countries as phone numbers know them (`DE`); None stays None. Raises InputError for one that is none."""
    import phonenumbers

    if names is None:
        return None
    read = tuple(name.strip().upper() for name in names)
    unknown = [name for name in read if name not in phonenumbers.SUPPORTED_REGIONS]
    if unknown or not read:
        what = f"no country is called '{unknown[0]}'" if unknown else "no country is named"
        raise InputError(what, where="--region", remedy="two letters each, such as DE or DE,US (ISO 3166)")
    return read


def regions_of(text: str, regions: Regions) -> tuple[str, ...]:
    """Return the countries whose national numbers are read in a text: those given, else those of its language."""
    if regions is not None:
        return regions
    import py3langid  # pyright: ignore[reportMissingTypeStubs]

    detector: Any = py3langid
    return _REGIONS.get(str(detector.classify(text)[0]), ())


def _phones(text: str, regions: Regions) -> Iterator[Span]:
    found: list[Span] = []
    for pattern, group, least in ((_PLUS, 0, 8), (_GROUPED, 0, 7), (_CUE, 1, 7)):
        for m in pattern.finditer(text):
            number = m[group]
            digits = len(only_digits(number))
            if not least <= digits <= 15 or (_DATE.match(number.lstrip("(")) and not _PAIRS.fullmatch(number)):
                continue
            if pattern is _GROUPED and number[0] in "(0" and digits < 9:
                continue
            if pattern is not _CUE and names_a_thing(text, m.start()):
                continue
            found.append(m.span(group))
    yield from found
    yield from _national(text, regions, found)


def _national(text: str, regions: Regions, found: list[Span]) -> Iterator[Span]:
    """Yield groups of digits that are a valid number (phonenumbers) of a country that is read."""
    read: tuple[str, ...] | None = None
    for m in _NATIONAL.finditer(text):
        if any(a < m.end() and m.start() < b for a, b in found) or names_a_thing(text, m.start()):
            continue
        if not 8 <= len(only_digits(m[0])) <= 12 or _DATE.match(m[0].lstrip("(")):
            continue
        if read is None:
            read = regions_of(text, regions)
        if any(_is_number(m[0], region) for region in read):
            yield m.span()


def _is_number(text: str, region: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def normal_phone(text: str, regions: Regions) -> str:
    """Return a number as E.164 where its country is known, else its digits."""
    import phonenumbers

    digits = only_digits(text)
    told = "+" + digits if "+" in text else "+" + digits[2:] if digits.startswith("00") else digits
    tried = [None] if told.startswith("+") else [*(regions or ()), *(["US"] if _NANP.fullmatch(digits) else [])]
    for region in tried:
        try:
            number = phonenumbers.parse(told, region)
        except phonenumbers.NumberParseException:
            continue
        if region is None or phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return told


# IP: an address that can belong to a person; private, loopback and network masks name nobody
_IPV4 = re.compile(r"(?<![\w.+-])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|[.-]\d|-\w)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}(?![\w:])", re.ASCII)
_VERSION_WORD = re.compile(
    r"(?:\bv|version|versión|versione|versie|wersja|versions|ver\.?|release|build|firmware|driver|update|revision|rev\.?|"
    r"section|chapter|clause|kapitel|abschnitt|§|kernel|modul|module|upgrad\w*(?: [a-z][\w+-]*)?)"
    r"[\s:=(]*(?:(?:no\.?|number|to|from|is|was|of|auf|von|à|a)[\s:]+)?(?:v?[\d.]{3,15}\s*(?:to|and|or|auf|und|à|et|a|y|,|/|->)\s*)?$",
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


def _addresses(text: str, _regions: Regions) -> Iterator[Span]:
    if text.count(".") >= 3:
        for m in _IPV4.finditer(text):
            parts = m[0].split(".")
            if any(int(p) > 255 or (len(p) > 1 and p[0] == "0") for p in parts) or all(len(p) == 1 for p in parts):
                continue  # four single digits are a version number or a heading far more often than a person
            address = ipaddress.IPv4Address(m[0])
            if any(address in net for net in _NOBODY) or _VERSION_WORD.search(text[max(0, m.start() - 48) : m.start()]):
                continue
            yield m.span()
    if text.count(":") >= 2:
        for m in _IPV6.finditer(text):
            try:
                ipaddress.IPv6Address(m[0])
            except ValueError:
                continue
            yield m.span()


EMAIL = Kind(
    name="email",
    what="an e-mail address",
    source="RFC 5322 dot-atom, RFC 1035 host names",
    hint=lambda t: "@" in t,
    spans=_emails,
    mask=_mask_email,
    normal=lambda t, _: unicodedata.normalize("NFKC", t).casefold(),
    example="Write to jane.doe@example.com, please.",
    clean="npm i left-pad@1.3.0, see icon@2x.png",
)
PHONE = Kind(
    name="phone",
    what="a phone number",
    source="E.164; groupings of North America, France and trunk 0; else valid in a country by phonenumbers",
    hint=has_digit,
    spans=_phones,
    mask=keep_ends(0, 2),
    normal=lambda t, regions: normal_phone(t, regions),
    example="Call me at +49 30 1234567 today.",
    clean="Order 5551234567 of 2024-05-01 has not arrived.",
)
IP = Kind(
    name="ip",
    what="a public IP address",
    source="RFC 791 and RFC 4291; without the private, loopback and multicast ranges of RFC 6890",
    hint=lambda t: "." in t or ":" in t,
    spans=_addresses,
    mask=keep_ends(2, 0),
    normal=lambda t, _: str(ipaddress.ip_address(t)),
    example="Logged in from 203.0.113.42.",
    clean="version 2.4.1.10 of the firmware, router at 192.168.0.1",
)
