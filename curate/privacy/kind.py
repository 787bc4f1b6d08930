"""What a kind of personal data is made of, and the words before a number that tell what it is.

Precision comes first: a warning on every order id teaches people to look away. So a number whose proof is weak (one
check digit, or none) counts only in its printed form or behind a word that names it, and never behind a word such as
"order" or "tracking".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

REDACTED = "redacted"
"""The reason of rows that `redact` changed."""
Span = tuple[int, int]
Regions = tuple[str, ...] | None
"""Countries (ISO 3166, two letters) whose national way of writing phone numbers is read; None: by the language."""

_REFERENCE = re.compile(
    r"(?:\b(?:order|bestell\w*|auftrag\w*|commande|pedido|ordine|bestelling\w*|zam[oó]wieni\w*|beställning\w*|tilaus\w*|"
    r"ordre|ticket|invoice|rechnung\w*|facture|factura|fattura|factuur\w*|fatura|faktur\w*|tracking|sendung\w*|shipment|"
    r"parcel|paket\w*|colis|paquete|pacco|serial|seriennummer|sku|isbn|issn|ean|gtin|upc|ref|reference|referenz\w*|"
    r"référence|referencia|riferimento|case|booking|buchung\w*|reservation|artikel\w*|article|artículo|part|model|batch|lot|"
    r"charge|item|transaction|protocol\w*|protokoll\w*|timestamp|build|version|commit|hash|steuernummer|订单|单号|編號|ऑर्डर)\b|#)"
    r"[\s:=#.(-]*(?:(?:no|nr|num|number|nummer|numéro|numero|número|numer|id|code|is|was|ist|est|es|è|é|n°|nº)\b[\s:=#.-]*){0,3}$",
    re.IGNORECASE,
)
"""What names a number as one of a thing and not of a person, right before it."""


@dataclass(frozen=True)
class Kind:
    """One kind of personal data."""

    name: str
    what: str
    source: str
    """Where the pattern and the proof are written down."""
    hint: Callable[[str], bool]
    """A cheap test that a text can hold it at all."""
    spans: Callable[[str, Regions], Iterator[Span]]
    """Yields the places that are proven."""
    mask: Callable[[str], str]
    """The form that may be shown."""
    normal: Callable[[str, Regions], str]
    """One spelling for all spellings of one value."""
    example: str
    """A text with exactly one value of this kind and nothing else."""
    clean: str
    """A text that looks like it and holds nothing."""


_HAS_DIGIT = re.compile(r"[0-9]")


def has_digit(text: str) -> bool:
    """Return whether a text has an ASCII digit."""
    return _HAS_DIGIT.search(text) is not None


def only_digits(text: str) -> str:
    """Return the ASCII digits of a text."""
    return re.sub(r"[^0-9]", "", text)


def plain(text: str, _regions: Regions = None) -> str:
    """Return the letters and digits of a value, upper case."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def exactly(text: str, _regions: Regions = None) -> str:
    """Return a value as it is."""
    return text


def keep_ends(front: int, back: int) -> Callable[[str], str]:
    """Return a mask that shows so many characters at both ends."""
    return lambda text: f"{text[:front]}***{text[-back:] if back else ''}"


def names_a_thing(text: str, at: int) -> bool:
    """Return whether the words before a place say that what follows numbers a thing: an order, a parcel, an article."""
    return _REFERENCE.search(text[max(0, at - 48) : at]) is not None


def cue(words: str) -> Callable[[str, int], bool]:
    """Return a test whether one of some words (a pattern) stands within 40 characters before a place."""
    pattern = re.compile(rf"(?<!\w)(?:{words})(?![A-Za-z])", re.IGNORECASE)
    return lambda text, at: pattern.search(text[max(0, at - 40) : at]) is not None
