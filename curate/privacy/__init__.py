"""Personal data and secrets by pattern: e-mail, phone, card, IBAN, IP address, keys.

`patterns` holds what is looked for and how a candidate is proven (Luhn, mod 97, address ranges); `scan` finds it in a
text and never gives the whole of it back, only its place and a masked form. May import `sluice.core` alone. What a
pattern cannot see (names, addresses, illnesses, a phone number without its cue) is not found: a clean scan is not a
promise.
"""

from __future__ import annotations

from sluice.curate.privacy.patterns import KINDS, Kind
from sluice.curate.privacy.scan import Hit, find_personal, mask_personal

__all__ = ["KINDS", "Hit", "Kind", "find_personal", "mask_personal"]
