"""Duplicates: which rows say what another row says already, in input and in target.

`dedup` is the one entry. It is pure: rows in, a `DedupResult` out, nothing is stored. `keys` says when two rows are
equal after normalisation and when they contradict each other; `near` finds near-equal inputs. Stands on
`sluice.curate.similarity` and `sluice.core.rows` only.
"""

from __future__ import annotations

from sluice.curate.duplicates.dedup import Conflict, DedupResult, Dropped, NearPair, dedup

__all__ = ["Conflict", "DedupResult", "Dropped", "NearPair", "dedup"]
