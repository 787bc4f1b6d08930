"""National ids, each with its published structure and check digits.

A form that can hardly be chance (letters in fixed places, a date and two check digits) counts wherever it stands. A
bare run of digits with one check digit, which one in ten passes, counts only behind a word that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sluice.curate.privacy.checksums import (
    chinese,
    codice_fiscale,
    cpf,
    is_birthday,
    is_date,
    luhn,
    mod_11_10,
    nir,
    norwegian,
    verhoeff,
    weighted,
)
from sluice.curate.privacy.kind import Kind, Regions, Span, cue, has_digit, keep_ends, names_a_thing, plain


class National(NamedTuple):
    """One country's id: how it is written, when a candidate is one, and which words name it."""

    name: str
    what: str
    source: str
    printed: str
    """Pattern of a form that counts wherever it stands; empty where there is none."""
    bare: str
    """Pattern of a form that needs one of the words before it; empty where there is none."""
    words: str
    holds: Callable[[str], bool]
    """The proof, over letters and digits alone (upper case)."""
    example: str
    clean: str


def _ssn(t: str) -> bool:
    return t[:3] not in ("000", "666") and t[0] != "9" and t[3:5] != "00" and t[5:] != "0000"


def _nino(t: str) -> bool:
    return t[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ") and t[0] not in "DFIQUV" and t[1] not in "DFIOQUV"


def _steuer_id(t: str) -> bool:
    counts = sorted(t[:10].count(d) for d in set(t[:10]))
    return t[0] != "0" and counts[-1] in (2, 3) and counts.count(counts[-1]) == 1 and mod_11_10(t)


def _nir(t: str) -> bool:
    month = int(t[3:5])
    return t[0] in "12" and (1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99) and nir(t)


_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def _dni(t: str) -> bool:
    number = t.translate(str.maketrans("XYZ", "012"))[:8] if t[0] in "XYZ" else t[:8]
    return number.isdigit() and _DNI[int(number) % 23] == t[8]


def _bsn(t: str) -> bool:
    return t != "000000000" and weighted(t, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _belgian(t: str) -> bool:
    if not (int(t[2:4]) % 20 <= 12 and int(t[4:6]) <= 31):
        return False
    return any(97 - int(century + t[:9]) % 97 == int(t[9:]) for century in ("", "2"))


def _pesel(t: str) -> bool:
    check = (10 - weighted(t, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10
    return check == int(t[10]) and is_birthday(t[4:6], f"{int(t[2:4]) % 20:02d}", t[:2])


def _swedish(t: str) -> bool:
    t = t[-10:]
    day = int(t[4:6])
    return is_birthday(f"{day - 60 if day > 60 else day:02d}", t[2:4], t[:2]) and luhn(t)


def _finnish(t: str) -> bool:
    return is_birthday(t[:2], t[2:4], t[4:6]) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(t[:6] + t[-4:-1]) % 31] == t[-1]


def _norwegian(t: str) -> bool:
    day = int(t[:2])
    return is_birthday(f"{day - 40 if day > 40 else day:02d}", t[2:4], t[4:6]) and norwegian(t)


def _danish(t: str) -> bool:
    return is_birthday(t[:2], t[2:4], t[4:6]) and weighted(t, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _chinese(t: str) -> bool:
    return is_date(int(t[6:10]), int(t[10:12]), int(t[12:14])) and t[6:8] in ("18", "19", "20") and chinese(t)


IDS: tuple[National, ...] = (
    National(
        "it-codice-fiscale", "an Italian codice fiscale", "DM 23 December 1976: structure and check letter",
        r"[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", "", "", codice_fiscale,
        "Il mio codice fiscale è RSSMRA85T10A562S.", "codice RSSMRA85T10A562X",
    ),
    National(
        "cn-resident-id", "a Chinese resident id", "GB 11643-1999: date, ISO 7064 MOD 11-2",
        r"[1-9]\d{16}[\dX]", "", "", _chinese,
        "身份证 11010519491231002X 已登记", "编号 110105194912310021",
    ),
    National(
        "fr-nir", "a French social security number (NIR)", "INSEE: structure and key mod 97",
        r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", "", "", _nir,
        "Mon numéro de sécurité sociale : 2 69 05 49 588 157 80.", "numéro 2 69 05 49 588 157 81",
    ),
    National(
        "es-dni", "a Spanish DNI or NIE", "Real Decreto 1553/2005: letter by mod 23",
        r"(?:\d{8}|[XYZ][ -]?\d{7})[ -]?[A-HJ-NP-TV-Z]", "", "", _dni,
        "Mi DNI es 12345678Z, gracias.", "el DNI 12345678A no existe",
    ),
    National(
        "uk-nino", "a UK National Insurance number", "HMRC manual NIM39110: prefixes and suffix",
        r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", "", "", _nino,
        "My NI number is AB 12 34 56 C.", "code GB 12 34 56 C is not issued",
    ),
    National(
        "fi-hetu", "a Finnish personal identity code", "Digital and Population Data Services Agency: check by mod 31",
        r"\d{6}[-+ABCDEFUVWXY]\d{3}[0-9A-FHJ-NPR-Y]", "", "", _finnish,
        "Henkilötunnus on 131052-308T.", "tunnus 131052-308A",
    ),
    National(
        "no-fnr", "a Norwegian national identity number", "Skatteetaten: date, two check digits mod 11",
        r"\d{6} ?\d{5}", "", "", _norwegian,
        "Fødselsnummer 01010750160 er mitt.", "nummer 01010750161",
    ),
    National(
        "be-rrn", "a Belgian national register number", "Royal decree of 3 April 1984: mod 97",
        r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", r"\d{11}",
        r"rijksregister\w*|registre national|nationaal nummer|numéro national|rrn|nn", _belgian,
        "Mijn rijksregisternummer: 85.07.30-033.28", "het nummer 85.07.30-033.29",
    ),
    National(
        "br-cpf", "a Brazilian CPF", "Receita Federal: two check digits mod 11",
        r"\d{3}\.\d{3}\.\d{3}-\d{2}", r"\d{11}", r"cpf", cpf,
        "Meu CPF é 529.982.247-25.", "CPF 529.982.247-26",
    ),
    National(
        "us-ssn", "a US social security number", "SSA: area not 000, 666 or 9xx, group not 00, serial not 0000",
        r"\d{3}-\d{2}-\d{4}", r"\d{9}|\d{3} \d{2} \d{4}", r"ssn|social security(?: number| no\.?)?", _ssn,
        "SSN 536-90-4399 on file", "item 666-12-3456",
    ),
    National(
        "se-personnummer", "a Swedish personal identity number", "Skatteverket SKV 704: date, Luhn",
        r"(?:19|20)?\d{4}[0-3]\d[-+]\d{4}", r"(?:19|20)?\d{6}[-+]?\d{4}",
        r"person(?:nummer|nr)|samordningsnummer|pnr", _swedish,
        "Mitt personnummer är 811218-9876.", "ärende 811218-9875",
    ),
    National(
        "dk-cpr", "a Danish CPR number", "CPR-kontoret: date, mod 11 (numbers given without it since 2007 are missed)",
        r"\d{6}-\d{4}", r"\d{10}", r"cpr(?:-?nummer|-?nr\.?)?|personnummer", _danish,
        "Mit CPR-nummer er 070761-4285.", "sag 070761-4286",
    ),
    National(
        "de-steuer-id", "a German tax id", "BZSt: one digit two or three times among ten, ISO 7064 MOD 11,10",
        "", r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        r"steuer-?id(?:entifikationsnummer|nr\.?)?|steuerliche identifikationsnummer|idnr\.?|tin|tax id", _steuer_id,
        "Meine Steuer-ID lautet 86 095 742 719.", "Kundennummer 86 095 742 719",
    ),
    National(
        "in-aadhaar", "an Indian Aadhaar number", "UIDAI: first digit 2 to 9, Verhoeff",
        r"[2-9]\d{3} \d{4} \d{4}(?! \d)", r"[2-9]\d{3}-?\d{4}-?\d{4}", r"aadhaar|aadhar|adhaar|uidai|आधार", verhoeff,
        "My Aadhaar is 2345 6789 0124.", "2345 6789 0125 is no number",
    ),
    National(
        "pl-pesel", "a Polish PESEL", "Ministry of Digital Affairs: date, weights 1 3 7 9",
        "", r"\d{11}", r"pesel(?:u|em)?", _pesel,
        "Mój PESEL to 44051401359.", "numer 44051401359 zamówienia",
    ),
    National(
        "nl-bsn", "a Dutch BSN", "RvIG: the eleven test",
        "", r"\d{9}|\d{4}[. ]\d{2}[. ]\d{3}", r"bsn(?:-?nummer)?|burgerservicenummer|sofi-?nummer", _bsn,
        "Mijn BSN is 111222333.", "klant 111222333",
    ),
)  # fmt: skip
"""In order of proof: what an earlier one takes, a later one does not name again."""


def _kind(of: National) -> Kind:
    either = [rf"(?P<{name}>{form})" for name, form in (("printed", of.printed), ("bare", of.bare)) if form]
    pattern = re.compile(rf"(?<![\w.,+/#-])(?:{'|'.join(either)})(?![\w]|[-.,/]\d)", re.IGNORECASE | re.ASCII)
    named = cue(of.words) if of.words else None

    def spans(text: str, _regions: Regions) -> Iterator[Span]:
        for m in pattern.finditer(text):
            if not of.holds(plain(m[0])):
                continue
            if m.groupdict().get("printed") is None:
                if named is None or not named(text, m.start()):
                    continue
            elif names_a_thing(text, m.start()):
                continue
            yield m.span()

    return Kind(of.name, of.what, of.source, has_digit, spans, keep_ends(0, 2), plain, of.example, of.clean)


NATIONAL: tuple[Kind, ...] = tuple(_kind(of) for of in IDS)
