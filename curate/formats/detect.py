"""Which encoding bytes that are not UTF-8 are likely in, and whether there is no doubt of it.

`likely` names one for a message, and a person decides. `certain` is for `--encoding auto`, which nobody looks at: it
answers only where one reading stands out, since text that is read in the wrong encoding is damage that no later step
finds. Both look at the lines with bytes beyond ASCII only.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Sequence

SAMPLE = 200_000  # bytes given to the detector: it is slow, and lines beyond tell no more
RARE = re.compile(r"cp(?:4\d\d|7\d\d|8(?!74)\d\d|0\d\d|10\d\d|11\d\d|500)$|mac-|hp-|ptcp|kz1048")
"""Single-byte code pages of old DOS, IBM and Mac files, as `codecs` names them: seldom what a file is."""
SELDOM = re.compile(RARE.pattern + "|iso8859-(?:1[0-46]|[346])$")
"""With the parts of ISO 8859 that hardly anybody wrote, Arabic among them (Windows-1256 was used)."""
USUAL = "„‘’“”–—…€£§°«»·©®™²³½¼ \u00a0¿¡"
WESTERN = frozenset("àâäáãåæçéèêëíîïìñóôöòõøœúûüùßÿšžÀÂÄÁÃÅÆÇÉÈÊËÍÎÏÌÑÓÔÖÒÕØŒÚÛÜÙŠŽªº")
"""Letters of western European languages beyond ASCII, those left out that other code pages need at the same bytes."""
COMMON = ("cp1252", "cp1250", "cp1251", "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1253", "cp1254", "koi8-r")
"""Names that are preferred where several read the bytes alike."""
NEAR_CHAOS, NEAR_COHERENCE = 0.03, 0.1
"""How near another reading may come in charset-normalizer's two measures and still be told from the best."""
NEVER_SURE = ("cp1257", "iso8859-13")
"""Baltic code pages: a few lines of Polish read as well in them as in their own."""
LATIN = "\u024f"  # the last letter of Latin Extended-B
_INSIDE = re.compile(r"(?<=[^\W\d_])([^\w\s\x00-\x7f’‘·\u3000-\uffff])(?=[^\W\d_])")
_CONTROL = re.compile(r"[\x80-\x9f]")
"""Characters that no text holds: bytes that ISO 8859-1 reads although they mean nothing."""
_LATIN_9 = re.compile(r"¤|[¦¨´¸¼½¾](?=[^\W\d_])|(?<=[^\W\d_])[¦¨´¸¼½¾]")
"""What the euro and the letters Š š Ž ž Œ œ Ÿ of ISO 8859-15 are in Windows-1252: two readings alike."""
KANA, HANGUL = (0x3041, 0x30FF), (0xAC00, 0xD7A3)


def likely(lines: Sequence[bytes]) -> str | None:
    """Return the likeliest encoding; Windows-1252 where it fits equally well or the likeliest is a rare code page."""
    from charset_normalizer import from_bytes

    sample = _sample(lines)
    matches = from_bytes(sample)
    best = matches.best()
    if best is None or best.encoding in ("ascii", "utf_8"):
        return None
    for match in matches:
        equal = match.chaos <= best.chaos and match.coherence >= best.coherence
        if equal and "cp1252" in match.could_be_from_charset:
            return "cp1252"
    name = codecs.lookup(best.encoding).name
    if RARE.match(name):
        return next((common for common in ("cp1252", "iso8859-1") if reads_well(sample, common)), name)
    return name


def reads_well(data: bytes, encoding: str) -> bool:
    """Return whether bytes decode into printable text whose marks beyond ASCII are letters and usual punctuation."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return False
    marks = [c for c in text if not c.isascii()]
    usual = sum(c.isalpha() or c in USUAL for c in marks)
    return all(c.isprintable() or c in USUAL for c in marks) and usual >= 0.9 * len(marks)


def certain(lines: Sequence[bytes]) -> str | None:
    """Return the one encoding that these lines are surely in, or None where another one reads them as well."""
    from charset_normalizer import from_bytes

    matches = list(from_bytes(_sample(lines)))
    if not matches:
        return None
    usual = [m for m in matches if any(not SELDOM.match(name) for name in _names(m)) and _well_formed(str(m))]
    if not usual:
        return None
    for match in usual:
        near = match.chaos <= usual[0].chaos + NEAR_CHAOS and match.coherence >= usual[0].coherence - NEAR_COHERENCE
        if near and "cp1252" in match.could_be_from_charset and _western(str(match)):
            return "cp1252"
    told = [m for m in usual if _tells_itself(m, str(m))]
    best = max(told or usual, key=lambda m: (-m.chaos, m.coherence))
    rivals = [
        m
        for m in usual
        if m is not best
        and str(m) != str(best)
        and m.chaos <= best.chaos + NEAR_CHAOS
        and m.coherence > best.coherence - NEAR_COHERENCE
    ]
    if (rivals and best not in told) or any(m in told for m in rivals):
        return None
    names = _names(best)
    if set(names) & {"ascii", "utf-8"}:
        return None
    name = next((name for name in COMMON if codecs.lookup(name).name in names), names[0])
    if name in NEVER_SURE or _CONTROL.search(str(best)) or (name == "cp1252" and _LATIN_9.search(str(best))):
        return None
    return name


def _sample(lines: Sequence[bytes]) -> bytes:
    joined = b"\n".join(lines)
    if len(joined) <= SAMPLE:
        return joined
    return joined[:SAMPLE].rpartition(b"\n")[0] or joined[:SAMPLE]


def _names(match: object) -> list[str]:
    return [codecs.lookup(name).name for name in match.could_be_from_charset]  # type: ignore[attr-defined]


def _western(text: str) -> bool:
    """Return whether all marks beyond ASCII are letters of western Europe inside Latin words, or usual punctuation."""
    for at, mark in enumerate(text):
        if mark.isascii():
            continue
        beside = [c for c in (text[at - 1 : at], text[at + 1 : at + 2]) if c]
        in_word = [c for c in beside if c.isascii() and c.isalpha()]
        if mark in WESTERN:
            if not in_word and any(c in WESTERN for c in beside):
                return False  # a run of them is another script
        elif mark not in USUAL or (mark != "’" and len(in_word) == 2) or (mark in "½¼" and in_word):
            return False  # ISO 8859-15 has œ where this one has ½
        elif mark == "„" and text[at - 1 : at].isalpha():
            return False  # the byte that is an ä in DOS code pages
    return True


def _well_formed(text: str) -> bool:
    """Return whether words begin with their capitals and are of one script.

    Cyrillic that is read wrongly comes out with cases swapped, accents of Latin words as letters of another script.
    """
    inside = [m for m in _INSIDE.findall(text) if not unicodedata.category(m).startswith("M")]
    if len(inside) > 0.05 * sum(not c.isascii() for c in text):
        return False  # signs in the middle of words
    pairs = re.findall(r"(?=([^\W\d_]{2}))", text)
    if sum((a.isascii() and b > LATIN) or (b.isascii() and a > LATIN) for a, b in pairs) > 0.05 * len(pairs):
        return False
    beyond = [p for p in pairs if not p.isascii() and (p[0].islower() or p[0].isupper())]
    return sum(p[0].islower() and p[1].isupper() for p in beyond) <= 0.05 * len(beyond) and not (
        len(beyond) > 10 and sum(p.isupper() for p in beyond) > 0.7 * len(beyond)
    )


def _tells_itself(match: object, text: str) -> bool:
    """Return whether a text is written in a script that no wrong reading gives by chance: kana, usual hangul."""
    marks = [ord(c) for c in text if not c.isascii() and c.isalpha()]
    names = set(match.could_be_from_charset)  # type: ignore[attr-defined]
    kana = sum(KANA[0] <= c <= KANA[1] for c in marks)
    hangul = sum(HANGUL[0] <= c <= HANGUL[1] and len(chr(c).encode("euc_kr", "ignore")) == 2 for c in marks)
    japanese = names & {
        "cp932",
        "shift_jis",
        "euc_jp",
        "euc_jis_2004",
        "shift_jis_2004",
        "shift_jisx0213",
        "euc_jisx0213",
    }
    korean = names & {"cp949", "euc_kr", "johab"}
    return len(marks) > 5 and bool((japanese and kana > 0.3 * len(marks)) or (korean and hangul > 0.8 * len(marks)))
