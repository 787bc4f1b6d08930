"""One value of a person (a mail address, a phone number, an id, a name), found in every spelling."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sluice.core.errors import InputError
from sluice.curate.privacy.contact import EMAIL, PHONE
from sluice.curate.privacy.kind import Regions, only_digits, plain
from sluice.curate.privacy.scan import find_personal, normal_value

SHORTEST = 4  # characters: anything shorter is in rows of people who were not meant
GONE = "[forgotten]"
"""What stands where a value was, in texts that stay."""
_SEP = r"[\s()./\u00a0-]{0,3}"
_LETTERED = re.compile(r"\\u[0-9A-Fa-f]{4}")


@dataclass(frozen=True)
class Person:
    """One value, and the pattern of its spellings."""

    value: str
    kind: str
    """The kind of personal data; `text` for a name or any other words."""
    normal: str
    pattern: re.Pattern[str]

    def spelled_in(self, text: str) -> list[str]:
        """Return the spellings of the value in a text, however its characters are written down."""
        found = [m[0] for m in self.pattern.finditer(text)]
        for other in _readings(text):
            found += [m[0] for m in self.pattern.finditer(other)]
        return found

    def is_in(self, text: str) -> bool:
        """Return whether the value is in a text."""
        return self.pattern.search(text) is not None or any(self.pattern.search(other) for other in _readings(text))

    def out_of(self, text: str) -> str:
        """Return a text without the value."""
        cleaned = self.pattern.sub(GONE, text)
        return GONE if self.is_in(cleaned) else cleaned


def _readings(text: str) -> list[str]:
    """Return other ways to read a text: compatibility forms made one, and the escapes of JSON resolved."""
    found: list[str] = []
    if not text.isascii():
        found.append(unicodedata.normalize("NFKC", text))
    if "\\u" in text:
        found.append(_LETTERED.sub(lambda m: chr(int(m[0][2:], 16)), text))
    return found


def person(value: str, regions: Regions = None) -> Person:
    """Return a value with the pattern of its spellings.

    Args:
        value: as it was typed: a mail address, phone number, card, id, or words such as a name.
        regions: countries whose national phone numbers are read.

    Raises InputError for one that is too short to mean one person.
    """
    text = " ".join(unicodedata.normalize("NFKC", value).split())
    if len(text) < SHORTEST:
        raise InputError(
            f"'{value}' is too short to mean one person: {SHORTEST} characters or more are needed", where="--person"
        )
    for words in ("", "phone: "):
        whole = words + text
        hits = find_personal(whole, regions)
        if len(hits) == 1 and (hits[0].start, hits[0].end) == (len(words), len(whole)):
            kind = hits[0].kind
            normal = normal_value(kind, text, whole, regions)
            return Person(value, kind, normal, _pattern(kind, text, normal))
    return Person(value, "text", text.casefold(), _words(text))


def _pattern(kind: str, text: str, normal: str) -> re.Pattern[str]:
    if kind == EMAIL.name:
        return re.compile(rf"(?<![\w.+-]){re.escape(text)}(?![\w-]|\.\w)", re.IGNORECASE)
    if kind == PHONE.name:
        return _phone(normal)
    letters = plain(text)
    if kind in ("secret", "ip") or len(letters) < SHORTEST:
        return re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
    return re.compile(rf"(?<![A-Za-z0-9]){_SEP.join(letters)}(?![A-Za-z0-9])", re.IGNORECASE)


def _phone(normal: str) -> re.Pattern[str]:
    """Return the spellings of a number: with the country's prefix, with a trunk 0, or bare."""
    import phonenumbers

    digits = only_digits(normal)
    front = ""
    if normal.startswith("+"):
        number = phonenumbers.parse(normal)
        digits = phonenumbers.national_significant_number(number)
        front = rf"(?:(?:\+|00)?{_SEP}{_SEP.join(str(number.country_code))}{_SEP}(?:\(?0\)?{_SEP})?|\(?0)?{_SEP}"
    return re.compile(rf"(?<!\d){front}{_SEP.join(digits)}(?!\d)")


def _words(text: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in text.split(" "))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
