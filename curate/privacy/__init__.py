"""Personal data in texts: kinds with their proof, finding them, pseudonyms, and erasing rows from the store.

It may import core and what curate stores (datasets, operations); checks, redact and the rooms above import it. What is
written so that no rule proves it (a name, an address, a number without its word) is not found by pattern: a clean scan
is not a promise.
"""

from __future__ import annotations

from sluice.curate.privacy.kind import Kind
from sluice.curate.privacy.scan import KINDS, Hit, find_personal, mask_personal

__all__ = ["KINDS", "Hit", "Kind", "find_personal", "mask_personal"]
