"""What the compiled loops have to know of a character: can it make a text other than NFC, is it blank, is it mojibake.

One number for each character up to U+FFFF. A text is surely NFC where none of its characters is UNSURE: each stands for
itself, is no mark, and joins nothing before it. Where one is, `unicodedata` is asked about the whole text.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from sluice.curate.formats.mojibake import ENCODINGS, bytes_of, leads_of

UNSURE, BLANK, LEAD, MORE = 1, 2, 2, 14  # as in `lines_compiled`: two bits, and the places of two fields of 12 bits
SURE = ((0, 0x300), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xFF00, 0xFFF0))
"""Beyond what is looked up below, characters of which none is UNSURE: Latin, Chinese, Korean syllables, wide forms."""
LOOKED_UP = (0x300, 0x3100)


@cache
def table() -> Any:
    """Return the numbers (65,536 of uint32)."""
    import numpy as np

    found = np.full(0x10000, UNSURE, np.uint32)
    for first, last in SURE:
        found[first:last] = 0
    joining = _joining()
    for cp in range(*LOOKED_UP):
        c = chr(cp)
        if not unicodedata.combining(c) and c not in joining and unicodedata.is_normalized("NFC", c):
            found[cp] = 0
    for cp in range(0x10000):
        if chr(cp).isspace():
            found[cp] |= BLANK
    for k, encoding in enumerate(ENCODINGS):
        for c in leads_of(encoding):
            found[ord(c)] |= 1 << LEAD + k
        for c in bytes_of(0x80, 0xC0, encoding):
            found[ord(c)] |= 1 << MORE + k
    for k, (leads, more) in enumerate((("ÃÂ", " "), ("â", "€")), start=len(ENCODINGS)):
        for c in leads:
            found[ord(c)] |= 1 << LEAD + k
        for c in more:
            found[ord(c)] |= 1 << MORE + k
    return found


def _joining() -> set[str]:
    """Return the characters that become one with a character before them."""
    joining = {chr(cp) for first, last in ((0x1161, 0x1176), (0x11A8, 0x11C3)) for cp in range(first, last)}
    for cp in range(0xC0, 0x10000):
        parts = unicodedata.decomposition(chr(cp)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            joining.add(chr(int(parts[1], 16)))
    return joining
